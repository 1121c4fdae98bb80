// kill -9 at random moments while clients send and letters leave; counted from outside.
//
//     node tests/process/crash.mjs [--seconds 20] [--seed N] [--clients 8]
//
// Each person is a browser that visits three times, then says who she is and orders; the visits are
// sent again afterwards with the same messageIds, so that a link stands between a send and its
// retry. The order starts a journey with one letter. The oracle knows what was acknowledged and
// what the mail server stored. Exit status 1 when a promise is broken:
//     acknowledged and missing = 0, counted twice = 0, letters twice = 0, letters missing = 0,
//     ambiguous letters <= open mail connections per kill, each listed by GET messages.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { BINARY, Sink, exchange, initialise, makeDirectory, pause, run, serve, until }
    from './ripen.mjs';

const VISITS = 3;
const CONNECTIONS = 16;
const LATENCY_MS = 20;
const DRAIN_MS = 300_000;
const CARDS_READ_MAX = 2000;   // Timelines read one by one; the live counts cover everybody.

const { values: options } = parseArgs({
    options: {
        seconds: { type: 'string', default: '20' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        clients: { type: 'string', default: '8' },
    },
});

function randomFrom(seed) {   // mulberry32
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let t = state;
        t = Math.imul(t ^ (t >>> 15), t | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
}
const random = randomFrom(Number(options.seed));

// --- clients -------------------------------------------------------------------------------------

class Clients {
    constructor(url, key) {
        this.url = url;
        this.authorization = `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
        this.agent = new http.Agent({ keepAlive: true });
        this.stopped = false;
        this.begun = 0;
        this.whole = [];        // Numbers of the persons of whom everything was acknowledged.
        this.requests = 0;
        this.retries = 0;
        this.wrong = [];        // Answers that no retry can mend.
    }

    // Until it is acknowledged, as an SDK does. Between two tries `between` is sent.
    async #send(batch, between) {
        const body = JSON.stringify({ batch });
        for (let wait = 20; ; wait = Math.min(wait * 1.5, 500)) {
            try {
                ++this.requests;
                const answer = await exchange(`${this.url}/v1/batch`, {
                    method: 'POST', body, agent: this.agent,
                    headers: {
                        authorization: this.authorization, 'content-type': 'application/json',
                    },
                });
                if (answer.status === 200) return;
                if (answer.status < 500 && answer.status !== 429) {
                    this.wrong.push(`${answer.status} ${answer.text}`);
                    return;
                }
            } catch {
                // The connection broke: whether it was taken is not known.
            }
            ++this.retries;
            await pause(wait);
            if (between) await between();
        }
    }

    async #person(n) {
        const browser = `b${n}`;
        const visits = [...Array(VISITS).keys()].map((visit) => ({
            type: 'track', event: 'Visit', anonymousId: browser, messageId: `${n}-visit-${visit}`,
            properties: { visit },
        }));
        let told = false;
        const tell = async () => {
            if (told) return;
            told = true;
            await this.#send([{
                type: 'identify', userId: `u${n}`, anonymousId: browser,
                messageId: `${n}-identify`, traits: { email: `u${n}@example.test` },
            }]);
        };
        await this.#send(visits, tell);
        await tell();
        const order = {
            type: 'track', event: 'Order Completed', userId: `u${n}`, messageId: `${n}-order`,
            properties: { order_id: `o${n}` },
        };
        // Every second one says it twice though it was acknowledged: the answer may have been lost.
        await Promise.all([this.#send([order]), n % 2 === 0 ? this.#send(visits) : undefined]);
        if (n % 2 === 0) await this.#send([order]);
        this.whole.push(n);
    }

    async work() {
        while (!this.stopped) await this.#person(this.begun++);
    }
}

// --- the oracle ----------------------------------------------------------------------------------

async function countEvents(server, segments, clients) {
    const expected = clients.whole.length;
    const count = async (id) => (await server.api('GET', `segments/${id}`)).count;
    await until('everybody is counted', async () =>
        (await count(segments.ordered)) >= expected, DRAIN_MS).catch(() => undefined);
    const figures = { missing: 0, twice: 0, doubled_rows: 0, lost_rows: 0, cards_read: 0 };
    figures.whole = await count(segments.whole);
    figures.less = await count(segments.less);
    figures.more = await count(segments.more);
    figures.missing = expected - figures.whole - figures.more;
    figures.twice = figures.more;
    const step = Math.max(1, Math.ceil(expected / CARDS_READ_MAX));
    for (let i = 0; i < expected; i += step) {
        const n = clients.whole[i];
        const person = await server.lookup('user_id', `u${n}`);
        ++figures.cards_read;
        if (!person) {
            ++figures.lost_rows;
            continue;
        }
        const read = async () => {
            const seen = new Map();
            for (const event of await server.all(`persons/${person.id}/timeline`, 'events')) {
                if (event.name !== 'Visit' && event.name !== 'Order Completed') continue;
                const name = `${event.name} ${event.properties.visit ?? ''}`;
                seen.set(name, (seen.get(name) ?? 0) + 1);
            }
            return seen;
        };
        // Rows come a moment after the fold.
        const seen = await until('the timeline', async () => {
            const found = await read();
            return found.size >= VISITS + 1 ? found : null;
        }, 20_000).catch(read);
        if (seen.size < VISITS + 1) ++figures.lost_rows;
        if ([...seen.values()].some((times) => times > 1)) ++figures.doubled_rows;
    }
    return figures;
}

async function countLetters(server, sink, journey, clients, kills) {
    const finished = new Set(['sent', 'ambiguous', 'failed', 'skipped']);
    let messages = [];
    await until('the outbox is empty', async () => {
        messages = await server.all(`messages?journey_id=${journey}`, 'messages');
        return messages.length >= clients.whole.length &&
            messages.every((message) => finished.has(message.state));
    }, DRAIN_MS).catch((error) => console.error(`crash: ${error.message}`));
    const arrived = new Map();
    for (const letter of sink.letters()) arrived.set(letter.to, (arrived.get(letter.to) ?? 0) + 1);
    const ambiguous = messages.filter((message) => message.state === 'ambiguous');
    const figures = {
        letters: [...arrived.values()].reduce((sum, times) => sum + times, 0),
        twice: [...arrived.values()].filter((times) => times > 1).length,
        missing: 0,
        ambiguous: ambiguous.length,
        ambiguous_arrived: 0,
        worst_kill: 0,
        strange: messages.filter((message) => !['sent', 'ambiguous'].includes(message.state))
            .map((message) => `${message.state} ${message.reason}`),
    };
    const unclear = new Set();
    for (const message of ambiguous) {
        const person = await server.api('GET', `persons/${message.person_id}`);
        unclear.add(person.emails[0]);
        const came = arrived.has(person.emails[0]);
        if (came) ++figures.ambiguous_arrived;
        console.log(`  ambiguous: ${message.id} to ${person.emails[0]} ${message.time}, ` +
            `${came ? 'arrived' : 'did not arrive'}`);
    }
    for (const n of clients.whole) {
        const address = `u${n}@example.test`;
        if (!arrived.has(address) && !unclear.has(address)) ++figures.missing;
    }
    // A letter is found ambiguous by the start after the kill.
    kills.forEach((kill, i) => {
        const found = ambiguous.filter((message) => {
            const time = Date.parse(message.time);
            return time >= kill && time < (kills[i + 1] ?? Infinity);
        }).length;
        figures.worst_kill = Math.max(figures.worst_kill, found);
    });
    return figures;
}

// --- the run -------------------------------------------------------------------------------------

let cleanUp = async () => {};
const asTest = { after: (all) => (cleanUp = all) };
const parent = makeDirectory(asTest);

async function main() {
    const directory = path.join(parent, 'data');
    const keys = initialise(directory);
    const sink = await Sink.start(asTest, '--no-bodies', '--latency-ms', String(LATENCY_MS));
    const config = `[email]
from_address = "shop@example.test"
smtp_connections = ${CONNECTIONS}
[checkpoint]
ms = 2000
`;
    const starts = [];
    let listen = '127.0.0.1:0';
    const begin = async () => {
        const began = Date.now();
        const server = serve({
            directory, keys, config, listen, env: { RIPEN_SMTP_URL: sink.url }, test: asTest,
        });
        await server.ready(120_000);
        listen = `127.0.0.1:${server.port}`;
        starts.push(Date.now() - began);
        return server;
    };
    let server = await begin();
    const journey = await server.api('POST', 'journeys', {
        name: 'Thanks',
        entry: { event: 'Order Completed', key: 'order_id', again: 'once_per_key' },
        steps: [{ id: 'l1', type: 'letter', subject: 'Thank you', text: 'Thank you.\n' }],
    });
    await server.api('POST', `journeys/${journey.id}/publish`);
    const once = `did "Visit" exactly ${VISITS} times and did "Order Completed" exactly 1 times`;
    const segments = {
        ordered: await server.segment('ordered', 'did "Order Completed"'),
        whole: await server.segment('whole', once),
        less: await server.segment('less',
            `did "Order Completed" and did "Visit" at most ${VISITS - 1} times`),
        more: await server.segment('more',
            `did "Visit" ${VISITS + 1}+ times or did "Order Completed" 2+ times`),
    };

    const clients = new Clients(server.url, keys.write_key);
    const workers = [...Array(Number(options.clients))].map(() => clients.work());
    const end = Date.now() + Number(options.seconds) * 1000;
    const kills = [];
    while (Date.now() < end) {
        await pause(200 + random() * 1800);
        kills.push(Date.now());
        await server.kill();
        server = await begin();
    }
    clients.stopped = true;
    await Promise.all(workers);
    clients.agent.destroy();

    const letters = await countLetters(server, sink, journey.id, clients, kills);
    const events = await countEvents(server, segments, clients);
    const left = await server.stop();
    const rebuilt = run('rebuild', '--data', directory, '--compare');

    starts.sort((a, b) => a - b);
    console.log(`seed ${options.seed}: ${kills.length} kills, ${clients.whole.length} persons, ` +
        `${clients.requests} requests, ${clients.retries} retries, start (median) ` +
        `${starts[starts.length >> 1]} ms`);
    console.log(`events:  acknowledged and missing ${events.missing}, counted twice ` +
        `${events.twice}; of ${events.cards_read} cards ${events.lost_rows} lack rows, ` +
        `${events.doubled_rows} have rows twice`);
    console.log(`letters: ${letters.letters} arrived, twice ${letters.twice}, missing ` +
        `${letters.missing}, ambiguous ${letters.ambiguous} (${letters.ambiguous_arrived} ` +
        `arrived; at most ${letters.worst_kill} a kill, bound ${CONNECTIONS})`);
    console.log(`rebuild: ${rebuilt.status === 0 ? 'equal digests' : 'DIFFERENT'}`);

    const broken = [];
    const demand = (holds, what) => holds || broken.push(what);
    demand(kills.length > 0, 'there was no kill');
    demand(clients.whole.length > 0, 'nobody was acknowledged');
    demand(clients.wrong.length === 0, `events refused: ${clients.wrong[0]}`);
    demand(events.missing === 0, `${events.missing} persons lack acknowledged events ` +
        `(${events.less} have fewer visits)`);
    demand(events.twice === 0, `${events.twice} persons have events twice`);
    demand(events.lost_rows === 0, `${events.lost_rows} timelines lack events`);
    demand(events.doubled_rows === 0, `${events.doubled_rows} timelines show events twice`);
    demand(letters.twice === 0, `${letters.twice} letters came twice`);
    demand(letters.missing === 0, `${letters.missing} letters are missing`);
    demand(letters.strange.length === 0, `letters neither sent nor ambiguous: ` +
        `${letters.strange.length}, ${letters.strange[0]}`);
    demand(letters.worst_kill <= CONNECTIONS, 'too many ambiguous letters after one kill');
    demand(letters.ambiguous <= CONNECTIONS * kills.length, 'too many ambiguous letters');
    demand(left.code === 0, `the server ended with ${JSON.stringify(left)}: ${server.log}`);
    demand(rebuilt.status === 0, `rebuild --compare: ${rebuilt.stderr}`);
    for (const what of broken) console.error(`crash: BROKEN: ${what}`);
    return broken.length === 0 ? 0 : 1;
}

let status = 1;
try {
    fs.accessSync(BINARY, fs.constants.X_OK);
    status = await main();
} catch (error) {
    console.error('crash:', error);
} finally {
    await cleanUp();
}
process.exit(status);
