// A real shop's half year through the real server, against a recount of the file that shares
// nothing with it: counts of segments, and who gets which letter when.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import test from 'node:test';

import { BINARY, MAIL_CONFIG, ROOT, Sink, freshServer, sharedData } from './ripen.mjs';

const FILE = sharedData('events', 'online_retail_2010-12_to_2011-06.csv.xz');
const SKIP = FILE ? false : 'no shared data: events/online_retail_2010-12_to_2011-06.csv.xz';
const DAY = 86_400_000;

function* csvRows(text) {
    // One expression for a field: quoted, or up to the next comma or line end.
    const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy;
    let row = [];
    while (field.lastIndex < text.length) {
        const [, quoted, plain, end] = field.exec(text);
        row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
        if (end === ',') continue;
        yield row;
        row = [];
    }
}

// What must come out, from the lines alone. Money in whole thousandths.
function recount() {
    const unpacked = FILE.endsWith('.xz')
        ? spawnSync('xz', ['-dc', FILE], { maxBuffer: 1 << 30 }).stdout : fs.readFileSync(FILE);
    const [header, ...lines] = csvRows(unpacked.toString('utf8'));
    const column = (name) => header.indexOf(name);
    const [number, quantity, date, price, customer] =
        ['InvoiceNo', 'Quantity', 'InvoiceDate', 'UnitPrice', 'CustomerID'].map(column);
    const orders = new Map();
    const result = { lines: lines.length, skipped: 0, invoices: new Set(), last: 0 };
    for (const line of lines) {
        const time = Date.parse(`${line[date].replace(' ', 'T')}Z`);
        result.last = Math.max(result.last, time);
        if (line[customer] === '') {
            ++result.skipped;
            continue;
        }
        result.invoices.add(line[number]);
        if (line[number].startsWith('C')) continue;
        const order = orders.get(line[number]) ??
            { who: `c${line[customer].replace(/\.0$/, '')}`, time, thousandths: 0 };
        orders.set(line[number], order);
        order.thousandths += Math.round(Number(line[price]) * 1000) * Number(line[quantity]);
    }
    const persons = new Map();
    for (const order of orders.values()) {
        const hers = persons.get(order.who) ?? { times: [], hundredths: 0 };
        persons.set(order.who, hers);
        hers.times.push(order.time);
        hers.hundredths += Math.round(order.thousandths / 10);
    }
    result.recent = 0;
    result.often = 0;
    result.spent = 0;
    result.letters = new Map();
    for (const [who, { times, hundredths }] of persons) {
        times.sort((a, b) => a - b);
        if (times.at(-1) > result.last - 30 * DAY) ++result.recent;
        if (times.length >= 5) ++result.often;
        if (hundredths >= 100_000) ++result.spent;
        // The 60th day after an order comes before the next one, or before the end. An order at
        // that very instant comes too late: the clock had moved there first.
        const due = times.map((time) => time + 60 * DAY).filter((instant, i) =>
            instant <= (times[i + 1] ?? result.last) && instant <= result.last);
        if (due.length > 0) result.letters.set(who, due);
    }
    return result;
}

async function replay(server, ...flags) {
    const child = spawn(BINARY, ['replay-retail', FILE, '--server', server.url,
        '--secret-key', server.keys.secret_key, '--json', ...flags],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let complaint = '';
    child.stdout.on('data', (text) => (out += text));
    child.stderr.on('data', (text) => (complaint += text));
    const [status] = await once(child, 'exit');
    assert.equal(status, 0, `replay-retail: ${complaint}\n${server.log}`);
    return JSON.parse(out);
}

function checkCounts(summary, expected) {
    assert.equal(summary.lines, expected.lines);
    assert.equal(summary.lines_skipped, expected.skipped);
    assert.equal(summary.invoices, expected.invoices.size);
    assert.deepEqual(summary.segments.map((segment) => segment.count),
        [expected.recent, expected.often, expected.spent]);
}

test('every letter and count of a shop is what its lines say, though each batch comes twice',
    { skip: SKIP }, async (t) => {
        const expected = recount();
        const sink = await Sink.start(t, '--no-bodies');
        const server = await freshServer(t, {
            clock: 'simulated:2010-12-01T00:00:00Z',
            config: MAIL_CONFIG,
            env: { RIPEN_SMTP_URL: sink.url },
        });
        const summary = await replay(server, '--twice');
        t.diagnostic(`${summary.invoices} invoices twice in ${summary.seconds.toFixed(1)} s`);
        checkCounts(summary, expected);

        const journey = summary.journey_id;
        const messages = await server.all(`messages?journey_id=${journey}`, 'messages');
        const people = new Map((await server.all('persons', 'persons'))
            .map((person) => [person.id, person.user_ids[0]]));
        const told = new Map();
        for (const message of messages) {
            assert.equal(message.state, 'sent', JSON.stringify(message));
            const who = people.get(message.person_id);
            told.set(who, [...told.get(who) ?? [], Date.parse(message.created)]);
        }
        for (const times of told.values()) times.sort((a, b) => a - b);
        const byName = (map) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
        assert.deepEqual(byName(told), byName(expected.letters));

        const arrived = new Map();
        for (const letter of sink.letters()) {
            arrived.set(letter.to, (arrived.get(letter.to) ?? 0) + 1);
        }
        assert.deepEqual(byName(arrived), byName(new Map([...expected.letters].map(
            ([who, due]) => [`${who}@example.test`, due.length]))));
        assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.log);
    });

test('all batches in random order under a standing clock give the same counts and no letter',
    { skip: SKIP }, async (t) => {
        const expected = recount();
        const sink = await Sink.start(t, '--no-bodies');
        const server = await freshServer(t, {
            clock: 'simulated:2010-12-01T00:00:00Z',
            config: MAIL_CONFIG,
            env: { RIPEN_SMTP_URL: sink.url },
        });
        const summary = await replay(server, '--shuffled');
        checkCounts(summary, expected);
        assert.deepEqual(summary.letters, {});
        assert.deepEqual(sink.letters(), []);
    });
