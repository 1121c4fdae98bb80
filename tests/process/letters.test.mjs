// Letters under bad conditions, counted at a mail server that is not ours to ask: poisonous
// recipients, and timers that come due while the server is down.
import assert from 'node:assert/strict';
import test from 'node:test';

import { MAIL_CONFIG, Sink, freshServer, serve, until } from './ripen.mjs';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.parse('2026-01-05T10:00:00Z');
const simulated = (time) => `simulated:${new Date(time).toISOString()}`;
const CONFIG = `${MAIL_CONFIG}[warehouse]\nenabled = false\n`;
const LONG = process.env.RIPEN_LONG === '1';

const JOURNEY = {
    name: 'Trial',
    entry: { event: 'Trial Started', again: 'once' },
    steps: [
        { id: 'w1', type: 'wait', for: '1h' },
        { id: 'l1', type: 'letter', subject: 'How is it going?', text: 'Tell us.\n' },
    ],
};

async function publish(server) {
    const made = await server.api('POST', 'journeys', JOURNEY);
    await server.api('POST', `journeys/${made.id}/publish`);
    await server.segment('behind it', 'everyone');
    return made.id;
}

async function begin(server, people) {
    for (let at = 0; at < people.length; at += 250) {
        const batch = people.slice(at, at + 250).flatMap(([userId, email]) => [
            { type: 'identify', userId, traits: { email } },
            { type: 'track', userId, event: 'Trial Started' },
        ]);
        const answer = await server.track('/v1/batch', { batch }, { secret: true });
        assert.equal(answer.status, 200, answer.text);
    }
}

test('a bad recipient harms nobody else, and everybody has a result', async (t) => {
    // Every tenth recipient is refused for good by the mail server, every twentieth for now.
    const sink = await Sink.start(t, '--no-bodies', '--faults',
        'rcpt:permanent:0.1,rcpt:temporary:0.05');
    const server = await freshServer(t, {
        clock: simulated(START), config: CONFIG, env: { RIPEN_SMTP_URL: sink.url },
    });
    const journey = await publish(server);
    const good = [...Array(300).keys()].map((n) => [`p${n}`, `p${n}@example.test`]);
    const twins = [['twin1', 'twin@example.test'], ['twin2', 'twin@example.test']];
    const bad = [['b1', 'no-at-sign'], ['b2', 'a@b@example.test'], ['b3', 'x@'], ['b4', ''],
        ['b5', 'x\r\nBcc: all@example.test@example.test'], ['b6', `${'l'.repeat(300)}@example.test`],
        ['b7', 'a b@example.test'], ['b8', '<x@example.test>']];
    await begin(server, [...good, ...twins, ...bad]);
    let now = START;
    const messages = () => server.all(`messages?journey_id=${journey}`, 'messages');
    await until('every letter has its result', async () => {
        await server.moveClock(now += HOUR);
        const all = await messages();
        return all.length === good.length + twins.length + bad.length &&
            all.every((each) => !['waiting', 'claimed'].includes(each.state));
    });
    const all = await messages();
    assert.equal(new Set(all.map((each) => each.person_id)).size, all.length, 'one each');
    const count = (state) => all.filter((each) => each.state === state).length;
    assert.equal(count('skipped'), bad.length, 'who has no address that mail can go to');
    assert.equal(count('ambiguous'), 0);
    assert.ok(count('failed') > 0 && count('failed') < 100, `${count('failed')} were refused`);
    assert.ok(all.filter((each) => each.state !== 'sent').every((each) => each.reason !== null));
    const letters = sink.letters();
    assert.equal(letters.length, count('sent'), 'as many as were taken');
    const perAddress = {};
    for (const letter of letters) perAddress[letter.to] = (perAddress[letter.to] ?? 0) + 1;
    for (const [to, n] of Object.entries(perAddress)) {
        assert.ok(n <= (to === 'twin@example.test' ? 2 : 1), `${to} got ${n}`);
    }
    await server.moveClock(now + 72 * HOUR);
    assert.equal(sink.letters().length, letters.length, 'nothing is sent again');
});

test('timers fire once each and none early, over kills and two hours of downtime', async (t) => {
    const persons = LONG ? 1_000_000 : 5_000;
    const kills = LONG ? 50 : 6;
    const sink = await Sink.start(t, '--no-bodies');
    const env = { RIPEN_SMTP_URL: sink.url };
    let server = await freshServer(t, { clock: simulated(START), config: CONFIG, env });
    const { directory, keys } = server;
    const again = async (time) => {
        server = serve({
            directory, keys, clock: simulated(time), config: CONFIG, env, test: t,
        });
        await server.ready(LONG ? 600_000 : 60_000);
    };
    const journey = await publish(server);
    await begin(server, [...Array(persons).keys()].map((n) => [`p${n}`, `p${n}@example.test`]));
    await server.moveClock(START + HOUR - 1);
    assert.equal(sink.letters().length, 0, 'none is early');
    await server.kill();
    // Two hours later all are due at once; what is killed on the way goes on.
    const up = START + 3 * HOUR;
    for (let kill = 0; kill < kills; ++kill) {
        await again(up);
        const before = sink.letters().length;
        // After a downtime letters wait two minutes more (docs/journeys.md).
        const moved = server.moveClock(up + (10 * kill + 5) * MINUTE).catch(() => {});
        await until('some have left', () =>
            sink.letters().length > before + persons / (kills + 2) ||
            sink.letters().length >= persons, 600_000);
        await server.kill();
        await moved;
    }
    await again(up + 10 * kills * MINUTE);
    let now = up + 10 * kills * MINUTE;
    const messages = () => server.all(`messages?journey_id=${journey}`, 'messages');
    await until('every letter has its result', async () => {
        await server.moveClock(now += HOUR);
        const metrics = (await server.get('/metrics')).text;
        return /^ripen_letters_waiting 0$/m.test(metrics) &&
            /^ripen_letters_in_flight 0$/m.test(metrics);
    }, 600_000);
    const all = await messages();
    assert.equal(all.length, persons, 'each fired once');
    assert.equal(new Set(all.map((each) => each.person_id)).size, persons);
    const ambiguous = all.filter((each) => each.state === 'ambiguous').length;
    assert.ok(ambiguous <= kills * 16, `${ambiguous} ambiguous of at most 16 a kill`);
    assert.equal(all.filter((each) => each.state === 'sent').length, persons - ambiguous);
    const letters = sink.letters();
    assert.equal(new Set(letters.map((letter) => letter.to)).size, letters.length, 'none twice');
    assert.ok(letters.length >= persons - ambiguous && letters.length <= persons);
    t.diagnostic(`${persons} timers, ${kills} kills, ${ambiguous} ambiguous`);
});
