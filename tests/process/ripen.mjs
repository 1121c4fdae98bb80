// The real binary from outside: starting and ending it, its API, and the mail server it sends to.
// Every process is ended by its pid; every directory lies under one that the test removes.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const BINARY = process.env.RIPEN_BINARY ?? path.join(ROOT, 'build/release/ripen');
const SINK = process.env.RIPEN_SMTP_SINK ??
    path.join(path.dirname(BINARY), 'tests/process/smtp_sink');
const START_MS = 60_000;

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Asks until the answer is truthy; a machine that is busy with other work gets its time.
export async function until(what, ask, ms = 60_000) {
    const end = Date.now() + ms;
    let last;
    for (let wait = 5; ; wait = Math.min(wait * 2, 200)) {
        try {
            const answer = await ask();
            if (answer) return answer;
            last = undefined;
        } catch (error) {
            last = error;
        }
        if (Date.now() > end) {
            throw new Error(`waited ${ms} ms in vain: ${what}`, { cause: last });
        }
        await pause(wait);
    }
}

// What is to be done when the test ends, the last first: a server ends before its directory goes.
const cleanUps = new WeakMap();
export function atEnd(test, cleanUp) {
    if (!test) return;
    if (!cleanUps.has(test)) {
        cleanUps.set(test, []);
        test.after(async () => {
            for (const each of cleanUps.get(test).reverse()) await each();
        });
    }
    cleanUps.get(test).push(cleanUp);
}

