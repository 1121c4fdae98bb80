// The real binary as its administrator and its clients meet it: the flagship journey, wrong input,
// and everything around it that can die.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';

import {
    MAIL_CONFIG, Sink, atEnd, freshServer, initialise, makeDirectory, run, serve, until,
} from './ripen.mjs';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.parse('2026-01-05T10:00:00Z');
const SIMULATED = `simulated:${new Date(START).toISOString()}`;
const NO_WAREHOUSE = '[warehouse]\nenabled = false\n';

const FLAGSHIP = {
    name: 'Unfinished application',
    entry: { event: 'Application Started', key: 'application_id', again: 'once_per_key' },
    exit: 'did "Application Submitted" since entry',
    goal: 'did "Application Submitted" since entry',
    steps: [
        { id: 'w1', type: 'wait', for: '1h' },
        {
            id: 'l1', type: 'letter',
            subject: "Shall we finish, {{ person.first_name | default: 'friend' }}?",
            text: 'Your application waits.\n',
        },
    ],
};

const track = (userId, event, properties = {}, more = {}) =>
    ({ type: 'track', userId, event, properties, ...more });
const identify = (userId, traits) => ({ type: 'identify', userId, traits });
const batchOf = (...batch) => ({ batch });

async function send(server, ...events) {
    const answer = await server.track('/v1/batch', batchOf(...events), { secret: true });
    assert.equal(answer.status, 200, answer.text);
}

// The journey runs once a segment that was made after it is ready: definitions go live in order.
async function publish(server, journey) {
    const made = await server.api('POST', 'journeys', journey);
    await server.api('POST', `journeys/${made.id}/publish`);
    await server.segment(`behind ${made.id}`, 'everyone');
    return made.id;
}

const messagesOf = (server, journey) =>
    server.all(`messages?journey_id=${journey}`, 'messages');

test('init makes a directory once, and its keys and the three plain addresses work', async (t) => {
    const directory = path.join(makeDirectory(t), 'data');
    const keys = initialise(directory, '--owner', 'owner@example.test');
    assert.ok(keys.write_key && keys.secret_key && keys.write_key !== keys.secret_key);
    assert.equal(keys.owner.email, 'owner@example.test');
    const again = run('init', '--data', directory, '--json');
    assert.notEqual(again.status, 0);
    assert.match(again.stderr, /is a data directory already/);

    const server = await serve({ directory, keys, test: t, config: NO_WAREHOUSE }).ready();
    assert.equal((await server.get('/healthz')).status, 200);
    assert.equal((await server.get('/readyz')).status, 200);
    const metrics = await server.get('/metrics');
    assert.equal(metrics.status, 200);
    assert.match(metrics.headers['content-type'], /^text\/plain; version=0\.0\.4/);
    for (const line of metrics.text.trim().split('\n')) {
        assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{.*\})? -?[0-9.e+]+)$/);
    }
    const names = metrics.text.match(/^# TYPE \w+/gm);
    assert.equal(new Set(names).size, names.length, 'a metric is declared twice');
    assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.log);
});

