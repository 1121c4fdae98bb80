// The demo shop in Chromium against the real server: what one does in it is on one's card, every
// page is accessible in both languages and both schemes, and no request leaves the machine.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { AxeBuilder } from '@axe-core/playwright';

import { freshServer, until } from '../process/ripen.mjs';
import { DEMO, launch, serveSite, TRACKER, visitor } from './pages.mjs';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'];
const CART = [{ id: 'fruit-press', quantity: 1 }, { id: 'preserving-jars', quantity: 3 }];

// The server fills in key and address; here the site stands for it.
function shop(t, server) {
    return serveSite(t, {
        directory: DEMO,
        mount: '/demo',
        answers: { '/ripen.js': TRACKER },
        fill: (text) => text.replaceAll('__RIPEN_WRITE_KEY__', server.keys.write_key)
            .replaceAll('__RIPEN_API__', server.url),
    });
}

const ready = (page) => page.waitForFunction(() => window.ripen && !Array.isArray(window.ripen));

const pages = () => fs.readdirSync(DEMO, { recursive: true })
    .filter((name) => name.endsWith('.html')).sort();

async function fillCart(page, url) {
    await page.goto(url);
    await page.evaluate((lines) => localStorage.setItem('shop.cart', JSON.stringify(lines)), CART);
}

