// Every example of docs/tracking.md, as it stands there but for address and key, in Chromium
// against the real server.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { freshServer, ROOT, until } from '../process/ripen.mjs';
import { bundle } from './bundle.mjs';
import { launch, serveSite, TRACKER, visitor } from './pages.mjs';

const EXAMPLE = 'https://ripen.example.com';

function examples(language) {
    const text = fs.readFileSync(path.join(ROOT, 'docs/tracking.md'), 'utf8');
    return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
        .filter((found) => found[1] === language).map((found) => found[2]);
}

test('the examples of docs/tracking.md do what is said beside them', { timeout: 600_000 },
    async (t) => {
    const server = await freshServer(t);
    const browser = await launch(t);
    // The script comes from the site itself, as from a public address before two listeners.
    const local = (text) => text
        .replaceAll(`src="${EXAMPLE}/ripen.js"`, `src="/ripen.js" data-server="${server.url}"`)
        .replaceAll(`${EXAMPLE.slice('https://'.length)}/v1', protocol: 'https'`,
            `${server.url.slice('http://'.length)}/v1', protocol: 'http'`)
        .replaceAll(EXAMPLE, server.url)
        .replaceAll('pk_your_write_key', server.keys.write_key);
    const page = (body) => `<!doctype html><html lang="en"><head><meta charset="utf-8">
        <title>Docs</title><link rel="icon" href="data:,"></head><body>${body}</body></html>`;
    const html = examples('html').map(local);
    const example = (part) => {
        const found = html.filter((text) => text.includes(part));
        assert.ok(found.length > 0, `no example with ${part}`);
        return found[0];
    };
    const snippet = html[0];

    const open = async (t, body, more = {}) => {
        const site = await serveSite(t, {
            answers: { '/ripen.js': TRACKER, '/': page(body), ...more },
        });
        const context = await visitor(browser, t);
        const tab = await context.newPage();
        await tab.goto(`${site.url}/`);
        t.after(() => assert.deepEqual(context.strangers, []));
        return tab;
    };
    const ready = (tab) => tab.waitForFunction(
        () => window.ripen && !Array.isArray(window.ripen));
    const cardOf = async (kind, id) => {
        const person = await server.lookup(kind, id);
        if (!person) return { names: [] };
        const events = await server.timeline(person);
        return { person, events, names: events.map((event) => event.name) };
    };
    const anonymous = (tab) => tab.evaluate(() => window.ripen.anonymousId());
    const named = (what, kind, id, ...names) => until(what, async () => {
        const card = await cardOf(kind, id);
        return names.every((name) => card.names.includes(name)) ? card : null;
    });

    await t.test('the snippet alone records the page', async (t) => {
        const tab = await open(t, snippet);
        await ready(tab);
        await named('the page', 'anonymous_id', await anonymous(tab), 'Page');
    });

    await t.test('identify, track and reset', async (t) => {
        const tab = await open(t, snippet + example("['identify', 'user-42', {email: 'ada@example.com', plan") +
            example("'Product Viewed'") + example("['reset']"));
        await ready(tab);
        const { person, events } = await named('the order', 'user_id', 'user-42',
            'Page', 'Product Viewed', 'Order Completed');
        assert.equal(person.attributes.plan, 'pro');
        assert.equal(events.find((event) => event.name === 'Order Completed').properties.revenue, 213);
        assert.ok(!person.anonymous_ids.includes(await anonymous(tab)));
    });

    await t.test('a wrong signature proves nothing and breaks nothing', async (t) => {
        const tab = await open(t, snippet + example('signature'));
        await ready(tab);
        const { person } = await named('the page', 'anonymous_id', await anonymous(tab), 'Page');
        assert.equal(person.trusted, false);
    });

    await t.test('a marked field makes its visitor known', async (t) => {
        const tab = await open(t, snippet + example('id="newsletter"'));
        await ready(tab);
        await tab.fill('[name=email]', 'reader@example.test');
        await tab.click('text=Subscribe');
        const { events } = await named('the form', 'email', 'reader@example.test',
            'Form Started', 'Form Submitted');
        assert.equal(events.find((event) => event.name === 'Form Submitted').properties.form,
            'newsletter');
    });

    await t.test('pages told by the site', async (t) => {
        const tab = await open(t, example('data-pages="manual"'));
        await ready(tab);
        const { events } = await named('the page', 'anonymous_id', await anonymous(tab), 'Page');
        const pages = events.filter((event) => event.name === 'Page');
        assert.deepEqual(pages.map((event) => [event.properties.name, event.properties.step]),
            [['Plans', 2]]);
    });

    await t.test('consent is waited for, kept and taken back', async (t) => {
        const tab = await open(t, example('data-consent="required"'));
        await ready(tab);
        assert.equal(await anonymous(tab), '');
        assert.equal(await tab.evaluate(() => document.cookie), '');
        await tab.click('text=Yes');
        const id = await anonymous(tab);
        await named('the page', 'anonymous_id', id, 'Page');
        await tab.reload();
        await ready(tab);
        assert.equal(await anonymous(tab), id);
        await tab.click('text=No');
        assert.equal(await anonymous(tab), '');
        assert.equal(await tab.evaluate(() => document.cookie), '');
    });

    await t.test('the image without JavaScript', async (t) => {
        await open(t, example('/pixel/v1/page'));
        await named('the page', 'anonymous_id', 'a1', 'Page');
    });

    const calls = {
        '@segment/analytics-next': 'load({', '@rudderstack/analytics-js': 'load(',
        'posthog-js': 'posthog.init', '@jitsu/js': 'page()',
    };
    const scripts = examples('js').map(local);
    assert.equal(scripts.length, Object.keys(calls).length);
    for (const [name, part] of Object.entries(calls)) {
        await t.test(`${name} as set there reaches the server and nobody else`, async (t) => {
            const script = scripts.find((text) => text.includes(`'${name}`) && text.includes(part));
            const file = path.join(ROOT, 'build', `docs-example-${process.pid}.mjs`);
            fs.writeFileSync(file, script);
            t.after(() => fs.rmSync(file));
            const asked = [];
            const site = await serveSite(t, { answers: {
                '/': page('<script src="/app.js"></script>'), '/app.js': await bundle(file),
            } });
            const context = await visitor(browser, t);
            context.on('response', (answer) => {
                // PostHog asks for its settings as a script first, then for the JSON beside it.
                if (answer.url().startsWith(server.url) && !answer.url().endsWith('/config.js')) {
                    asked.push(answer.status());
                }
            });
            const tab = await context.newPage();
            await tab.goto(`${site.url}/`);
            await until('an answer of the server', () => asked.length > 0);
            await tab.waitForTimeout(1_000);
            assert.ok(asked.every((status) => status < 400), String(asked));
            assert.deepEqual(context.strangers, []);
        });
    }

    // Nothing was left out: each example was chosen by one of the tests above.
    assert.equal(html.length, 9);
});