test('an application begun and not finished within 1 h gets its letter, a finished one none',
    async (t) => {
        const server = await freshServer(t, {
            clock: SIMULATED, config: MAIL_CONFIG,
            env: { RIPEN_PUBLIC_URL: 'https://go.example.test' },
        });
        const journey = await publish(server, FLAGSHIP);
        await send(server,
            identify('ada', { email: 'ada@example.test', first_name: 'Ada' }),
            identify('bob', { email: 'bob@example.test', first_name: 'Bob' }),
            identify('cy', { email: 'cy@example.test' }),
            track('ada', 'Application Started', { application_id: 'a1' }),
            track('bob', 'Application Started', { application_id: 'b1' }),
            track('cy', 'Application Started', { application_id: 'c1' }));
        await server.moveClock(START + 30 * MINUTE);
        // Cy finishes another application than the one she began.
        await send(server, track('bob', 'Application Submitted', { application_id: 'b1' }),
            track('cy', 'Application Submitted', { application_id: 'c2' }));
        await server.moveClock(START + HOUR - 1000);
        assert.deepEqual((await server.api('GET', 'mailbox')).letters, []);
        await server.moveClock(START + HOUR);
        const letters = (await server.api('GET', 'mailbox')).letters;
        assert.deepEqual(letters.map((letter) => [letter.to, letter.subject]).sort(), [
            ['ada@example.test', 'Shall we finish, Ada?'],
            ['cy@example.test', 'Shall we finish, friend?'],
        ]);
        const whole = await server.api('GET', `mailbox/${letters[0].id}`);
        assert.match(whole.raw, /^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m);
        assert.match(whole.text, /Your application waits\./);
        const messages = await messagesOf(server, journey);
        assert.deepEqual(messages.map((message) => message.state), ['sent', 'sent']);
        assert.equal(messages[0].step, 'l1');

        // Once per key: the same application starts nothing again, another one does.
        await send(server, track('ada', 'Application Started', { application_id: 'a1' }),
            track('bob', 'Application Started', { application_id: 'b2' }));
        await server.moveClock(START + 3 * HOUR);
        const later = await messagesOf(server, journey);
        assert.equal(later.length, 3);
        const bob = await server.lookup('email', 'bob@example.test');
        assert.equal(later.filter((message) => message.person_id === bob.id).length, 1);

        const timeline = await server.timeline(bob);
        assert.deepEqual(timeline.filter((event) => /^Application/.test(event.name))
            .map((event) => [event.name, event.properties.application_id]), [
            ['Application Started', 'b2'], ['Application Submitted', 'b1'],
            ['Application Started', 'b1'],
        ]);
    });

test('segments and previews agree, now and as of an earlier time', async (t) => {
    const server = await freshServer(t, { clock: SIMULATED, config: NO_WAREHOUSE });
    await send(server, identify('ada', { plan: 'pro' }), track('ada', 'Page', { path: '/' }),
        identify('bob', { plan: 'free' }), track('bob', 'Order Completed', { revenue: 600 }));
    await server.moveClock(START + 24 * HOUR);
    await send(server, track('bob', 'Order Completed', { revenue: 400 }),
        track('ada', 'Order Completed', { revenue: 999.99 }));
    const rich = 'sum(revenue) of "Order Completed" >= 1000';
    const preview = async (condition, at) => (await server.api('POST', 'segments/preview',
        { condition, ...(at ? { as_of: new Date(at).toISOString() } : {}) })).count;
    assert.equal(await preview(rich), 1);
    assert.equal(await preview(rich, START + HOUR), 0);
    assert.equal(await preview('did "Order Completed"', START + HOUR), 1);
    assert.equal(await preview('plan is "pro"'), 1);
    assert.equal(await preview('did "Order Completed" within 2d'), 2);
    const id = await server.segment('Rich', rich);
    assert.equal((await server.api('GET', `segments/${id}`)).count, 1);
    const members = await server.api('GET', `segments/${id}/persons`);
    assert.deepEqual(members.persons.map((person) => person.user_ids), [['bob']]);
    // A window empties by time alone.
    const recent = await server.segment('Recent', 'did "Order Completed" within 2d');
    assert.equal((await server.api('GET', `segments/${recent}`)).count, 2);
    await server.moveClock(START + 72 * HOUR - 1000);
    assert.equal((await server.api('GET', `segments/${recent}`)).count, 2);
    await server.moveClock(START + 72 * HOUR);
    assert.equal((await server.api('GET', `segments/${recent}`)).count, 0);
    const listed = await server.api('GET',
        `persons?condition=${encodeURIComponent('plan in ("pro", "free")')}&sort=last_seen&limit=1`);
    assert.equal(listed.total, 2);
    assert.equal(listed.persons.length, 1);
    assert.ok(listed.next_cursor);
});

