// The live stream and the numbers of Home, with the real binary: a browser's session, a slow
// reader, a flood, and a server that dies and comes back.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';
import { exchange, freshServer, pause, serve, until } from './ripen.mjs';

const FRAME_MS = 20_000;

// A screen: keeps the frames that came.
class Stream {
    constructor(server, headers) {
        this.frames = [];
        this.wakes = new Set();
        this.socket = new WebSocket(`ws://127.0.0.1:${server.port}/api/v1/live`, { headers });
        this.opened = new Promise((done, failed) => {
            this.socket.onopen = () => done();
            this.socket.onerror = () => failed(new Error('the stream did not open'));
        });
        this.closed = new Promise((done) => {
            this.socket.onclose = (event) => done(event.code);
        });
        this.socket.onmessage = (message) => {
            this.frames.push({ at: performance.now(), size: message.data.length,
                frame: JSON.parse(message.data) });
            for (const wake of this.wakes) wake();
        };
    }

    static async ofKey(server, ...topics) {
        const stream = new Stream(server, { authorization: `Bearer ${server.keys.secret_key}` });
        return stream.greet({}, topics);
    }

    async greet(first, topics = []) {
        await this.opened;
        this.say(first);
        const hello = await this.next((frame) => frame.hello);
        assert.match(hello.frame.hello.now, /^\d{4}-/);
        for (const topic of topics) this.say({ subscribe: topic });
        return this;
    }

    say(frame) {
        this.socket.send(JSON.stringify(frame));
    }

    // The next frame of which `is` says yes; those before it are passed over.
    async next(is, ms = FRAME_MS) {
        const end = performance.now() + ms;
        for (;;) {
            while (this.frames.length > 0) {
                const came = this.frames.shift();
                if (is(came.frame)) return came;
            }
            const left = end - performance.now();
            if (left <= 0) throw new Error('the frame did not come');
            await new Promise((done) => {
                const timer = setTimeout(done, left);
                const wake = () => {
                    clearTimeout(timer);
                    this.wakes.delete(wake);
                    done();
                };
                this.wakes.add(wake);
            });
        }
    }

    counts(is) {
        return this.next((frame) => frame.topic === 'counts' && is(frame.data));
    }

    close() {
        this.socket.close();
        return this.closed;
    }
}

const event = (user, name = 'Looked', more = {}) => ({
    type: 'track', event: name, anonymousId: user, ...more,
});
const visit = (user, path) => ({
    type: 'page', anonymousId: user, context: { page: { path, url: `https://shop.example${path}` } },
});

async function send(server, ...batch) {
    const answer = await server.track('/v1/batch', { batch });
    assert.equal(answer.status, 200, answer.text);
}

// The first teammate, as a browser signs her up: the fields of her requests.
async function signUp(server) {
    const origin = server.url;
    const answer = await exchange(`${server.url}/api/v1/start`, {
        method: 'POST',
        headers: { origin, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'Ada', email: 'ada@example.test', password: 'ripe plums 7' }),
    });
    assert.equal(answer.status, 201, answer.text);
    const cookie = answer.headers['set-cookie'][0].split(';')[0];
    return { origin, cookie, csrf: answer.json.csrf };
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];

test('a session opens the stream, and counts move', async (t) => {
    const server = await freshServer(t);
    const who = await signUp(server);
    const stream = new Stream(server, { cookie: who.cookie, origin: who.origin });
    await stream.greet({ csrf: who.csrf, workspace: 1 }, ['counts']);
    assert.deepEqual((await stream.counts(() => true)).frame.data,
        { persons: 0, on_site: 0, events_total: 0, segments: {}, journeys: {} });
    await send(server, visit('a1', '/'), visit('a2', '/'), event('a2'));
    const moved = await stream.counts((data) => data.events_total === 3);
    assert.equal(moved.frame.data.persons, 2);
    assert.equal(moved.frame.data.on_site, 2);
    const segment = await server.segment('Lookers', 'did "Looked"');
    await stream.counts((data) => data.segments[segment] === 1);
    await send(server, event('a1'));
    await stream.counts((data) => data.segments[segment] === 2);
    // When the session ends, so does the stream.
    const out = await exchange(`${server.url}/api/v1/session`, {
        method: 'DELETE',
        headers: { origin: who.origin, cookie: who.cookie, 'x-ripen-csrf': who.csrf },
    });
    assert.equal(out.status, 204, out.text);
    assert.equal(await stream.closed, 4401);
});

