// Every screen, full, empty, loading and failed: no accessibility violation, no sideways scroll, a
// title, nothing that the policy blocks; a picture of each lies in build/pictures/.
// `--long` (RIPEN_LONG=1): all widths, colours and languages instead of two of them.
// RIPEN_PICTURES=text keeps to screens whose name holds the text.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';
import { serveApi } from './fixtures/server.ts';
import { NOW, atStart, persons, session, signedOut } from './fixtures/shop.ts';
import { serveScreens } from './static_server.mjs';

const isLong = process.argv.includes('--long') || process.env.RIPEN_LONG === '1';
const only = process.env.RIPEN_PICTURES ?? '';
const pictures = path.resolve(import.meta.dirname, '../../../build/pictures');
const person = persons[0].id;
const all = ['full', 'empty', 'loading', 'error'];

const screens = [
    { name: 'start', path: '/start', session: atStart, moods: ['full'] },
    { name: 'start-first', path: '/start', moods: ['full'] },
    { name: 'sign-in', path: '/sign-in', session: signedOut, moods: ['full'] },
    { name: 'home', path: '/w/1/home', moods: all },
    { name: 'live', path: '/w/1/live', moods: ['full', 'empty', 'loading'] },
    { name: 'people', path: '/w/1/people', moods: all },
    {
        name: 'people-filtered', moods: ['full', 'empty'],
        path: `/w/1/people?condition=${encodeURIComponent('plan is "pro"')}&filter=yes`,
    },
    { name: 'person', path: `/w/1/people/${person}`, moods: all },
    { name: 'person-messages', path: `/w/1/people/${person}/messages`, moods: ['full', 'empty'] },
    { name: 'person-raw', path: `/w/1/people/${person}/raw`, moods: ['full'] },
    { name: 'segments', path: '/w/1/segments', moods: all },
    { name: 'segment', path: '/w/1/segments/seg_1', moods: all },
    { name: 'segment-new', path: '/w/1/segments/new', moods: ['full'] },
    { name: 'segment-edit', path: '/w/1/segments/seg_2/edit', moods: ['full', 'loading', 'error'] },
    { name: 'journeys', path: '/w/1/journeys', moods: all },
    { name: 'journey', path: '/w/1/journeys/jrn_1', moods: all },
    { name: 'journey-step', path: '/w/1/journeys/jrn_1?step=l2', moods: ['full'] },
    { name: 'journey-outline', path: '/w/1/journeys/jrn_1?mode=outline', moods: ['full'] },
    { name: 'journey-text', path: '/w/1/journeys/jrn_1?mode=text', moods: ['full'] },
    { name: 'mailbox', path: '/w/1/mailbox', moods: all },
    { name: 'letter', path: '/w/1/mailbox/mail-1', moods: ['full'] },
    { name: 'events', path: '/w/1/events', moods: all },
    { name: 'events-refused', path: '/w/1/events?tab=refused', moods: all },
    { name: 'settings-site', path: '/w/1/settings/site', moods: all },
    { name: 'settings-workspace', path: '/w/1/settings/workspace', moods: ['full'] },
    { name: 'settings-keys', path: '/w/1/settings/keys', moods: all },
    { name: 'settings-senders', path: '/w/1/settings/senders', moods: all },
    { name: 'settings-account', path: '/w/1/settings/account', moods: ['full', 'error'] },
    { name: 'no-screen', path: '/w/1/nowhere', moods: ['full'] },
    {
        name: 'search', path: '/w/1/home', moods: ['full'],
        act: async (page) => {
            await page.keyboard.press('Control+k');
            await page.getByRole('combobox').fill('ay');
            await page.getByRole('option').first().waitFor();
        },
    },
    {
        name: 'keys', path: '/w/1/home', moods: ['full'],
        act: async (page) => {
            await page.keyboard.press('?');
            await page.getByRole('dialog').waitFor();
        },
    },
];

const looks = isLong
    ? [1440, 1280, 1024, 390].flatMap((width) => ['light', 'dark'].flatMap((colours) =>
        ['en', 'ja'].map((language) => ({ width, colours, language }))))
    : [
        { width: 1440, colours: 'light', language: 'en' },
        { width: 390, colours: 'dark', language: 'ja' },
    ];

let browser;
let site;
before(async () => {
    mkdirSync(pictures, { recursive: true });
    site = await serveScreens();
    browser = await chromium.launch({
        executablePath: process.env.RIPEN_CHROMIUM ?? '/usr/bin/chromium',
        args: ['--no-sandbox', '--force-color-profile=srgb', '--disable-gpu'],
    });
});
after(async () => {
    await browser?.close();
    await site?.close();
});

async function open(look, screen, mood) {
    const context = await browser.newContext({
        viewport: { width: look.width, height: look.width < 768 ? 844 : 900 },
        colorScheme: look.colours, locale: look.language, reducedMotion: 'reduce',
        timezoneId: 'Asia/Tokyo',
    });
    await context.addInitScript(
        `if (window === top) localStorage.setItem('ripen.language', '${look.language}')`);
    const page = await context.newPage();
    await page.clock.setSystemTime(new Date(NOW));
    const complaints = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
        const isOurs = mood === 'error' && /status of 5\d\d/.test(message.text());
        // What this test itself puts into every frame, a letter's frame does not run.
        const isFrame = /Blocked script execution in .*:8082/.test(message.text());
        if (message.type() === 'error' && !isOurs && !isFrame
            && !/status of 404/.test(message.text())) {
            complaints.push(message.text());
        }
    });
    await serveApi(page, mood, screen.session ?? session);
    await page.goto(site.origin + screen.path);
    await page.locator('h1').first().waitFor();
    await settled(page);
    if (screen.act) {
        await screen.act(page);
        await settled(page);
    }
    return { context, page, complaints };
}

// Fonts are there, and nothing has changed for a moment.
async function settled(page) {
    await page.evaluate(async () => {
        await document.fonts.ready;
        await new Promise((resolve) => {
            let timer = setTimeout(resolve, 350);
            const watcher = new MutationObserver(() => {
                clearTimeout(timer);
                timer = setTimeout(resolve, 350);
            });
            watcher.observe(document.body, { subtree: true, childList: true, attributes: true });
            setTimeout(resolve, 3000);
        });
    });
}

async function violations(page) {
    const { violations: found } = await new AxeBuilder({ page })
        .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'])
        .exclude('iframe')
        .analyze();
    return found.map((one) =>
        `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.target.join(' ')).join(' | ')}`);
}

for (const look of looks) {
    for (const screen of screens) {
        if (only !== '' && !screen.name.includes(only)) continue;
        for (const mood of screen.moods) {
            const name = [screen.name, mood, look.width, look.colours, look.language].join('-');
            test(`screen ${name} stands`, { timeout: 60_000 }, async () => {
                const { context, page, complaints } = await open(look, screen, mood);
                try {
                    await page.screenshot({ path: path.join(pictures, `${name}.png`) });
                    const title = await page.title();
                    assert.match(title, /\S · Ripen$/, 'the document has a title');
                    const [inner, whole] = await page.evaluate(() =>
                        [window.innerWidth, document.documentElement.scrollWidth]);
                    assert.ok(whole <= inner, `scrolls sideways: ${whole} in ${inner}`);
                    assert.deepEqual(complaints, [], 'the console is quiet');
                    assert.deepEqual(await violations(page), [], 'axe finds nothing');
                } finally {
                    await context.close();
                }
            });
        }
    }
}
