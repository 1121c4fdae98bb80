// The demo's year: the same seed gives the same year, and what the API tells of it agrees.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';

import { initialise, makeDirectory, run, serve, until } from './ripen.mjs';

const END = '2026-06-01T12:00:00Z';
const PLAY = ['--persons', '150', '--days', '90', '--end', END, '--json'];

function play(directory, seed = 7) {
    const done = run('demo', '--data', directory, ...PLAY, '--seed', String(seed));
    assert.equal(done.status, 0, done.stderr);
    return JSON.parse(done.stdout);
}

// All that the first page of the public listener tells: the demo's key is in it.
async function open(test, directory, keys) {
    const server = serve({
        directory, keys, clock: `simulated:${END}`, test, config: '[warehouse]\nenabled = false\n',
    });
    return server.ready();
}

test('the same seed plays the same year, another one does not', async (t) => {
    const years = ['a', 'b'].map((name) => {
        const directory = path.join(makeDirectory(t), name);
        initialise(directory);
        const year = play(directory);
        assert.ok(year.seconds > 0);
        assert.match(year.write_key, /^pk_/);
        return year;
    });
    // What letters lead to depends on which of them leave before somebody's devices are joined.
    assert.equal(years[0].planned, years[1].planned);
    for (const year of years) {
        assert.ok(year.acts > year.planned && year.letters > 20 && year.opened > 5,
            JSON.stringify(year));
    }
    const directory = path.join(makeDirectory(t), 'c');
    initialise(directory);
    assert.notEqual(play(directory, 8).planned, years[0].planned);
});

test('the year stays in its own workspace, and rebuilds to the same bytes', async (t) => {
    const directory = path.join(makeDirectory(t), 'data');
    const keys = initialise(directory);
    play(directory);
    const rebuilt = run('rebuild', '--data', directory, '--compare');
    assert.equal(rebuilt.status, 0, rebuilt.stdout + rebuilt.stderr);
    const server = await open(t, directory, keys);
    // The keys of the first workspace see nothing of it.
    const everybody = await server.api('GET', 'persons');
    assert.equal(everybody.total, 0);
    assert.deepEqual((await server.api('GET', 'journeys')).journeys, []);
    await until('the server is ready', async () => (await server.get('/readyz')).status === 200);
});

test('a directory that has served takes no demo', async (t) => {
    const directory = path.join(makeDirectory(t), 'data');
    const keys = initialise(directory);
    const server = serve({ directory, keys, test: t });
    await server.ready();
    await server.track('/v1/track', { userId: 'u1', event: 'X' });
    await server.stop();
    const refused = run('demo', '--data', directory, '--json');
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, /new data directory/);
});