test('other origins, other workspaces and silent clients are turned away', async (t) => {
    const server = await freshServer(t);
    const who = await signUp(server);
    const status = (headers) => new Promise((done, failed) => {
        const request = http.get({
            port: server.port, host: '127.0.0.1', path: '/api/v1/live',
            headers: {
                connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13',
                'sec-websocket-key': randomBytes(16).toString('base64'), ...headers,
            },
        });
        request.on('response', (answer) => done(answer.resume().statusCode));
        request.on('upgrade', (answer, socket) => done(socket.destroy() && answer.statusCode));
        request.on('error', failed);
    });
    assert.equal(await status({ cookie: who.cookie, origin: who.origin }), 101);
    assert.equal(await status({ cookie: who.cookie, origin: 'https://evil.example' }), 403);
    assert.equal(await status({ cookie: who.cookie, origin: 'null' }), 403);
    assert.equal(await status({ cookie: who.cookie }), 403);
    assert.equal(await status({ authorization: 'Bearer sk_none' }), 401);

    const foreign = new Stream(server, { cookie: who.cookie, origin: who.origin });
    await foreign.opened;
    foreign.say({ csrf: who.csrf, workspace: 9 });
    assert.equal(await foreign.closed, 4403);
    const forged = new Stream(server, { cookie: who.cookie, origin: who.origin });
    await forged.opened;
    forged.say({ csrf: 'guessed', workspace: 1 });
    assert.equal(await forged.closed, 4403);
    const signedOut = new Stream(server, { origin: who.origin });
    assert.equal(await signedOut.closed, 4401);
    const silent = new Stream(server, { cookie: who.cookie, origin: who.origin });
    assert.equal(await silent.closed, 4401);
});

test('a card hears of an event soon, and then shows it', async (t) => {
    const server = await freshServer(t);
    await send(server, event('ada'));
    const person = await until('ada is known', () => server.lookup('anonymous_id', 'ada'));
    const stream = await Stream.ofKey(server);
    stream.say({ subscribe: 'person', id: person.id });
    await stream.next((frame) => frame.topic === 'person');
    const took = [];
    for (let i = 0; i < 100; ++i) {
        await pause(110);   // Cards are told at most ten times a second.
        stream.frames.length = 0;
        await send(server, event('ada'));
        const acknowledged = performance.now();
        const came = await stream.next((frame) => frame.topic === 'person');
        assert.equal(came.frame.id, person.id);
        took.push(Math.max(0, came.at - acknowledged));
        if (i % 10 !== 0) continue;
        const card = await server.api('GET', `persons/${person.id}`);
        assert.equal(card.events, i + 2);
    }
    took.sort((a, b) => a - b);
    t.diagnostic(`acknowledged -> frame: p50 ${quantile(took, 0.5).toFixed(1)} ms, ` +
        `p99 ${quantile(took, 0.99).toFixed(1)} ms`);
    assert.ok(quantile(took, 0.99) < 1000);
});

test('5,000 events a second are shown in part and counted in whole', async (t) => {
    const server = await freshServer(t);
    await send(server, event('first'));
    const stream = await Stream.ofKey(server, 'events', 'counts');
    await stream.counts((data) => data.events_total === 1);
    stream.frames.length = 0;
    let sent = 0;
    const begun = performance.now();
    for (let k = 0; k < 30; ++k) {
        const batch = Array.from({ length: 500 }, (_, i) =>
            event(`p${(k * 500 + i) % 900}`, 'Looked', { properties: { n: k * 500 + i } }));
        await send(server, ...batch);
        sent += batch.length;
        const ahead = (k + 1) * 100 - (performance.now() - begun);
        if (ahead > 0) await pause(ahead);
    }
    const seconds = (performance.now() - begun) / 1000;
    let shown = 0;
    let skipped = 0;
    let frames = 0;
    while (shown + skipped < sent) {
        const { frame, size } = await stream.next((each) => each.topic === 'events');
        assert.ok(frame.data.length <= 200);
        assert.ok(size <= 65_536);
        shown += frame.data.length;
        skipped += frame.skipped;
        ++frames;
    }
    assert.equal(shown + skipped, sent);
    assert.ok(frames <= seconds * 10 + 5, `${frames} frames in ${seconds} s`);
    t.diagnostic(`${(sent / seconds).toFixed(0)} events/s: ${shown} shown, ${skipped} counted, ` +
        `${frames} frames`);
});