export function makeDirectory(test) {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ripen-test-'));
    atEnd(test, () => fs.rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
    return directory;
}

// Runs the binary to its end: {status, stdout, stderr}.
export function run(...parameters) {
    const done = spawnSync(BINARY, parameters, { cwd: ROOT, encoding: 'utf8', timeout: 120_000 });
    if (done.error) throw done.error;
    return { status: done.status, stdout: done.stdout, stderr: done.stderr };
}

export function initialise(directory, ...more) {
    const done = run('init', '--data', directory, '--json', ...more);
    if (done.status !== 0) throw new Error(`init: ${done.stderr}`);
    return JSON.parse(done.stdout);
}

// One HTTP exchange over `agent`: {status, headers, text, json}. Fetch would hide whether a
// connection broke before or after something was sent.
export function exchange(url, { method = 'GET', headers = {}, body, agent } = {}) {
    return new Promise((resolve, reject) => {
        const request = http.request(url, { method, headers, agent }, (answer) => {
            const pieces = [];
            answer.on('data', (piece) => pieces.push(piece));
            answer.on('error', reject);
            answer.on('end', () => {
                const text = Buffer.concat(pieces).toString('utf8');
                let json;
                try {
                    json = JSON.parse(text);
                } catch {
                    json = undefined;
                }
                resolve({ status: answer.statusCode, headers: answer.headers, text, json });
            });
        });
        request.on('error', reject);
        request.end(body);
    });
}

export class Server {
    constructor(child, keys) {
        this.child = child;
        this.keys = keys;
        this.log = '';
        this.agent = new http.Agent({ keepAlive: true });
        child.stderr.setEncoding('utf8');
        child.stderr.on('data', (text) => (this.log += text));
        child.stdout.setEncoding('utf8');
        child.stdout.on('data', (text) => (this.log += text));
        this.ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
    }

    get pid() {
        return this.child.pid;
    }

    get alive() {
        return this.child.exitCode === null && this.child.signalCode === null;
    }

    async ready(ms = START_MS) {
        await until('the server is ready', () => {
            if (!this.alive) throw new Error(`the server has ended:\n${this.log}`);
            const told = /ready at (http:\/\/\S+)/.exec(this.log);
            if (told) this.url = told[1];
            return this.url;
        }, ms);
        this.port = Number(new URL(this.url).port);
        await until('/readyz', async () => (await this.get('/readyz')).status === 200, ms);
        return this;
    }

    get(target, headers) {
        return exchange(this.url + target, { headers, agent: this.agent });
    }

    // With the secret key; throws unless the answer is 2xx.
    async api(method, target, body) {
        const answer = await this.ask(method, target, body);
        if (answer.status >= 300) {
            throw new Error(`${method} ${target}: ${answer.status} ${answer.text}`);
        }
        return answer.json;
    }

    // The same, whatever the status.
    ask(method, target, body, key = this.keys.secret_key) {
        const text = body === undefined ? undefined
            : typeof body === 'string' ? body : JSON.stringify(body);
        return exchange(`${this.url}/api/v1/${target}`, {
            method,
            headers: {
                ...(key === null ? {} : { authorization: `Bearer ${key}` }),
                ...(text === undefined ? {} : { 'content-type': 'application/json' }),
            },
            body: text,
            agent: this.agent,
        });
    }

    // POST to a route of the tracking API with the write key, or with the secret key.
    track(target, body, { secret = false, headers = {} } = {}) {
        const key = secret ? this.keys.secret_key : this.keys.write_key;
        return exchange(this.url + target, {
            method: 'POST',
            headers: {
                authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`,
                'content-type': 'application/json',
                ...headers,
            },
            body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
            agent: this.agent,
        });
    }

    async moveClock(time) {
        return (await this.api('POST', 'clock', { now: new Date(time).toISOString() })).now;
    }

    async segment(name, condition) {
        const made = await this.api('POST', 'segments', { name, condition });
        await until(`segment ${name} is ready`, async () =>
            (await this.api('GET', `segments/${made.id}`)).state === 'ready');
        return made.id;
    }

    // A page is not the whole: follows next_cursor. `target` may have parameters.
    async all(target, field) {
        const found = [];
        let cursor = null;
        do {
            const more = `limit=500${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`;
            const page = await this.api('GET',
                `${target}${target.includes('?') ? '&' : '?'}${more}`);
            found.push(...page[field]);
            cursor = page.next_cursor;
        } while (cursor);
        return found;
    }

    // Newest first. The warehouse child may still be starting.
    timeline(person) {
        return until('the timeline', () => this.all(`persons/${person.id}/timeline`, 'events'));
    }

    async lookup(kind, id) {
        const answer = await this.ask('GET', `persons/lookup?${kind}=${encodeURIComponent(id)}`);
        if (answer.status === 404) return null;
        if (answer.status !== 200) throw new Error(`lookup: ${answer.status} ${answer.text}`);
        return answer.json;
    }

    kill() {
        this.child.kill('SIGKILL');
        this.agent.destroy();
        return this.ended;
    }

    async stop() {
        this.agent.destroy();
        if (this.alive) this.child.kill('SIGTERM');
        return this.ended;
    }
}

// Starts `ripen serve`. `config` is the text of ripen.toml. `listen` without a port: any free one.
export function serve({ directory, keys, clock, config, listen = '127.0.0.1:0', env = {}, test }) {
    const parameters = ['serve', '--data', directory, '--listen', listen];
    if (clock) parameters.push('--clock', clock);
    if (config !== undefined) {
        const file = `${directory}.toml`;
        fs.writeFileSync(file, config);
        parameters.push('--config', file);
    }
    const child = spawn(BINARY, parameters, {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, RIPEN_SMTP_URL: '', ...env },
    });
    const server = new Server(child, keys);
    atEnd(test, () => server.kill());
    return server;
}

// A new data directory and a server over it.
export async function freshServer(test, options = {}) {
    const directory = path.join(makeDirectory(test), 'data');
    const keys = initialise(directory);
    const server = serve({ directory, keys, test, ...options });
    server.directory = directory;
    return server.ready();
}

export const MAIL_CONFIG = `[email]
from_address = "shop@example.test"
from_name = "Shop"
`;

// The SMTP server of smtp_sink.cc on loopback. `letters()` are those it has stored.
export class Sink {
    static async start(test, ...parameters) {
        const sink = new Sink();
        sink.file = path.join(makeDirectory(test), 'letters.jsonl');
        fs.writeFileSync(sink.file, '');
        await sink.open(...parameters);
        atEnd(test, () => {
            sink.child.kill('SIGKILL');
            return sink.ended;
        });
        return sink;
    }

    async open(...parameters) {
        this.child = spawn(SINK, ['--append', this.file, ...parameters],
            { stdio: ['ignore', 'pipe', 'inherit'] });
        this.ended = once(this.child, 'exit');
        let told = '';
        this.child.stdout.setEncoding('utf8');
        this.child.stdout.on('data', (text) => (told += text));
        this.port = Number(await until('the SMTP server listens', () => {
            if (this.child.exitCode !== null) throw new Error('smtp_sink has ended');
            return /^port (\d+)/m.exec(told)?.[1];
        }));
        this.url = `smtp://127.0.0.1:${this.port}`;
    }

    letters() {
        const text = fs.readFileSync(this.file, 'utf8');
        const whole = text.slice(0, text.lastIndexOf('\n') + 1);
        return whole.split('\n').filter(Boolean).map((line) => JSON.parse(line));
    }

    async stop() {
        if (this.child.exitCode === null) this.child.kill('SIGTERM');
        await this.ended;
    }
}

// Where the real data lies; null when this machine has none.
export function sharedData(...names) {
    const base = process.env.RIPEN_SHARED_DATA || path.join(ROOT, '../shared/data');
    const file = path.join(base, ...names);
    return fs.existsSync(file) ? file : null;
}
