// The real browser SDKs in Chromium, only their address changed: what they send is on the card,
// once, through failures; and they talk to nobody but us.
import assert from 'node:assert/strict';
import test from 'node:test';

import { FaultProxy } from '../process/fault_proxy.mjs';
import { freshServer, until } from '../process/ripen.mjs';
import { bundle } from './bundle.mjs';
import { launch, serveSite, visitor } from './pages.mjs';

const EVENTS = 8;
// Clients whose pauses double from seconds on meet one failure of a kind.
const GUST = ['pass', 'pass', 503, 'pass', 'lost answer', 'pass', 'pass', 503, 'pass', 'pass',
    'pass', 'pass', 'pass', 'pass', 'pass', 'pass', 'pass', 'pass', 'pass', 'pass'];

// PostHog sends nearly all in one request.
const EARLY = ['pass', 503, 'lost answer', 'lost answer', 'lost answer',
    ...Array(30).fill('pass')];

// `page`: name and properties under which the page view is stored.
const CLIENTS = {
    '@segment/analytics-next': { file: 'segment', page: ['Page', { section: 'a' }] },
    '@rudderstack/analytics-js': { file: 'rudderstack', page: ['Page', { section: 'a' }] },
    'posthog-js': { file: 'posthog', page: ['Page', {}], storm: EARLY },
    '@jitsu/js': { file: 'jitsu', page: ['Page', { section: 'a' }] },
};

test('the browser SDKs, only their address changed', { timeout: 600_000 }, async (t) => {
    const server = await freshServer(t);
    const browser = await launch(t);
    for (const [name, client] of Object.entries(CLIENTS)) {
        const { file, page: [pageName, pageProperties], storm = GUST } = client;
        await t.test(name, async (t) => {
            const proxy = await FaultProxy.start(t, server.url, storm);
            const site = await serveSite(t, { answers: {
                '/sdk.js': await bundle(`sdks/${file}.mjs`),
                '/': '<!doctype html><meta charset="utf-8"><title>Shop</title>' +
                    '<link rel="icon" href="data:,"><script src="/sdk.js"></script><h1>Home</h1>',
            } });
            const context = await visitor(browser, t);
            const page = await context.newPage();
            await page.goto(`${site.url}/?utm_source=ads&utm_medium=cpc`);
            const user = `user of ${name}`;
            await page.evaluate((what) => window.send(what),
                { url: proxy.url, key: server.keys.write_key, user, events: EVENTS });
            const found = await until('everything on the card', async () => {
                const person = await server.lookup('user_id', user);
                if (!person || person.attributes.plan !== 'pro') return null;
                const events = await server.timeline(person);
                const steps = events.filter((event) => event.name === 'Step');
                const pages = events.filter((event) => event.name === pageName);
                return steps.length >= EVENTS && pages.length ? { person, steps, pages } : null;
            }, 120_000).catch(async (error) => {
                const person = await server.lookup('user_id', user);
                t.diagnostic(JSON.stringify(person));
                if (person) {
                    t.diagnostic(JSON.stringify((await server.timeline(person))
                        .map((event) => [event.name, event.properties.n])));
                }
                t.diagnostic(JSON.stringify([context.errors, context.strangers, proxy.counts]));
                throw error;
            });
            assert.deepEqual(found.steps.map((event) => event.properties.n).sort((a, b) => a - b),
                [...Array(EVENTS).keys()]);
            assert.equal(found.pages.length, 1);
            for (const [key, value] of Object.entries(pageProperties)) {
                assert.equal(found.pages[0].properties[key], value);
            }
            assert.equal(found.person.attributes.device, 'desktop');
            assert.equal(found.person.anonymous_ids.length, 1);
            assert.ok(proxy.counts[503] > 0, '503 never happened');
            assert.ok(proxy.counts['lost answer'] > 0, 'no answer was lost');
            assert.ok([...proxy.passed.values()].some((times) => times > 1), 'nothing was repeated');
            assert.deepEqual(context.strangers, []);
        });
    }
    // What came twice was folded away, not only hidden.
    await until('no event is counted twice', async () => {
        const preview = await server.api('POST', 'segments/preview',
            { condition: `did "Step" exactly ${EVENTS} times` });
        return preview.count === Object.keys(CLIENTS).length;
    });
});