test('a slow reader is closed with 1013 while others go on', async (t) => {
    const server = await freshServer(t);
    const honest = await Stream.ofKey(server, 'events');
    const slow = net.connect(server.port, '127.0.0.1');
    t.after(() => slow.destroy());
    const masked = (text) => {
        const payload = Buffer.from(text);
        assert.ok(payload.length < 126);
        return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
    };
    slow.write('GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n' +
        'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n` +
        `Authorization: Bearer ${server.keys.secret_key}\r\n\r\n`);
    slow.write(Buffer.concat([masked('{}'), masked('{"subscribe":"events"}')]));
    await new Promise((done) => slow.once('readable', done));   // Not read any further.
    const text = 'x'.repeat(1500);
    let shown = 0;   // Bytes that the honest one got.
    const feed = async () => {
        shown += honest.frames.splice(0).reduce((bytes, each) => bytes + each.size, 0);
        await send(server, ...Array.from({ length: 100 }, (_, i) =>
            event(`p${i}`, 'Looked', { properties: { text } })));
    };
    // More than the system holds for her, and than we do.
    while (shown < 2_000_000) await feed();
    const pieces = [];
    slow.on('data', (piece) => pieces.push(piece));
    await new Promise((done) => slow.once('close', done));
    const bytes = Buffer.concat(pieces);
    assert.ok(bytes.length < 1_000_000, `${bytes.length} bytes were kept for her`);
    // The last frame: close, 1013, and why.
    const close = bytes.lastIndexOf(Buffer.from([0x03, 0xf5]));
    assert.ok(close > 0 && bytes[close - 2] === 0x88, 'the last frame closes with 1013');
    assert.match(bytes.subarray(close + 2).toString(), /slowly$/);
    await feed();
    await honest.next((frame) => frame.topic === 'events' && frame.data.length > 0);
});

test('visitors come, go on, and are there for who looks later', async (t) => {
    const server = await freshServer(t);
    await send(server, visit('a1', '/pricing'));
    await until('she is folded', () => server.lookup('anonymous_id', 'a1'));
    const stream = await Stream.ofKey(server, 'visitors');
    const first = await stream.next((frame) => frame.topic === 'visitors');
    assert.equal(first.frame.data.length, 1);
    assert.equal(first.frame.data[0].page, '/pricing');
    await server.track('/v1/identify',
        { anonymousId: 'a1', userId: 'ada', traits: { name: 'Ada <b>' } });
    await send(server, visit('a1', '/cart'), visit('b1', '/'));
    const all = await stream.next((frame) => frame.topic === 'visitors' &&
        frame.data.length === 2 && frame.data.some((one) => one.name === 'Ada <b>'));
    const ada = all.frame.data.find((one) => one.name);
    assert.equal(ada.page, '/cart');
    const home = await server.api('GET', 'home');
    assert.equal(home.on_site, 2);
});

// What Home says, once more from lists that are made in another way.
async function recount(server) {
    const persons = await server.all('persons?', 'persons');
    const messages = await server.all('messages?', 'messages');
    const journeys = (await server.api('GET', 'journeys')).journeys;
    const of = (state) => messages.filter((message) => message.state === state);
    return {
        persons: persons.length,
        known: persons.filter((one) => one.user_ids.length + one.emails.length > 0).length,
        letters: {
            waiting: of('waiting').length + of('claimed').length,
            sent_7d: of('sent').length,
            opened_7d: messages.filter((message) => message.opened).length,
            clicked_7d: messages.filter((message) => message.clicked).length,
        },
        journeys: journeys.map(({ id, name }) => ({
            id,
            name,
            in_it: persons.flatMap((one) => one.journeys)
                .filter((entry) => entry.id === id && entry.state === 'open').length,
            sent: of('sent').filter((message) => message.journey_id === id).length,
            goal: persons.flatMap((one) => one.journeys)
                .filter((entry) => entry.id === id && entry.state === 'goal').length,
        })),
    };
}

