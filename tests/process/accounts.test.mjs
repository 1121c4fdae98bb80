// Accounts over the real binary: first run, signing in, what is refused, keys, and a workspace that
// is deleted while the server is killed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { exchange, freshServer, initialise, makeDirectory, pause, run, serve, until }
    from './ripen.mjs';

const NO_WAREHOUSE = '[warehouse]\nenabled = false\n';
const ADA = { name: 'Ada', email: 'ada@example.test', password: 'correct horse battery' };

// What a browser keeps, and what our own page sends.
class Browser {
    constructor(server, { workspace = 1 } = {}) {
        this.server = server;
        this.workspace = workspace;
    }

    async ask(method, target, body, more = {}) {
        const headers = { 'x-ripen-workspace': String(this.workspace) };
        if (this.cookie) headers.cookie = this.cookie;
        if (method !== 'GET') {
            headers.origin = this.server.url;
            if (this.csrf) headers['x-ripen-csrf'] = this.csrf;
            if (body !== undefined) headers['content-type'] = 'application/json';
        }
        for (const [name, value] of Object.entries(more)) {
            if (value === null) delete headers[name];
            else headers[name] = value;
        }
        const answer = await exchange(`${this.server.url}/api/v1/${target}`, {
            method, headers, agent: this.server.agent,
            body: body === undefined ? undefined : JSON.stringify(body),
        });
        for (const set of answer.headers['set-cookie'] ?? []) [this.cookie] = set.split(';');
        if (answer.json?.csrf) this.csrf = answer.json.csrf;
        return answer;
    }

    get(target) {
        return this.ask('GET', target);
    }

    async must(method, target, body) {
        const answer = await this.ask(method, target, body);
        assert.ok(answer.status < 300, `${method} ${target}: ${answer.status} ${answer.text}`);
        return answer.json;
    }

    signIn(password = ADA.password) {
        return this.ask('POST', 'session', { email: ADA.email, password });
    }
}