test('the demo shop', { timeout: 900_000 }, async (t) => {
    const server = await freshServer(t);
    const browser = await launch(t);
    const site = await shop(t, server);
    const home = `${site.url}/demo/index.html`;

    await t.test('from the front page to an order, all of it on the card', async (t) => {
        const context = await visitor(browser, t, { viewport: { width: 1440, height: 900 } });
        const page = await context.newPage();
        await page.goto(`${home}?utm_source=letter&utm_medium=email`);
        await ready(page);
        const id = await page.evaluate(() => window.ripen.anonymousId());
        await page.click('text=Fruit press, 12 litres');
        await page.fill('#quantity', '2');
        await page.click('text=Add to cart');
        await page.click('text=Go to the cart');
        await page.click('text=Go to checkout');
        await page.click('text=Place the order');
        assert.equal(await page.textContent('#email-wrong'), 'Please fill in this field.');
        await page.fill('#email', 'buyer@example.test');
        await page.fill('#name', 'A Buyer');
        await page.fill('#street', 'Lane 1');
        await page.fill('#postcode', '12345');
        await page.fill('#city', 'Riga');
        await page.fill('#card', '4111111111111111');
        await page.click('text=Place the order');
        await page.waitForURL('**/thanks.html');
        const order = await page.textContent('[data-order] strong');
        const { person, events } = await until('the order', async () => {
            const found = await server.lookup('anonymous_id', id);
            const timeline = found ? (await server.timeline(found)).reverse() : [];
            return timeline.some((event) => event.name === 'Order Completed') &&
                timeline.some((event) => event.name === 'Form Submitted') && found.attributes.email
                ? { person: found, events: timeline } : null;
        });
        const names = events.filter((event) => event.kind === 'event').map((event) => event.name);
        for (const name of ['Page', 'Product Viewed', 'Product Added', 'Cart Viewed',
            'Checkout Started', 'Order Completed']) {
            assert.ok(names.includes(name), `${name} is missing`);
        }
        // What was wrong at first was not submitted.
        assert.equal(names.filter((name) => name === 'Form Submitted').length, 1);
        assert.equal(names.filter((name) => name === 'Form Started').length, 1);
        const { properties } = events.find((event) => event.name === 'Order Completed');
        assert.deepEqual([properties.order_id, properties.revenue, properties.currency,
            properties.products.length, properties.products[0].quantity],
        [order, 378, 'EUR', 1, 2]);
        assert.equal(person.attributes.email, 'buyer@example.test');
        assert.equal(person.attributes.city, 'Riga');
        assert.ok(!JSON.stringify([events, person]).includes('4111'));
        assert.equal(person.first_touch.medium, 'email');
        assert.deepEqual([context.strangers, context.errors], [[], []]);
    });

    await t.test('a form begun and left is abandoned', async (t) => {
        const context = await visitor(browser, t);
        const page = await context.newPage();
        await page.goto(`${site.url}/demo/planting-plan.html`);
        await ready(page);
        const id = await page.evaluate(() => window.ripen.anonymousId());
        await page.fill('#plan-email', 'x@example.test');
        await page.fill('#plan-name', 'x');
        await page.goto(home);
        const facts = await until('abandoned', async () => {
            const person = await server.lookup('anonymous_id', id);
            const events = person ? await server.timeline(person) : [];
            return events.find((event) => event.name === 'Form Abandoned');
        });
        assert.deepEqual([facts.properties.form, facts.properties.fields], ['planting-plan', 2]);
    });

    await t.test('signing in makes the visitor known, signing out a stranger', async (t) => {
        const context = await visitor(browser, t);
        const page = await context.newPage();
        await page.goto(`${site.url}/demo/sign-in.html`);
        await ready(page);
        const id = await page.evaluate(() => window.ripen.anonymousId());
        await page.fill('#sign-in-email', 'Member@Example.test');
        await page.click('main button:has-text("Sign in")');
        await page.waitForSelector('text=You are signed in as member@example.test');
        const person = await until('the member', () =>
            server.lookup('user_id', 'member@example.test'));
        assert.deepEqual(person.anonymous_ids, [id]);
        await page.click('text=Sign out');
        assert.notEqual(await page.evaluate(() => window.ripen.anonymousId()), id);
    });

    await t.test('who does not want to be recorded is not', async (t) => {
        const context = await visitor(browser, t);
        const page = await context.newPage();
        await page.goto(home);
        await ready(page);
        await page.click('text=Do not record my visit');
        assert.equal(await page.evaluate(() => window.ripen.anonymousId()), '');
        await page.goto(`${site.url}/demo/kitchen.html`);
        await ready(page);
        assert.equal(await page.evaluate(() => window.ripen.anonymousId()), '');
        await page.click('text=Record my visit');
        assert.notEqual(await page.evaluate(() => window.ripen.anonymousId()), '');
    });

    await t.test('every link leads to a page, in the language it was read in', async (t) => {
        const context = await visitor(browser, t);
        const page = await context.newPage();
        const known = new Set(pages());
        assert.equal(known.size % 2, 0);
        for (const name of known) {
            await page.setContent(fs.readFileSync(path.join(DEMO, name), 'utf8')
                .replace(/<script[^>]*><\/script>/g, '').replace('<head>',
                    `<head><base href="http://demo.test/${name}">`));
            const links = await page.$$eval('a[href]:not([hreflang]):not(.skip)',
                (all) => all.map((link) => new URL(link.href).pathname.slice(1)));
            const japanese = name.startsWith('ja/');
            for (const link of links) {
                assert.ok(known.has(link), `${name} -> ${link}`);
                assert.equal(link.startsWith('ja/'), japanese, `${name} -> ${link}`);
            }
            const [other] = await page.$$eval('a[hreflang]',
                (all) => all.map((link) => new URL(link.href).pathname.slice(1)));
            assert.equal(other, japanese ? name.slice(3) : `ja/${name}`);
        }
    });

    // One page of each kind; the other schemes and widths share their parts.
    const kinds = pages().filter((name) => !/(products|journal)\//.test(name) ||
        /fruit-press|jam-that-sets/.test(name));
    const few = kinds.filter((name) => /index|checkout|fruit-press|cart/.test(name));
    for (const [colorScheme, width, names] of [
        ['light', 1440, kinds], ['dark', 1440, few], ['light', 390, few], ['dark', 390, few],
    ]) {
        await t.test(`no accessibility violations, ${colorScheme}, ${width} wide`, async (t) => {
            const context = await visitor(browser, t,
                { colorScheme, viewport: { width, height: 900 } });
            const page = await context.newPage();
            await fillCart(page, home);
            for (const name of names) {
                await page.goto(`${site.url}/demo/${name}`);
                await ready(page);
                const wide = await page.evaluate(() =>
                    document.documentElement.scrollWidth > window.innerWidth);
                assert.ok(!wide, `${name} scrolls sideways`);
                const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
                assert.deepEqual(violations.map((each) =>
                    `${name}: ${each.id}: ${each.nodes.map((node) => node.html).join(' ')}`), []);
            }
            assert.deepEqual([context.strangers, context.errors], [[], []]);
        });
    }
});