test('a key opens only what it is for', async (t) => {
    const server = await freshServer(t, { config: NO_WAREHOUSE });
    const { write_key: write, secret_key: secret } = server.keys;
    for (const [key, status, code] of [[null, 401, 'unauthorized'],
        ['sk_unknown', 401, 'unauthorized'], [write, 403, 'forbidden']]) {
        const answer = await server.ask('GET', 'persons', undefined, key);
        assert.equal(answer.status, status, String(key));
        assert.equal(answer.json.error.code, code);
        assert.ok(answer.json.error.message);
    }
    assert.equal((await server.ask('GET', 'persons', undefined, secret)).status, 200);
    const event = batchOf(track('ada', 'Page'));
    const wrong = Buffer.from('wk_unknown:').toString('base64');
    const refused = await server.track('/v1/batch', event,
        { headers: { authorization: `Basic ${wrong}` } });
    assert.equal(refused.status, 401);
    // Times of years ago are believed from the secret key alone.
    const old = (who) => batchOf(track(who, 'Page', {}, { timestamp: '2011-01-05T10:00:00Z' }));
    assert.equal((await server.track('/v1/import', old('public'))).status, 200);
    assert.equal((await server.track('/v1/import', old('trusted'), { secret: true })).status, 200);
    const preview = async () => (await server.api('POST', 'segments/preview',
        { condition: 'last "Page" before "2012-01-01"' })).count;
    await until('the trusted one is counted', async () => (await preview()) === 1);
    const person = await until('the public one', () => server.lookup('user_id', 'public'));
    assert.equal(person.events, 1);
    assert.equal(await preview(), 1);
});

test('wrong input is answered with its reason and stores nothing', async (t) => {
    const server = await freshServer(t, { config: NO_WAREHOUSE });
    const ingest = async (body, headers) => {
        const answer = await server.track('/v1/batch', body, { headers });
        return answer.status;
    };
    const deep = (depth) => '['.repeat(depth) + ']'.repeat(depth);
    assert.equal(await ingest('{"batch":['), 400);
    assert.equal(await ingest('{"batch":"no"}'), 400);
    assert.equal(await ingest('{}'), 400);
    assert.equal(await ingest('"text"'), 400);
    assert.equal(await ingest(`{"batch":${deep(1000)}}`), 400);
    assert.equal(await ingest(
        `{"batch":[{"type":"track","userId":"u","event":"e","properties":{"a":${deep(1000)}}}]}`),
    400);
    assert.equal(await ingest(Buffer.from('{"batch":[]}\xff', 'latin1')), 400);
    assert.equal(await ingest(Buffer.from('1f8b0800deadbeef', 'hex')), 400);
    assert.equal(await ingest(Buffer.from('not gzip'), { 'content-encoding': 'gzip' }), 400);
    const bomb = zlib.gzipSync(Buffer.alloc(32 * 1024 * 1024, ' '));
    assert.equal(await ingest(bomb, { 'content-encoding': 'gzip' }), 413);
    assert.equal(await ingest(batchOf(...Array(1001).fill(track('u', 'e')))), 413);
    assert.equal(await ingest(' '.repeat(4 * 1024 * 1024 + 1)), 413);
    assert.equal(await ingest(batchOf({ type: 'track', event: 'e' })), 400);
    assert.equal(await ingest(batchOf(track('u'.repeat(513), 'e'))), 400);
    assert.equal(await ingest('{"batch":[{"type":"track","userId":"\\ud800","event":"e"}]}'), 400);
    assert.equal(await server.lookup('user_id', 'u'), null);

    // A bad event in a good batch is refused alone, and kept for the debugger.
    const mixed = await server.track('/v1/batch', batchOf(track('good', 'e'),
        track('good', 'e', { a: 'x'.repeat(33 * 1024) }), track('good', 'e', { n: 3 })));
    assert.equal(mixed.status, 200);
    assert.deepEqual(mixed.json.refused.map((refused) => refused.index), [1]);
    await until('the good ones are counted', async () =>
        (await server.lookup('user_id', 'good'))?.events === 2);
    // Unknown fields are kept; the content type does not matter.
    assert.equal(await ingest(batchOf(track('odd', 'e', {}, { whatever: { x: 1 } })),
        { 'content-type': 'application/x-www-form-urlencoded' }), 200);
    // Numbers are ids as text.
    assert.equal(await ingest(batchOf(track(42, 'e'))), 200);
    await until('user 42', () => server.lookup('user_id', '42'));

    const refusals = [
        ['{"name":', 400, undefined],
        [{ name: 'x', condition: 'plan is' }, 400, /^condition/],
        [{ name: 'x', condition: 'everyone', colour: 'red' }, 400, /^colour$/],
        [{ name: 5, condition: 'everyone' }, 400, /^name$/],
        [{ condition: 'everyone' }, 400, /^name$/],
        [deep(1000), 400, undefined],
    ];
    for (const [body, status, at] of refusals) {
        const answer = await server.ask('POST', 'segments', body);
        assert.equal(answer.status, status, answer.text);
        assert.equal(answer.json.error.code, 'invalid_argument');
        if (at) assert.match(answer.json.error.at, at);
    }
    const journey = await server.ask('POST', 'journeys',
        { ...FLAGSHIP, steps: [{ id: 'w', type: 'wait', for: 'soon' }] });
    assert.equal(journey.status, 400);
    assert.equal(journey.json.error.at, 'steps[0].for');
    assert.equal((await server.ask('GET', 'persons?colour=red')).json.error.at, 'colour');
    assert.equal((await server.ask('GET', 'segments/seg_99')).status, 404);
    assert.equal((await server.ask('POST', 'clock', { now: '2027-01-01' })).status, 404);
});