test('home equals a recount: persons, letters, journeys; also after a crash', async (t) => {
    const server = await freshServer(t, { clock: 'simulated:2026-03-02T09:00Z' });
    const journey = await server.api('POST', 'journeys', {
        name: 'Begun',
        entry: { event: 'Begun', again: 'every_time' },
        goal: 'did "Done" since entry',
        steps: [
            { id: 'w1', type: 'wait', for: '1h' },
            { id: 'l1', type: 'letter', subject: 'Go on?', text: 'https://shop.example/',
                html: '<a href="https://shop.example/">on</a>' },
            { id: 'w2', type: 'wait', for: '2d' },
        ],
    });
    await server.api('POST', `journeys/${journey.id}/publish`, {});
    const everyone = await server.segment('Behind it', 'everyone');
    await server.moveClock('2026-03-02T10:00Z');
    const people = Array.from({ length: 20 }, (_, i) => `user${i}`);
    for (const [i, user] of people.entries()) {
        const identify = { type: 'identify', userId: user, anonymousId: `a${i}`,
            traits: { email: `${user}@example.test` } };
        const answer = await server.track('/v1/batch', { batch: [
            visit(`a${i}`, '/'), identify,
            { type: 'track', event: 'Begun', userId: user }] }, { secret: i % 2 === 0 });
        assert.equal(answer.status, 200, answer.text);
    }
    await send(server, visit('nobody', '/'));
    await server.moveClock('2026-03-02T10:30Z');
    for (const user of people.slice(0, 5)) {
        await server.track('/v1/track', { event: 'Done', userId: user }, { secret: true });
    }
    await server.moveClock('2026-03-02T12:00Z');
    const letters = await until('letters are sent', async () => {
        const found = await server.all('mailbox?', 'letters');
        return found.length >= 15 && found;
    });
    // Somebody opens hers, and clicks.
    const whole = await server.api('GET', `mailbox/${letters[0].id}`);
    const text = JSON.stringify(whole);
    for (const kind of ['o', 'c']) {
        const [url] = new RegExp(`http://[^"\\\\\\s<>]+/${kind}/[\\w.-]+`).exec(text);
        await exchange(url, { headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux) Firefox/140' } });
    }
    await server.moveClock('2026-03-02T12:05Z');

    const compare = async (asked) => {
        const home = await asked.api('GET', 'home');
        const { on_site: here, events_24h: events, days, segments, checklist, ...rest } = home;
        assert.deepEqual(rest, await recount(asked));
        assert.equal(here, 0);
        assert.deepEqual(segments, [{ id: everyone, name: 'Behind it', count: rest.persons }]);
        assert.equal(days.length, 30);
        assert.equal(days.at(-1).day, '2026-03-02');
        assert.equal(days.at(-1).events, events);
        assert.equal(days.at(-1).letters, rest.letters.sent_7d);
        assert.deepEqual(checklist,
            { first_event: true, identified: true, segment: true, journey: true });
        return home;
    };
    const home = await compare(server);
    assert.ok(home.letters.sent_7d > 0 && home.letters.opened_7d === 1);
    assert.equal(home.letters.clicked_7d, 1);
    assert.equal(home.journeys[0].goal, 5);
    assert.ok(home.journeys[0].in_it > 0);
    const alone = await server.api('GET', `journeys/${journey.id}`);
    assert.deepEqual({ ...alone, ...home.journeys[0] }, alone);
    const recent = await server.api('GET', 'events/recent?limit=500');

    const stream = await Stream.ofKey(server, 'counts');
    const counts = (await stream.counts(() => true)).frame.data;
    await server.kill();
    assert.notEqual(await stream.closed, 1000);
    const again = serve({ directory: server.directory, keys: server.keys, test: t,
        clock: 'simulated:2026-03-02T12:05Z' });
    await again.ready();
    const back = await Stream.ofKey(again, 'counts');
    assert.deepEqual((await back.counts(() => true)).frame.data, counts);
    assert.deepEqual(await compare(again), home);
    assert.deepEqual(await again.api('GET', 'events/recent?limit=500'), recent);
    assert.deepEqual(new Set(recent.events.map((one) => one.id)).size, recent.events.length);
});

test('the program carries its web files, or says that it has none', async (t) => {
    const server = await freshServer(t);
    const page = await server.get('/w/1/home');
    assert.equal(page.status, 200);
    const policy = page.headers['content-security-policy'];
    assert.match(policy, /^default-src 'none'/);
    const { public_url: publicUrl } = (await server.get('/api/v1/session')).json;
    if (/built without its screens/.test(page.text)) {
        assert.equal((await exchange(`${publicUrl}/ripen.js`)).status, 404);
        return;
    }
    const nonce = /'nonce-([\w-]+)'/.exec(policy)[1];
    assert.ok(page.text.includes(nonce) && !page.text.includes('__RIPEN'));
    const asset = /\/assets\/[\w.-]+\.js/.exec(page.text)[0];
    const script = await server.get(asset, { 'accept-encoding': 'br' });
    assert.equal(script.headers['content-encoding'], 'br');
    assert.match(script.headers['cache-control'], /immutable/);
    const known = await server.get(asset,
        { 'accept-encoding': 'br', 'if-none-match': script.headers.etag });
    assert.equal(known.status, 304);
    const tracker = await exchange(`${publicUrl}/ripen.js`);
    assert.equal(tracker.status, 200);
    assert.equal(tracker.headers['access-control-allow-origin'], '*');
    assert.equal((await exchange(`${publicUrl}/demo/`)).status, 404);   // No demo workspace.
});
