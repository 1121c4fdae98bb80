// The newcomer's first hour against the real server: account, demo shop, a visitor seen at once, a
// segment and a journey made by clicking, a letter an hour later, its link, and the demo gone.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';

import { initialise, makeDirectory, run, serve, until } from '../process/ripen.mjs';
import { launch, visitor } from './pages.mjs';

const HOUR = 3_600_000;

test('the first hour of a newcomer', { timeout: 600_000 }, async (t) => {
    const directory = path.join(makeDirectory(t), 'data');
    const keys = initialise(directory);
    const played = run('demo', '--data', directory, '--persons', '120', '--days', '45', '--json');
    assert.equal(played.status, 0, played.stderr);
    const server = serve({ directory, keys, clock: 'simulated', test: t });
    await server.ready();
    const browser = await launch(t);
    const desk = await visitor(browser, t, { viewport: { width: 1440, height: 900 } });
    const page = await desk.newPage();
    const button = (name) => page.getByRole('button', { name, exact: true });
    let shopUrl, workspace;

    await t.test('the first visit makes the account and leads to the demo', async () => {
        await page.goto(server.url);
        await page.waitForURL('**/start');
        await page.getByRole('textbox', { name: 'Your name' }).fill('Ada');
        await page.getByRole('textbox', { name: 'Email' }).fill('ada@example.test');
        await page.getByRole('textbox', { name: 'Password' }).fill('correct horse battery');
        await button('Create account').click();
        await page.getByText('Look around the demo shop').click();
        await page.waitForURL('**/w/*/home');
        workspace = /\/w\/(\d+)\//.exec(page.url())[1];
        await page.getByRole('heading', { name: 'Home', level: 1 }).waitFor();
        shopUrl = await page.getByRole('link', { name: 'Open the shop' }).getAttribute('href');
    });

    const guest = await visitor(browser, t, { viewport: { width: 390, height: 844 } });
    const shop = await guest.newPage();
    const anonymous = () => shop.evaluate(() => window.ripen.anonymousId());
    const loaded = () => shop.waitForFunction(() =>
        window.ripen && !Array.isArray(window.ripen));
    // As the screens ask: with the session of the desk.
    const ask = (target) => page.evaluate(async ([url, id]) => {
        const answer = await fetch(url, { headers: { 'X-Ripen-Workspace': id } });
        return answer.ok ? answer.json() : null;
    }, [`/api/v1/${target}`, workspace]);
    let person;

    await t.test("a visitor's act is on an open card at once", async (t) => {
        await shop.goto(shopUrl);
        await loaded();
        const id = await anonymous();
        person = await until('the visitor is known', () =>
            ask(`persons/lookup?anonymous_id=${id}`));
        await page.goto(`${server.url}/w/${workspace}/people/${person.id}`);
        await page.getByText('Viewed /demo/').first().waitFor();
        await page.waitForTimeout(500);          // The live stream is open.
        const times = [];
        for (const product of ['jam-pan', 'fruit-press', 'plum-tree']) {
            await shop.goto(new URL(`products/${product}.html`, shopUrl).href);
            const begun = Date.now();
            await page.getByText(`products/${product}.html`).first().waitFor();
            times.push(Date.now() - begun);
        }
        t.diagnostic(`from the page to the open card: ${times.join(', ')} ms`);
    });

    await t.test('a segment is built by clicking; its text is the same condition', async () => {
        await page.goto(`${server.url}/w/${workspace}/segments`);
        await page.getByRole('link', { name: 'New segment' })
            .or(button('New segment')).first().click();
        await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Saw a product');
        await button('Condition').click();
        await page.keyboard.type('Product Viewed');
        await page.getByRole('option', { name: /^did .Product Viewed. event/ }).click();
        const text = page.getByRole('textbox', { name: 'The condition as text' });
        await until('the text follows', async () =>
            /did "Product Viewed"/.test(await text.textContent() || await text.inputValue()));
        await button('Save segment').click();
        await page.waitForURL(/\/segments\/seg_\d+/);
        const saved = await ask(`segments/${/seg_\d+/.exec(page.url())[0]}`);
        assert.equal(saved.condition, 'did "Product Viewed"');
        assert.deepEqual(saved.condition_tree, { did: 'Product Viewed' });
        await until('the visitor is in it', async () => {
            const card = await ask(`persons/${person.id}`);
            return card.segments.some((each) => each.id === saved.id);
        });
    });

    let journey;
    await t.test('a journey is built on the canvas and published', async () => {
        await page.goto(`${server.url}/w/${workspace}/journeys/new`);
        const event = page.getByRole('combobox', { name: 'Event' });
        await event.fill('Checkout Started');
        await page.keyboard.press('Enter');
        await page.getByRole('combobox', { name: 'How often' })
            .selectOption({ label: 'every time' });
        const add = async (step) => {
            await button('Add a step here').last().click();
            await page.getByRole('menuitem', { name: step }).click();
        };
        await add('Wait');
        await page.getByRole('region', { name: 'Wait' }).waitFor();
        await add('Letter');
        const letter = page.getByRole('region', { name: 'Letter' });
        await letter.getByRole('textbox', { name: 'Subject' }).fill('Your basket waits');
        await letter.getByRole('textbox', { name: 'Text', exact: true })
            .fill(`Come back: ${new URL('cart.html', shopUrl).href}`);
        await letter.getByRole('textbox', { name: 'HTML (optional)' })
            .fill(`<p><a href="${new URL('cart.html', shopUrl).href}">Come back</a></p>`);
        // What belongs to no step is shown when none is chosen.
        await page.locator('.react-flow__pane').click({ position: { x: 60, y: 300 } });
        await page.getByRole('region', { name: 'Journey', exact: true })
            .getByRole('textbox', { name: 'Name' }).fill('Left the checkout');
        await button('Publish…').click();
        await button('Publish journey').click();
        await page.waitForURL(/\/journeys\/jrn_\d+/);
        journey = /jrn_\d+/.exec(page.url())[0];
        await until('it is live', async () => (await ask(`journeys/${journey}`)).state === 'running');
    });

    await t.test('who leaves the form gets the letter an hour later, and its link leads back',
        async () => {
            await shop.goto(new URL('products/jam-pan.html', shopUrl).href);
            await shop.click('#add button');
            await shop.goto(new URL('sign-in.html', shopUrl).href);
            await shop.fill('#sign-in input[type=email]', 'guest@example.test');
            await shop.click('#sign-in button');
            await shop.goto(new URL('checkout.html', shopUrl).href);
            await loaded();
            await shop.fill('#city', 'Riga');
            await shop.goto(shopUrl);
            await until('the journey waits for her', async () => {
                const card = await ask('persons/lookup?email=guest%40example.test');
                return card?.journeys?.some((each) => (each.journey_id ?? each.id) === journey);
            });
            await server.moveClock(Date.now() + 2 * HOUR);
            await page.goto(`${server.url}/w/${workspace}/mailbox`);
            await page.getByText('Your basket waits').first().click();
            const letter = (await ask('mailbox?limit=20')).letters
                .find((each) => each.subject === 'Your basket waits');
            assert.equal(letter.to, 'guest@example.test');
            const { html } = await ask(`mailbox/${letter.id}`);
            const link = /href="(https?:[^"]+\/c\/[^"]+)"/.exec(html)[1].replaceAll('&amp;', '&');
            await shop.goto(link);
            assert.match(shop.url(), /\/demo\/cart\.html/);
            // Judged human after ten seconds of the server's time.
            await server.moveClock(Date.now() + 3 * HOUR);
            const back = await ask('persons/lookup?email=guest%40example.test');
            await until('the click is on the card', async () => {
                const rows = await ask(`persons/${back.id}/timeline?limit=50`);
                return rows?.events.some((each) => each.name === 'Email Link Clicked');
            });
        });

    await t.test('one click and its sheet delete the demo', async () => {
        await page.goto(`${server.url}/w/${workspace}/home`);
        await button('Delete demo').click();
        await button('Delete workspace').click();
        await page.waitForURL((url) => !url.pathname.startsWith(`/w/${workspace}/`));
        const state = await page.evaluate(async () =>
            (await fetch('/api/v1/session')).json());
        assert.ok(state.workspaces.every((each) => !each.demo), JSON.stringify(state.workspaces));
        await until('the shop has gone', async () => (await fetch(shopUrl)).status === 404);
    });

    assert.deepEqual(desk.strangers, []);
    assert.deepEqual(guest.strangers, []);
});
