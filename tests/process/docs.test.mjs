// What the pages tell people to type works: every curl line is run against a server, every journey
// is saved, every condition is read, every JSON parses.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { ROOT, freshServer, until } from './ripen.mjs';

const PAGES = ['README.md',
    ...fs.readdirSync(path.join(ROOT, 'docs'), { recursive: true })
        .filter((name) => name.endsWith('.md') && !/^(decisions|formats)\//.test(name))
        .map((name) => `docs/${name}`)].sort();

// [{page, line, text}] of the pages' code blocks.
function blocks() {
    const found = [];
    for (const page of PAGES) {
        const lines = fs.readFileSync(path.join(ROOT, page), 'utf8').split('\n');
        let begun = -1;
        lines.forEach((line, at) => {
            if (!line.trimStart().startsWith('```')) return;
            if (begun < 0) {
                begun = at;
            } else {
                found.push({
                    page, line: begun + 2, kind: lines[begun].trim().slice(3),
                    text: lines.slice(begun + 1, at).join('\n'),
                });
                begun = -1;
            }
        });
        assert.equal(begun, -1, `${page}: a code block is not closed`);
    }
    return found;
}

// The child must not hold up this process: the server's output is read here.
function bash(text) {
    return new Promise((resolve) => {
        const child = spawn('bash', ['-euo', 'pipefail', '-c', text],
            { stdio: ['ignore', 'pipe', 'pipe'] });
        let stdout = '', stderr = '';
        child.stdout.on('data', (piece) => (stdout += piece));
        child.stderr.on('data', (piece) => (stderr += piece));
        child.on('close', (status) => resolve({ status, stdout, stderr }));
    });
}

test('every curl line of the pages is answered as the page lets one hope', async (t) => {
    const server = await freshServer(t, { clock: 'simulated:2026-01-05T10:00:00Z' });
    const answer = await server.track('/v1/batch', { batch: [
        { type: 'identify', userId: 'ada', traits: { email: 'ada@example.com' } },
    ] }, { secret: true });
    assert.equal(answer.status, 200, answer.text);
    const ada = await until('ada is known', () => server.lookup('user_id', 'ada'));
    let run = 0;
    for (const { page, line, text } of blocks()) {
        if (!/^\s*curl /m.test(text)) continue;
        const command = text
            .replaceAll('http://127.0.0.1:8080', server.url)
            .replaceAll('WRITE_KEY', server.keys.write_key)
            .replaceAll('SECRET_KEY', server.keys.secret_key)
            .replaceAll('PERSON_ID', ada.id)
            // Each call on a line of its own, its status behind its answer.
            .replaceAll(/(^|\n)(\s*)curl /g, '$1$2curl -sS --max-time 60 -w "\\n%{http_code}\\n" ');
        const done = await bash(command);
        assert.equal(done.status, 0, `${page}:${line}: ${done.stderr}\n${command}`);
        const statuses = done.stdout.split('\n').filter((each) => /^\d{3}$/.test(each));
        assert.ok(statuses.length > 0, `${page}:${line}: ${done.stdout}`);
        for (const status of statuses) {
            assert.match(status, /^2\d\d$/, `${page}:${line}:\n${command}\n${done.stdout}`);
        }
        run += statuses.length;
    }
    assert.ok(run >= 8, `only ${run} calls were found`);
    t.diagnostic(`${run} calls`);
});

test('every journey and segment of the pages is taken, every JSON parses', async (t) => {
    const server = await freshServer(t, { config: '[warehouse]\nenabled = false\n' });
    let journeys = 0;
    for (const { page, line, kind, text } of blocks()) {
        if (kind !== 'json' && (kind !== '' || !/^(\{|\[\s*[{"\[])/.test(text.trim()))) continue;
        let body;
        try {
            body = JSON.parse(text);
        } catch (error) {
            assert.fail(`${page}:${line}: ${error.message}\n${text}`);
        }
        if (body.steps === undefined) continue;
        const saved = await server.ask('POST', 'journeys', body);
        assert.equal(saved.status, 201, `${page}:${line}: ${saved.text}`);
        ++journeys;
    }
    assert.ok(journeys > 0);
});

test('every condition of the conditions page is read', async (t) => {
    const server = await freshServer(t, { config: '[warehouse]\nenabled = false\n' });
    const page = fs.readFileSync(path.join(ROOT, 'docs/conditions.md'), 'utf8');
    await server.api('POST', 'segments', { name: 'VIP', condition: 'everyone' });
    // The first example of each row of its tables, and its first block.
    const examples = [...page.matchAll(/^\| `((?:[^`\\]|\\.)+)`/gm)]
        .map((row) => row[1].replaceAll('\\|', '|'))
        .concat(/```\n([^`]+)```/.exec(page)[1].trim().split('\n'))
        .filter((text) => !/since entry/.test(text))   // In journeys only.
        .map((text) => text.replaceAll('segment "Hot"', 'segment "VIP"'));
    assert.ok(examples.length > 25, `${examples.length} examples`);
    for (const condition of examples) {
        const answer = await server.ask('POST', 'segments/preview', { condition });
        assert.equal(answer.status, 200, `${condition}: ${answer.text}`);
    }
});
