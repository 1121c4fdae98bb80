// ripen.js in Chromium against the real server: what visitors do on a plain page and on a React
// page is on their card, once, whatever the network does.
import assert from 'node:assert/strict';
import test from 'node:test';

import { FaultProxy } from '../process/fault_proxy.mjs';
import { freshServer, until } from '../process/ripen.mjs';
import { bundle } from './bundle.mjs';
import { launch, serveSite, snippet, TRACKER, visitor } from './pages.mjs';

const html = (body, server, more) => `<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>Shop</title><script>window.ripen = window.ripen || [];</script>${snippet(server, more)}
<link rel="icon" href="data:,"></head><body>${body}</body></html>`;

const FORM = `<form id="application" action="/sent"><input name="name" aria-label="Name">
<input name="email" type="email" aria-label="Email" data-ripen-trait="email">
<input name="password" type="password" aria-label="Password" data-ripen-trait="password">
<button>Send</button></form>`;

// A shop of plain pages; `server` may be a proxy before the real one.
function shop(t, server, more = '') {
    const page = (body) => () => html(body, server, more);
    return serveSite(t, {
        answers: {
            '/ripen.js': TRACKER,
            '/': page('<h1>Home</h1><a href="/pricing">Pricing</a>'),
            '/pricing': page('<h1>Pricing</h1><div style="height:4000px"></div><a href="/">Home</a>'),
            '/form': page(FORM),
            '/sent': page('<h1>Sent</h1>'),
        },
    });
}

// What is stored of the page's visitor, oldest first, by the id that the page itself tells.
async function card(server, page) {
    const id = await page.evaluate(() => window.ripen.anonymousId());
    assert.match(id, /^[0-9a-z]{30,}$/);
    return () => cardOf(server, id);
}

async function cardOf(server, id) {
    const person = await server.lookup('anonymous_id', id);
    if (!person) return { person: null, events: [], names: [] };
    const events = (await server.timeline(person)).reverse()
        .filter((event) => event.kind === 'event');
    return { person, events, names: events.map((event) => event.name) };
}

const count = (names, name) => names.filter((each) => each === name).length;

const loaded = (page) => page.waitForFunction(() => window.ripen && !Array.isArray(window.ripen));

async function visit(context, url) {
    const page = await context.newPage();
    await page.goto(url);
    await loaded(page);
    return page;
}

function tidy(context) {
    assert.deepEqual(context.strangers, []);
    assert.deepEqual(context.errors, []);
}