test('a server that cannot start says why and ends', async (t) => {
    const parent = makeDirectory(t);
    const directory = path.join(parent, 'data');
    const start = (...more) => run('serve', '--listen', '127.0.0.1:0', ...more);
    const absent = start('--data', directory);
    assert.equal(absent.status, 1);
    assert.match(absent.stderr, /is not a data directory of Ripen. Make one with: ripen init/);

    const keys = initialise(directory);
    const taken = net.createServer().listen(0, '127.0.0.1');
    await new Promise((done) => taken.once('listening', done));
    atEnd(t, () => taken.close());
    const port = taken.address().port;
    const busy = run('serve', '--data', directory, '--listen', `127.0.0.1:${port}`);
    assert.equal(busy.status, 1);
    assert.match(busy.stderr, new RegExp(`127.0.0.1:${port}.*in use`, 's'));

    const first = await serve({ directory, keys, test: t, config: NO_WAREHOUSE }).ready();
    const second = start('--data', directory);
    assert.equal(second.status, 1);
    assert.match(second.stderr, /in use|another process/);
    assert.equal((await first.get('/healthz')).status, 200);
    await first.stop();

    fs.writeFileSync(`${directory}.toml`, '[email]\nsmpt_url = "x"\n');
    const misspelt = start('--data', directory, '--config', `${directory}.toml`);
    assert.equal(misspelt.status, 1);
    assert.match(misspelt.stderr, /email\.smpt_url/);
    assert.equal(start('--data', directory, '--clock', 'sundial').status, 1);

    // The version byte stands at 8; the checksum of 64 bytes at the end (docs/formats/log.md).
    const meta = path.join(directory, 'log', 'meta');
    const bytes = fs.readFileSync(meta);
    bytes[8] = 2;
    bytes.writeUInt32LE(crc32c(bytes.subarray(0, 60)), 60);
    fs.writeFileSync(meta, bytes);
    const newer = start('--data', directory);
    assert.equal(newer.status, 1);
    assert.match(newer.stderr, /version 2.*version 1/);
    assert.deepEqual(fs.readFileSync(meta), bytes);
});

