// A browser and the sites it visits, all on loopback. No request leaves the machine: one that
// tries fails the test.
import fs from 'node:fs';
import http from 'node:http';
import { once } from 'node:events';
import path from 'node:path';

import { chromium } from 'playwright-core';

import { atEnd, ROOT } from '../process/ripen.mjs';

const CHROMIUM = process.env.RIPEN_CHROMIUM ?? '/usr/bin/chromium';
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);
const TYPES = {
    '.css': 'text/css; charset=utf-8',
    '.html': 'text/html; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.svg': 'image/svg+xml',
};

export async function launch(test, options = {}) {
    const browser = await chromium.launch({
        executablePath: CHROMIUM,
        args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking'],
        ...options,
    });
    atEnd(test, () => browser.close());
    return browser;
}

// A browser of its own for one visitor. `strangers` fills with requests that left loopback,
// `errors` with what pages threw or said was wrong.
export async function visitor(browser, test, options = {}) {
    // Chromium without a window says so, and robots are no visitors.
    const version = browser.version().split('.')[0];
    const context = await browser.newContext({
        userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) ' +
            `Chrome/${version}.0.0.0 Safari/537.36`,
        ...options,
    });
    atEnd(test, () => context.close());
    context.strangers = [];
    context.errors = [];
    await context.route((url) => !LOOPBACK.has(url.hostname) && url.protocol !== 'data:',
        (route) => {
            context.strangers.push(route.request().url());
            return route.abort();
        });
    context.on('page', (page) => {
        page.on('pageerror', (error) => context.errors.push(String(error)));
        page.on('console', (line) => {
            if (line.type() === 'error') context.errors.push(line.text());
        });
    });
    return context;
}

// A site of `answers`: path -> text, {type, body, status} or a function of the request giving one.
// A path that is not listed is looked for in `directory`, which stands at `mount`; files are filled
// in by `fill`.
export async function serveSite(test, { answers = {}, directory, mount = '', fill = (text) => text } = {}) {
    const requests = [];
    const server = http.createServer(async (request, response) => {
        const { pathname } = new URL(request.url, 'http://localhost');
        requests.push(`${request.method} ${request.url}`);
        let answer = answers[pathname];
        if (typeof answer === 'function') answer = await answer(request, response);
        if (response.writableEnded) return;
        if (answer === undefined && directory && pathname.startsWith(`${mount}/`)) {
            const file = path.join(directory, pathname.slice(mount.length),
                pathname.endsWith('/') ? 'index.html' : '');
            if (file.startsWith(directory) && fs.existsSync(file)) {
                answer = { body: fs.readFileSync(file, 'utf8'), type: TYPES[path.extname(file)] };
            }
        }
        if (answer === undefined) answer = { status: 404, body: 'not found', type: 'text/plain' };
        if (typeof answer === 'string') answer = { body: answer };
        response.writeHead(answer.status ?? 200, {
            'content-type': answer.type ?? TYPES['.html'], 'cache-control': 'no-store',
        });
        response.end(fill(answer.body));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    atEnd(test, () => {
        server.close();
        server.closeAllConnections();
    });
    return { url: `http://127.0.0.1:${server.address().port}`, requests, answers };
}

export const TRACKER = () => ({
    type: TYPES['.js'],
    body: fs.readFileSync(path.join(ROOT, 'build/web/tracker/ripen.js'), 'utf8'),
});

export const DEMO = path.join(ROOT, 'build/web/demo');

export function snippet(server, more = '') {
    return `<script async src="/ripen.js" data-key="${server.keys.write_key}" ` +
        `data-server="${server.url}" ${more}></script>`;
}