async function send(server, key, ...batch) {
    return exchange(`${server.url}/v1/batch`, {
        method: 'POST', agent: server.agent, body: JSON.stringify({ batch }),
        headers: {
            authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`,
            'content-type': 'application/json',
        },
    });
}

test('the first run makes one owner, who signs in, out and in again', async (t) => {
    const server = await freshServer(t, { config: NO_WAREHOUSE });
    const ada = new Browser(server);
    const fresh = (await ada.get('session')).json;
    assert.equal(fresh.state, 'start');
    assert.equal(fresh.insecure, false);
    assert.equal(fresh.public_url, `http://127.0.0.1:${new URL(fresh.public_url).port}`);
    assert.notEqual(fresh.public_url, server.url);
    assert.equal((await ada.ask('POST', 'start', { ...ADA, password: 'too short' })).status, 400);
    const made = await ada.ask('POST', 'start', ADA);
    assert.equal(made.status, 201, made.text);
    assert.match(made.headers['set-cookie'][0],
        /^ripen_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/);
    assert.deepEqual(made.json.workspaces, [{ id: 1, name: 'Default', demo: false }]);
    assert.equal((await ada.ask('POST', 'start', ADA)).status, 409);
    assert.equal((await ada.get('persons')).status, 200);

    assert.equal((await ada.ask('DELETE', 'session')).status, 204);
    assert.equal((await ada.get('persons')).status, 401);
    assert.equal((await ada.get('session')).json.state, 'signed_out');
    assert.equal((await ada.signIn()).status, 200);
    assert.equal((await ada.get('persons')).status, 200);
    await server.stop();

    const file = fs.readFileSync(path.join(server.directory, 'sessions'), 'utf8');
    assert.ok(!file.includes(ada.cookie.split('=')[1]), 'the cookie is on disk in clear');
    const again = await serve({
        directory: server.directory, keys: server.keys, test: t, config: NO_WAREHOUSE,
    }).ready();
    ada.server = again;
    assert.equal((await ada.get('persons')).status, 200, 'a session outlives a restart');
    assert.equal((await again.stop()).code, 0, again.log);
});

test('wrong passwords are answered alike, and guessing is slowed down', async (t) => {
    const server = await freshServer(t, { config: NO_WAREHOUSE });
    const ada = new Browser(server);
    await ada.must('POST', 'start', ADA);
    // From an address where nobody is signed in: a proxy of this machine names it.
    const from = (address) => ({ 'x-forwarded-for': `203.0.113.9, ${address}` });
    const guess = (address, email, password = 'wrong wrong wrong') => new Browser(server)
        .ask('POST', 'session', { email, password }, from(address));
    const wrong = await guess('192.0.2.1', ADA.email);
    const unknown = await guess('192.0.2.1', 'nobody@example.test');
    assert.equal(wrong.status, 401);
    assert.equal(wrong.json.error.code, 'wrong_credentials');
    assert.equal(unknown.text, wrong.text);
    let locked;
    for (let n = 0; n < 10 && !locked; ++n) {
        const answer = await guess(`192.0.2.${n + 2}`, ADA.email);
        if (answer.status !== 401) locked = answer;
    }
    assert.equal(locked?.status, 429);
    assert.equal(locked.json.error.code, 'locked');
    assert.ok(Number(locked.headers['retry-after']) >= 1);
    assert.equal((await guess('192.0.2.99', ADA.email, ADA.password)).status, 429,
        'locked from anywhere, also with the right password');
    assert.equal((await new Browser(server).signIn()).status, 200,
        'but not from where she is signed in');
    const late = await until('the lock ends', async () => {
        const answer = await guess('192.0.2.98', ADA.email, ADA.password);
        return answer.status === 200 ? answer : undefined;
    });
    assert.equal(late.json.state, 'signed_in');
    // The guesses were of Ada's account alone.
    assert.equal((await guess('192.0.2.1', 'nobody@example.test')).status, 401);
});

test('a change comes from our own page or is refused, and nothing has changed', async (t) => {
    const server = await freshServer(t, { config: NO_WAREHOUSE });
    const ada = new Browser(server);
    await ada.must('POST', 'start', ADA);
    const segment = { name: 'S', condition: 'everyone' };
    for (const [why, more, status] of [
        ['no token', { 'x-ripen-csrf': null }, 403],
        ['a wrong token', { 'x-ripen-csrf': 'x' }, 403],
        ['no origin', { origin: null }, 403],
        ['a foreign origin', { origin: 'https://evil.example' }, 403],
        ['the public listener', { origin: (await ada.get('session')).json.public_url }, 403],
        ['a sandboxed page', { origin: 'null' }, 403],
        ['a rebound name', { host: 'evil.example', origin: 'http://evil.example' }, 403],
        ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
        ['no cookie', { cookie: null }, 401],
        ['no workspace', { 'x-ripen-workspace': null }, 400],
        ['a foreign workspace', { 'x-ripen-workspace': '2' }, 403],
    ]) {
        const answer = await ada.ask('POST', 'segments', segment, more);
        assert.equal(answer.status, status, `${why}: ${answer.text}`);
    }
    assert.deepEqual((await ada.get('segments')).json.segments, []);
    await ada.must('POST', 'segments', segment);
    const foreign = await new Browser(server)
        .ask('POST', 'session', ADA && { email: ADA.email, password: ADA.password },
            { origin: 'https://evil.example' });
    assert.equal(foreign.status, 403, 'signing somebody in from elsewhere');
});

test('sessions are revoked, a new password ends the others, a lost one is replaced', async (t) => {
    const server = await freshServer(t, { config: NO_WAREHOUSE });
    const ada = new Browser(server);
    await ada.must('POST', 'start', ADA);
    const phone = new Browser(server), tablet = new Browser(server);
    assert.equal((await phone.signIn()).status, 200);
    assert.equal((await tablet.signIn()).status, 200);
    const { sessions } = await ada.must('GET', 'sessions');
    assert.equal(sessions.length, 3);
    assert.deepEqual(sessions.map((s) => s.current).sort(), [false, false, true]);
    await ada.must('DELETE', `sessions/${sessions.find((s) => !s.current).id}`);
    const left = [phone, tablet];
    const states = await Promise.all(left.map(async (b) => (await b.get('persons')).status));
    assert.deepEqual([...states].sort(), [200, 401]);

    const change = { old: ADA.password, new: 'another long one' };
    assert.equal((await ada.ask('POST', 'password', { ...change, old: 'no' })).status, 403);
    assert.equal((await ada.ask('POST', 'password', change)).status, 204);
    for (const other of left) assert.equal((await other.get('persons')).status, 401);
    assert.equal((await ada.get('persons')).status, 200);
    assert.equal((await phone.signIn()).status, 401);
    assert.equal((await phone.signIn(change.new)).status, 200);

    const busy = run('password', '--data', server.directory, '--email', ADA.email);
    assert.notEqual(busy.status, 0, 'while the server runs');
    await server.kill();
    assert.notEqual(run('password', '--data', server.directory, '--email', 'x@y.example').status, 0);
    const told = run('password', '--data', server.directory, '--email', 'Ada@example.test');
    assert.equal(told.status, 0, told.stderr);
    const [, password] = /^password: +(\S{24}) /.exec(told.stdout);
    const again = await serve({
        directory: server.directory, keys: server.keys, test: t, config: NO_WAREHOUSE,
    }).ready();
    for (const browser of [ada, phone]) {
        browser.server = again;
        assert.equal((await browser.get('persons')).status, 401);
    }
    assert.equal((await phone.signIn(change.new)).status, 401);
    assert.equal((await phone.signIn(password)).status, 200);
});

test('plain http beyond this machine is refused until the administrator allows it', async (t) => {
    const server = await freshServer(t, { config: NO_WAREHOUSE });
    const far = new Browser(server);
    const there = { host: '192.0.2.1:8080', origin: 'http://192.0.2.1:8080' };
    assert.equal((await far.ask('GET', 'session', undefined, { host: there.host })).json.insecure,
        true);
    const refused = await far.ask('POST', 'start', ADA, there);
    assert.equal(refused.status, 403);
    assert.match(refused.json.error.message, /insecure/);
    await server.stop();
    const open = await serve({
        directory: server.directory, keys: server.keys, test: t,
        config: `[admin]\ninsecure = true\n${NO_WAREHOUSE}`,
    }).ready();
    far.server = open;
    assert.equal((await far.ask('POST', 'start', ADA, there)).status, 201);
    await open.stop();

    const behind = await serve({
        directory: server.directory, keys: server.keys, test: t,
        config: `[admin]\nurl = "https://ripen.example.test"\n${NO_WAREHOUSE}`,
    }).ready();
    far.server = behind;
    far.cookie = undefined;
    const proxied = { host: 'ripen.example.test', origin: 'https://ripen.example.test' };
    const answer = await far.ask('POST', 'session',
        { email: ADA.email, password: ADA.password }, proxied);
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers['set-cookie'][0], /^__Host-ripen_session=.*; Secure$/);
});

test('a key does what its scopes say, and nothing in another workspace', async (t) => {
    const server = await freshServer(t, { config: NO_WAREHOUSE });
    const ada = new Browser(server);
    await ada.must('POST', 'start', ADA);
    const other = await ada.must('POST', 'workspaces', { name: 'Other' });
    const make = async (scopes) =>
        (await ada.must('POST', 'keys', { name: scopes[0], kind: 'secret', scopes })).text;
    const event = { type: 'track', userId: 'u', event: 'Seen' };
    for (const [scope, expected] of [
        ['ingest', [200, 403, 403]], ['read', [403, 200, 403]], ['write', [403, 403, 201]],
    ]) {
        const key = await make([scope]);
        assert.deepEqual([
            (await send(server, key, event)).status,
            (await server.ask('GET', 'persons', undefined, key)).status,
            (await server.ask('POST', 'segments', { name: scope, condition: 'everyone' }, key))
                .status,
        ], expected, scope);
    }
    assert.equal((await server.ask('POST', 'keys', { name: 'x', kind: 'secret' })).status, 403);
    const { keys } = await ada.must('GET', 'keys');
    assert.ok(keys.some((key) => key.kind === 'write' && key.text === server.keys.write_key));
    assert.ok(keys.every((key) => key.kind === 'write' || key.text === null));
    assert.ok(keys.some((key) => key.last_used !== null));

    // Ids of one workspace mean nothing in the other, for keys as for sessions.
    const mine = (await ada.get('segments')).json.segments[0].id;
    assert.equal((await server.ask('GET', `segments/${mine}`, undefined, other.secret_key)).status,
        404);
    const elsewhere = new Browser(server, { workspace: other.id });
    elsewhere.cookie = ada.cookie;
    elsewhere.csrf = ada.csrf;
    for (const [method, target] of [
        ['GET', `segments/${mine}`], ['DELETE', `segments/${mine}`], ['DELETE', `keys/${keys[0].id}`],
    ]) {
        assert.equal((await elsewhere.ask(method, target)).status, 404, target);
    }
    await ada.must('DELETE', `keys/${keys.find((key) => key.kind === 'write').id}`);
    assert.equal((await send(server, server.keys.write_key, event)).status, 401);
});

// Rebuild says whether the newest checkpoint and its tail are what the log makes.
function compare(directory) {
    const done = run('rebuild', '--data', directory, '--compare');
    assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}`);
    return /^digest (\S+)$/m.exec(done.stdout)[1];
}

test('a deleted workspace goes for good, also when the server is killed meanwhile', async (t) => {
    const directory = path.join(makeDirectory(t), 'data');
    const keys = initialise(directory, '--partitions', '2');
    // Rows go to the spool and the warehouse; checkpoints come often, so that one falls in between.
    const config = '[checkpoint]\nrecords = 2000\n';
    let server = await serve({ directory, keys, test: t, config }).ready();
    const ada = new Browser(server);
    await ada.must('POST', 'start', ADA);
    const gone = await ada.must('POST', 'workspaces', { name: 'Gone' });
    const PERSONS = 6000;
    for (const [key, count] of [[keys.secret_key, 200], [gone.secret_key, PERSONS]]) {
        for (let n = 0; n < count; n += 500) {
            const batch = [...Array(Math.min(500, count - n)).keys()].map((k) => ({
                type: 'identify', userId: `u${n + k}`, messageId: `m${n + k}`,
                traits: { email: `u${n + k}@example.test` },
            }));
            assert.equal((await send(server, key, ...batch)).status, 200);
        }
    }
    const there = new Browser(server, { workspace: gone.id });
    there.cookie = ada.cookie;
    there.csrf = ada.csrf;
    await there.must('POST', 'segments', { name: 'All', condition: 'everyone' });
    await until('the segment is counted', async () =>
        (await there.must('GET', 'segments')).segments[0].count === PERSONS);
    const { persons } = await there.must('GET', 'persons?limit=1');
    await until('her row is in the warehouse or the spool', async () =>
        (await there.must('GET', `persons/${persons[0].id}/timeline`)).events.length > 0);

    assert.equal((await ada.ask('DELETE', `workspaces/${gone.id}`)).status, 204);
    await server.kill();     // Between the record and the end of the cursors.
    compare(directory);
    for (const wait of [0, 30, 120]) {
        server = serve({ directory, keys, test: t, config });
        await server.ready();
        await pause(wait);
        await server.kill();
    }
    compare(directory);

    server = await serve({ directory, keys, test: t, config }).ready();
    ada.server = there.server = server;
    assert.equal((await there.get('persons')).status, 403);
    assert.equal((await server.ask('GET', 'persons', undefined, gone.secret_key)).status, 401);
    assert.equal((await send(server, gone.write_key, { type: 'track', userId: 'u1', event: 'x' }))
        .status, 401);
    assert.equal((await ada.ask('DELETE', `workspaces/${gone.id}`)).status, 404);
    assert.deepEqual((await ada.get('session')).json.workspaces.map((w) => w.id), [1]);
    assert.equal((await ada.ask('DELETE', 'workspaces/1')).status, 409, 'the last one stays');
    assert.equal((await ada.must('GET', 'persons?limit=1')).total, 200);
    await until('nobody of it is left in any part', async () =>
        /^ripen_workspaces_to_erase 0$/m.test((await server.get('/metrics')).text));
    assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.log);
    compare(directory);

    // In clear its addresses are in the log alone, whose files are not rewritten.
    const needle = Buffer.from(`u${PERSONS - 1}@example.test`);
    const holding = [];
    for (const entry of fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
        const file = path.join(entry.parentPath ?? entry.path, entry.name);
        if (!entry.isFile() || file.startsWith(path.join(directory, 'log'))) continue;
        if (/\/working(\/|$)/.test(file)) continue;
        if (fs.readFileSync(file).includes(needle)) holding.push(path.relative(directory, file));
    }
    const newest = holding.filter((file) => !isOlderCheckpoint(directory, file) &&
        !file.startsWith('spool'));
    assert.deepEqual(newest, []);
});

// Two checkpoints of a partition are kept; the one before may be from before the deletion.
function isOlderCheckpoint(directory, file) {
    const found = /^(state\/[^/]+)\/checkpoint-(\d+)-\d+\//.exec(file);
    if (!found) return false;
    const offsets = fs.readdirSync(path.join(directory, found[1]))
        .map((name) => /^checkpoint-(\d+)-/.exec(name)).filter(Boolean).map((m) => Number(m[1]));
    return Number(found[2]) < Math.max(...offsets);
}