test('the tracker in a browser', { timeout: 600_000 }, async (t) => {
    const server = await freshServer(t);
    const browser = await launch(t);

    await t.test('three pages in a private window are one anonymous card within a second',
        async (t) => {
        const site = await shop(t, server);
        const context = await visitor(browser, t);
        const page = await visit(context, `${site.url}/?utm_source=ads&utm_medium=cpc&gclid=g1`);
        const read = await card(server, page);
        await page.click('text=Pricing');
        await loaded(page);
        await page.click('text=Home');
        await loaded(page);
        const began = Date.now();
        const { events } = await until('three pages', async () => {
            const now = await read();
            return count(now.names, 'Page') === 3 ? now : null;
        });
        t.diagnostic(`on the card after ${Date.now() - began} ms`);
        const pages = events.filter((event) => event.name === 'Page');
        assert.deepEqual(pages.map((event) => event.properties.path), ['/', '/pricing', '/']);
        assert.equal(pages[1].properties.referrer, `${site.url}/?utm_source=ads&utm_medium=cpc&gclid=g1`);
        const { person } = await read();
        assert.equal(person.first_touch.medium, 'cpc');
        assert.equal(person.last_touch.source, 'ads');
        assert.deepEqual(person.anonymous_ids.length, 1);
        tidy(context);
    });

    await t.test('leaving a page tells how far it was scrolled and how long it was seen',
        async (t) => {
        const site = await shop(t, server);
        const context = await visitor(browser, t, { viewport: { width: 1000, height: 500 } });
        const page = await visit(context, `${site.url}/pricing`);
        const read = await card(server, page);
        const began = Date.now();
        await page.evaluate(() => window.scrollTo(0, 1500));
        await page.waitForTimeout(2_000);
        await page.goto(`${site.url}/`);
        const seconds = (Date.now() - began) / 1000;
        const { events } = await until('the page is left', async () => {
            const now = await read();
            return now.names.includes('Page Left') ? now : null;
        });
        const { properties } = events.find((event) => event.name === 'Page Left');
        assert.equal(properties.path, '/pricing');
        assert.ok(properties.visible_seconds >= 2 && properties.visible_seconds <= seconds + 1,
            `${properties.visible_seconds} of ${seconds}`);
        assert.ok(properties.scroll_percent >= 45 && properties.scroll_percent <= 52,
            String(properties.scroll_percent));
        tidy(context);
    });

    await t.test('two fields and away, twice, is two started and none submitted', async (t) => {
        const site = await shop(t, server);
        const context = await visitor(browser, t);
        const page = await visit(context, `${site.url}/form`);
        const read = await card(server, page);
        for (let round = 0; round < 2; ++round) {
            await page.goto(`${site.url}/form`);
            await loaded(page);
            await page.fill('[name=name]', 'Nobody');
            await page.fill('[name=email]', 'nobody@example.test');
            await page.goto(`${site.url}/`);
        }
        const { names, events, person } = await until('two abandoned', async () => {
            const now = await read();
            return count(now.names, 'Form Abandoned') === 2 ? now : null;
        });
        assert.equal(count(names, 'Form Started'), 2);
        assert.equal(count(names, 'Form Submitted'), 0);
        const { properties } = events.find((event) => event.name === 'Form Abandoned');
        assert.deepEqual([properties.form, properties.fields, properties.last_field],
            ['application', 2, 'email']);
        assert.equal(person.attributes.email, undefined);
        assert.ok(!JSON.stringify(events).includes('nobody@example.test'));
        tidy(context);
    });

    await t.test('a submitted form is submitted, tells the marked fields and no password',
        async (t) => {
        const site = await shop(t, server);
        const context = await visitor(browser, t);
        const page = await visit(context, `${site.url}/form`);
        const read = await card(server, page);
        await page.fill('[name=name]', 'A Visitor');
        await page.fill('[name=email]', 'visitor@example.test');
        await page.fill('[name=password]', 'correct horse');
        await page.click('text=Send');
        await page.waitForURL('**/sent**');
        await loaded(page);
        const { names, events } = await until('submitted', async () => {
            const now = await read();
            return now.names.includes('Form Submitted') &&
                now.person.attributes.email ? now : null;
        });
        assert.equal(count(names, 'Form Started'), 1);
        assert.equal(count(names, 'Form Abandoned'), 0);
        const { person } = await read();
        assert.equal(person.attributes.email, 'visitor@example.test');
        assert.equal(person.attributes.password, undefined);
        // The page it leads to has the fields in its address: the browser put them there.
        const facts = events.filter((event) => event.name.startsWith('Form'));
        assert.ok(!JSON.stringify(facts.map((event) => event.properties)).includes('correct horse'));
        tidy(context);
    });

    await t.test('a React page with routes of its own is as many pages as it shows', async (t) => {
        const context = await visitor(browser, t);
        const site = await serveSite(t, { answers: {
            '/ripen.js': TRACKER,
            '/app.js': await bundle('react/app.mjs'),
            '/': () => html('<div id="root"></div><script src="/app.js"></script>', server),
        } });
        const page = await visit(context, `${site.url}/`);
        const read = await card(server, page);
        await page.click('text=Apply');
        await page.waitForSelector('#apply');
        await page.fill('[name=plot]', 'small');
        await page.click('text=Leave');
        await page.waitForSelector('text=Welcome');
        await page.waitForTimeout(1_200);   // A form that is gone for a second was abandoned.
        await page.goBack();
        await page.waitForSelector('#apply');
        await page.fill('[name=plot]', 'large');
        await page.click('text=Send');
        await page.waitForSelector('text=Thank you');
        const { events, names } = await until('submitted', async () => {
            const now = await read();
            return now.names.includes('Form Submitted') && count(now.names, 'Page') === 5
                ? now : null;
        });
        const pages = events.filter((event) => event.name === 'Page');
        assert.deepEqual(pages.map((event) => [event.properties.path, event.properties.title]),
            [['/', 'Shop'], ['/apply', 'Apply'], ['/', 'Welcome'], ['/apply', 'Apply'],
                ['/thanks', 'Thank you']]);
        assert.equal(pages[1].properties.referrer, `${site.url}/`);
        assert.deepEqual([count(names, 'Form Started'), count(names, 'Form Abandoned'),
            count(names, 'Form Submitted')], [2, 1, 1]);
        assert.equal(count(names, 'Page Left'), 4);
        tidy(context);
    });

    for (const [signal, script] of Object.entries({
        'Global Privacy Control': () => Object.defineProperty(
            Navigator.prototype, 'globalPrivacyControl', { get: () => true }),
        'Do Not Track': () => Object.defineProperty(
            Navigator.prototype, 'doNotTrack', { get: () => '1' }),
    })) {
        await t.test(`with ${signal} nothing is sent and nothing stored`, async (t) => {
            const site = await shop(t, server);
            const context = await visitor(browser, t);
            await context.addInitScript(script);
            const sent = [];
            context.on('request', (request) => sent.push(request.url()));
            const page = await visit(context, `${site.url}/form`);
            await page.evaluate(() => window.ripen.track('Step'));
            await page.fill('[name=name]', 'x');
            await page.goto(`${site.url}/`);
            await loaded(page);
            await page.waitForTimeout(300);
            assert.deepEqual(sent.filter((url) => url.startsWith(server.url)), []);
            assert.deepEqual(await page.evaluate(() =>
                [document.cookie, Object.keys(localStorage).length, window.ripen.anonymousId()]),
            ['', 0, '']);
            tidy(context);
        });
    }

    await t.test('offline events arrive once the network is back, each once', async (t) => {
        const site = await shop(t, server);
        const context = await visitor(browser, t);
        const page = await visit(context, `${site.url}/`);
        const read = await card(server, page);
        await context.setOffline(true);
        await page.evaluate(() => {
            for (let n = 0; n < 10; ++n) window.ripen.track('Step', { n });
        });
        await page.waitForTimeout(500);
        assert.equal(count((await read()).names, 'Step'), 0);
        await context.setOffline(false);
        const { events } = await until('ten steps', async () => {
            const now = await read();
            return count(now.names, 'Step') >= 10 ? now : null;
        });
        assert.deepEqual(events.filter((event) => event.name === 'Step')
            .map((event) => event.properties.n).sort((a, b) => a - b), [...Array(10).keys()]);
        assert.deepEqual(context.strangers, []);
    });

    await t.test('a storm of failures and a reload in the middle change nothing', async (t) => {
        const proxy = await FaultProxy.start(t, server.url,
            ['lost answer', 503, 'pass', 'lost request', 429, 'lost answer', 'pass']);
        const site = await shop(t, { url: proxy.url, keys: server.keys });
        const context = await visitor(browser, t);
        const page = await visit(context, `${site.url}/`);
        const read = await card(server, page);
        for (let n = 0; n < 12; ++n) {
            await page.evaluate((step) => window.ripen.track('Step', { n: step }), n);
            if (n % 3 === 2) {
                await page.reload();
                await loaded(page);
            } else {
                await page.waitForTimeout(50);
            }
        }
        const numbers = await until('twelve steps', async () => {
            const { events } = await read();
            const found = events.filter((event) => event.name === 'Step')
                .map((event) => event.properties.n).sort((a, b) => a - b);
            return found.length >= 12 ? found : null;
        });
        assert.deepEqual(numbers, [...Array(12).keys()]);
        const preview = await server.api('POST', 'segments/preview',
            { condition: 'did "Step" exactly 12 times' });
        assert.equal(preview.count, 1);
        assert.ok([...proxy.passed.values()].some((times) => times > 1), 'nothing was repeated');
        assert.ok(proxy.counts[503] > 0 && proxy.counts['lost answer'] > 0);
        assert.deepEqual(context.strangers, []);
    });

    await t.test('the pause that a server asks for is kept', async (t) => {
        const asked = [];
        const slow = await serveSite(t, { answers: {
            '/v1/batch': (request, response) => {
                asked.push(Date.now());
                response.writeHead(asked.length === 1 ? 503 : 200, {
                    'access-control-allow-origin': '*',
                    'access-control-expose-headers': 'Retry-After', 'retry-after': '4',
                });
                response.end('{}');
            },
        } });
        const site = await shop(t, { url: slow.url, keys: server.keys });
        const context = await visitor(browser, t);
        await visit(context, `${site.url}/`);
        await until('a second attempt', () => asked.length > 1);
        assert.ok(asked[1] - asked[0] >= 3_900, `${asked[1] - asked[0]} ms`);
        // A browser shows the field to a page only because the server says that it may.
        const answer = await server.track('/v1/batch', { batch: [] },
            { headers: { origin: site.url } });
        assert.equal(answer.headers['access-control-expose-headers'], 'Retry-After');
    });

    await t.test('two tabs are one visit of one person', async (t) => {
        const site = await shop(t, server);
        const context = await visitor(browser, t);
        const [one, two] = await Promise.all([
            visit(context, `${site.url}/`), visit(context, `${site.url}/pricing`)]);
        await one.evaluate(() => window.ripen.track('Step', { tab: 1 }));
        await two.evaluate(() => window.ripen.track('Step', { tab: 2 }));
        const [first, second] = await Promise.all([one, two].map((page) =>
            page.evaluate(() => window.ripen.anonymousId())));
        assert.equal(first, second);
        const { events } = await until('both tabs', async () => {
            const now = await cardOf(server, first);
            return count(now.names, 'Step') === 2 ? now : null;
        });
        assert.deepEqual(events.filter((event) => event.name === 'Step')
            .map((event) => event.properties.tab).sort(), [1, 2]);
        tidy(context);
    });

    await t.test('without storage and cookies a visit is recorded all the same', async (t) => {
        const site = await shop(t, server);
        const context = await visitor(browser, t);
        await context.addInitScript(() => {
            const forbidden = () => {
                throw new DOMException('denied', 'SecurityError');
            };
            Object.defineProperty(window, 'localStorage', { get: forbidden });
            Object.defineProperty(Document.prototype, 'cookie', { get: forbidden, set: forbidden });
        });
        const page = await visit(context, `${site.url}/`);
        const read = await card(server, page);
        await page.evaluate(() => window.ripen.track('Step'));
        await until('the step', async () => (await read()).names.includes('Step'));
        tidy(context);
    });

    await t.test('identify joins what was done before to the person', async (t) => {
        const site = await shop(t, server);
        const context = await visitor(browser, t);
        const page = await visit(context, `${site.url}/pricing`);
        await page.evaluate(() => window.ripen.identify('user-7', { plan: 'pro' }));
        const id = await page.evaluate(() => window.ripen.anonymousId());
        await until('one card with the page, the plan and both ids', async () => {
            const { person, names } = await cardOf(server, id);
            const named = await server.lookup('user_id', 'user-7');
            return named && named.id === person?.id && named.attributes.plan === 'pro' &&
                names.includes('Page') && named.anonymous_ids.join() === id;
        });
        tidy(context);
    });

    await t.test('hostile texts are stored letter by letter', async (t) => {
        const site = await shop(t, server);
        const context = await visitor(browser, t);
        const page = await visit(context, `${site.url}/?q=${encodeURIComponent(HOSTILE[0])}`);
        const read = await card(server, page);
        await page.evaluate((texts) => {
            document.title = texts[1];
            window.ripen.identify(`${texts[2]}`, { name: texts[3] });
            texts.forEach((text, n) =>
                window.ripen.track(text.replaceAll('\0', ''), { n, text }));
        }, HOSTILE);
        const { events, person } = await until('all of them', async () => {
            const now = await read();
            return now.events.filter((event) => event.properties?.text).length === HOSTILE.length &&
                now.person.user_ids.length && now.person.attributes.name ? now : null;
        });
        const stored = events.filter((event) => event.properties?.text)
            .sort((a, b) => a.properties.n - b.properties.n);
        assert.deepEqual(stored.map((event) => event.properties.text), HOSTILE);
        assert.deepEqual(stored.map((event) => event.name), HOSTILE.map((text) => text.replaceAll('\0', '')));
        assert.deepEqual(person.user_ids, [HOSTILE[2]]);
        assert.equal(person.attributes.name, HOSTILE[3]);
        assert.deepEqual(context.errors, []);
    });
});

// Of each kind one (the name of an event may hold all of it but NUL): elements, attributes,
// addresses, styles, templates, entities, broken
// encodings, what looks like a formula, direction marks.
const HOSTILE = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    '<svg/onload=alert(1)>',
    'javascript:alert(1)//',
    'data:text/html,<script>alert(1)</script>',
    '</title></style></textarea></script><script>alert(1)</script>',
    '<iframe srcdoc="<script>parent.alert(1)</script>">',
    '<a href="&#106;avascript:alert(1)">x</a>',
    '{{constructor.constructor("alert(1)")()}}',
    '${alert(1)}', '#{7*7}', '<%= 7*7 %>',
    '<math><mtext><table><mglyph><style><!--</style>' +
        '<img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '<style>@import "//evil.test/x.css";</style>',
    '=HYPERLINK("http://evil.test","x")', '+cmd|\' /C calc\'!A0', '@SUM(1+1)*cmd|x',
    '\u202Egnp.exe', '\u0000null\u0000', '\uFEFFbom', 'a\u2028b\u2029c', '%3Cscript%3E', '&lt;b&gt;',
    '\\u003cscript\\u003e', '"\\"\'`', '__proto__', 'constructor', '😀'.repeat(60),
];