function crc32c(bytes) {
    let crc = ~0;
    for (const byte of bytes) {
        crc ^= byte;
        for (let bit = 0; bit < 8; ++bit) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc >>> 0;
}

test('without its warehouse child the server goes on, and starts another', async (t) => {
    const server = await freshServer(t);
    await send(server, track('ada', 'One', { n: 1 }));
    const ada = await until('ada', () => server.lookup('user_id', 'ada'));
    const names = async () => {
        const answer = await server.ask('GET', `persons/${ada.id}/timeline`);
        return answer.status === 200 ? answer.json.events.map((event) => event.name) : null;
    };
    await until('the timeline', async () => (await names())?.includes('One'));
    // The child may have threads of the server as parents: any of them.
    const find = () => fs.readdirSync(`/proc/${server.pid}/task`).flatMap((thread) => {
        const text = fs.readFileSync(`/proc/${server.pid}/task/${thread}/children`, 'utf8');
        return text.trim().split(' ').filter(Boolean).map(Number);
    });
    for (let round = 0; round < 2; ++round) {
        const [child] = await until('a warehouse child', () => {
            const found = find();
            return found.length > 0 ? found : null;
        });
        process.kill(child, 'SIGKILL');
        await send(server, track('ada', `While away ${round}`));
        assert.equal((await server.get('/readyz')).status, 200);
        await until('the timeline is whole again', async () => {
            const found = await names();
            return found?.includes('One') && found.includes(`While away ${round}`);
        });
        await until('another child', () => find().some((pid) => pid !== child));
    }
    assert.equal((await names()).length, 3);
});

test('letters wait for a dead mail server and leave when it is back, each once', async (t) => {
    const sink = await Sink.start(t, '--no-bodies');
    const server = await freshServer(t, {
        clock: SIMULATED, config: MAIL_CONFIG + NO_WAREHOUSE, env: { RIPEN_SMTP_URL: sink.url },
    });
    const journey = await publish(server, FLAGSHIP);
    const port = sink.port;
    await sink.stop();
    const people = [...Array(20).keys()].map((n) => `p${n}`);
    await send(server, ...people.map((who) => identify(who, { email: `${who}@example.test` })),
        ...people.map((who) => track(who, 'Application Started', { application_id: who })));
    // Answered when the letters have left or were put off: not while we look.
    const moved = server.moveClock(START + HOUR);
    const states = async () => (await messagesOf(server, journey)).map((message) => message.state);
    await until('all letters are in the outbox', async () => (await states()).length === 20);
    assert.ok((await states()).every((state) => state === 'waiting' || state === 'claimed'),
        String(await states()));
    assert.equal((await server.get('/readyz')).status, 200);
    await sink.open('--no-bodies', '--port', String(port));
    await moved;
    let now = START + HOUR;
    await until('all letters are sent', async () => {
        await server.moveClock(now += MINUTE);   // What is tried later is due by the clock.
        return (await states()).every((state) => state === 'sent');
    });
    assert.deepEqual(sink.letters().map((letter) => letter.to).sort(),
        people.map((who) => `${who}@example.test`).sort());
});

// A file system of its own; null where this process may not mount one.
function mountSmall(test, megabytes) {
    const directory = makeDirectory(test);
    const mounted = spawnSync('mount',
        ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', directory]);
    if (mounted.status !== 0) return null;
    atEnd(test, () => execFileSync('umount', ['--lazy', directory]));
    return directory;
}

test('a full disk turns events away with 503, and room lets them in again', async (t) => {
    const disk = mountSmall(t, 512);
    if (!disk) return t.skip('no small file system can be mounted here');
    const directory = path.join(disk, 'data');
    const keys = initialise(directory);
    let server = await serve({ directory, keys, test: t, config: NO_WAREHOUSE }).ready();
    const filler = path.join(disk, 'filler');
    const fill = fs.openSync(filler, 'w');
    const piece = Buffer.alloc(1024 * 1024);
    for (let full = false; !full;) {
        try {
            fs.writeSync(fill, piece);
        } catch (error) {
            assert.equal(error.code, 'ENOSPC');
            full = true;
        }
    }
    fs.closeSync(fill);
    let stored = 0;
    let sent = 0;
    const post = async () => {
        const events = [...Array(100).keys()].map(() =>
            track(`u${sent % 16}`, 'Filled', { pad: 'x'.repeat(20_000) },
                { messageId: `m${sent++}` }));
        const answer = await server.track('/v1/batch', batchOf(...events));
        if (answer.status === 200) stored += events.length;
        return answer;
    };
    const refused = await until('the disk is full', async () => {
        const answer = await post();
        return answer.status === 200 ? null : answer;
    }, 120_000);
    assert.equal(refused.status, 503, refused.text);
    assert.match(refused.headers['retry-after'], /^[0-9]+$/);
    // Reading and the server itself go on.
    assert.equal((await server.get('/healthz')).status, 200);
    const counted = async () => (await server.api('GET', 'persons?limit=500')).persons
        .reduce((sum, person) => sum + person.events, 0);
    await until('what was taken is counted', async () => (await counted()) === stored);
    fs.rmSync(filler);
    await until('events are taken again', async () => (await post()).status === 200, 30_000);
    await until('these are counted too', async () => (await counted()) === stored);
    await server.kill();
    server = await serve({ directory, keys, test: t, config: NO_WAREHOUSE }).ready();
    await until('all is there after a restart', async () => (await counted()) === stored);
    await server.stop();
});

test('kill -9 keeps what was answered, and the log folded anew gives the same state', async (t) => {
    const directory = path.join(makeDirectory(t), 'data');
    const keys = initialise(directory);
    // Checkpoints come often, so that a restart has both one and a tail.
    const config = `${MAIL_CONFIG}[checkpoint]\nrecords = 500\n`;
    const begin = () => serve({ directory, keys, test: t, config, clock: SIMULATED }).ready();
    let server = await begin();
    const segment = await server.segment('Often', 'did "Visit" 3+ times within 7d');
    const journey = await publish(server, FLAGSHIP);
    let now = START;
    for (let round = 0; round < 3; ++round) {
        for (let part = 0; part < 10; ++part) {
            const events = [];
            for (let n = 0; n < 20; ++n) {
                const who = `p${n}`;
                events.push(identify(who, { email: `${who}@example.test`, round }));
                events.push(track(who, 'Visit', { round, part },
                    { anonymousId: `browser ${n} ${round}` }));
                events.push(track(who, 'Application Started',
                    { application_id: `${who} ${round}` }));
            }
            await send(server, ...events);
        }
        await server.moveClock(now += HOUR);
        await send(server, track('p0', 'Visit', { round, part: 'last' }));
        await server.kill();
        server = await begin();
        const p0 = await server.lookup('user_id', 'p0');
        assert.equal(p0.attributes.round, round);
        assert.equal(p0.anonymous_ids.length, round + 1);
        const visits = (await server.timeline(p0))
            .filter((event) => event.name === 'Visit');
        assert.equal(visits.length, 11 * (round + 1));
        assert.equal((await server.api('GET', `segments/${segment}`)).count, 20);
        const messages = await messagesOf(server, journey);
        assert.equal(messages.length, 20 * (round + 1));
        assert.ok(messages.every((message) => message.state === 'sent'));
        const letters = await server.all('mailbox', 'letters');
        assert.equal(letters.length, 20 * (round + 1));
    }
    await server.kill();
    const rebuilt = run('rebuild', '--data', directory, '--threads', '2', '--compare');
    assert.equal(rebuilt.status, 0, rebuilt.stdout + rebuilt.stderr);
    const digests = [...rebuilt.stdout.matchAll(/^digest.* ([0-9a-f]{16,})$/gm)].map((m) => m[1]);
    assert.equal(digests.length, 2, rebuilt.stdout);
    assert.equal(digests[0], digests[1]);
    const alone = run('rebuild', '--data', directory, '--threads', '1');
    assert.ok(alone.stdout.includes(digests[0]), alone.stdout);
});
