// The parts together on a page that is none: happy-dom instead of a browser.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Window as Page } from 'happy-dom';

import { createCommands, type Ripen } from './commands.ts';
import type { TrackedEvent } from './event.ts';
import { readOptions, type Options } from './options.ts';
import { createStore, type Store } from './store.ts';
import { FakeClock, FakeWire, createStorage } from './testing.ts';
import { createTracker } from './tracker.ts';
import { VISIT_IDLE_MS } from './visit.ts';

interface Site {
    url?: string;
    storage?: Storage;
    clock?: FakeClock;
    options?: Partial<Options>;
    navigator?: Record<string, unknown>;
}

const OPTIONS: Options = {
    key: 'pk_1', server: 'https://ripen.test', domain: undefined, hash: false, pages: true,
    consent: false, signals: true,
};

function visit(site: Site = {}) {
    const page = new Page({ url: site.url ?? 'https://shop.test/' });
    const window = page as unknown as Window;
    const clock = site.clock ?? new FakeClock();
    const storage = site.storage ?? createStorage();
    const store: Store = createStore(() => storage);
    const wire = new FakeWire(clock.now);
    window.setTimeout = clock.later as unknown as typeof window.setTimeout;
    let visible = true;
    Object.defineProperty(window.document, 'visibilityState', {
        configurable: true, get: () => (visible ? 'visible' : 'hidden'),
    });
    for (const [name, value] of Object.entries(site.navigator ?? {})) {
        Object.defineProperty(window.navigator, name, { configurable: true, value });
    }
    const options = { ...OPTIONS, ...site.options };
    const ripen: Ripen = createCommands(window.navigator, options, store,
        () => createTracker(window, options, store, wire, clock.now));
    const happens = (target: EventTarget, name: string): void => {
        target.dispatchEvent(new page.Event(name) as unknown as Event);
    };
    return {
        window, clock, storage, wire, ripen, store,
        show(shown: boolean) {
            visible = shown;
            happens(window.document, 'visibilitychange');
        },
        leave: () => happens(window, 'pagehide'),
        async settle(ms = 50): Promise<TrackedEvent[]> {
            await clock.forward(ms);
            return wire.stored;
        },
    };
}

const names = (events: TrackedEvent[]): string[] =>
    events.map((event) => event.event ?? `${event.type} ${String(event.properties?.path ?? '')}`);

test('a page is told with its address, where it was reached from and its tags', async () => {
    const { settle } = visit({ url: 'https://shop.test/a?utm_source=x&utm_medium=cpc&gclid=7' });
    const [page] = await settle();
    assert.equal(page!.type, 'page');
    const context = page!.context as Record<string, Record<string, unknown>>;
    assert.equal(context.page!.url, 'https://shop.test/a?utm_source=x&utm_medium=cpc&gclid=7');
    assert.deepEqual(context.campaign, { source: 'x', medium: 'cpc' });
    assert.equal(context.visit!.number, 1);
    assert.equal(page!.properties!.path, '/a');
});

test('leaving tells once how long the page was seen, without the background', async () => {
    const site = visit();
    await site.settle(60_000);
    site.show(false);
    await site.settle(600_000);
    site.show(true);
    await site.settle(30_000);
    site.leave();
    site.show(false);
    const left = site.wire.stored.filter((event) => event.event === 'Page Left');
    assert.equal(left.length, 1);
    assert.equal(left[0]!.properties!.visible_seconds, 90);
    assert.equal(left[0]!.properties!.path, '/');
});

test('what leaving tells names the page view it closes', async () => {
    const site = visit();
    await site.settle();
    site.leave();
    const [page, left] = site.wire.stored;
    assert.equal(left!.properties!.page_message_id, page!.messageId);
});

test('a page that vanished while hidden is told by the next one, half an hour later', async () => {
    const site = visit();
    await site.settle(10_000);
    site.show(false);   // And never a word again.
    const soon = visit({ storage: site.storage, clock: site.clock });
    assert.deepEqual(names(await soon.settle()), ['page /']);
    site.clock.time += VISIT_IDLE_MS;
    const later = visit({ storage: site.storage, clock: site.clock });
    const told = await later.settle();
    assert.equal(names(told).filter((name) => name === 'Page Left').length, 1);
    const left = told.find((event) => event.event === 'Page Left')!;
    assert.equal(left.properties!.visible_seconds, 10);
});

test('coming back to a tab after half an hour is a new page of a new visit', async () => {
    const site = visit();
    await site.settle(10_000);
    site.show(false);
    await site.settle(VISIT_IDLE_MS);
    site.show(true);
    const told = await site.settle();
    assert.deepEqual(names(told), ['page /', 'Page Left', 'page /']);
    const numbers = told.map((event) =>
        (event.context as { visit: { number: number } }).visit.number);
    assert.deepEqual(numbers, [1, 1, 2]);
    site.leave();
    assert.equal(site.wire.stored.at(-1)!.event, 'Page Left');
});

test('a changed address is another page, reached from the one before', async () => {
    const site = visit();
    await site.settle();
    site.window.history.pushState({}, '', '/two');
    site.window.document.title = 'Two';
    const told = await site.settle();
    assert.deepEqual(names(told), ['page /', 'Page Left', 'page /two']);
    const page = (told[2]!.context as { page: Record<string, string> }).page;
    assert.equal(page.referrer, 'https://shop.test/');
    assert.equal(page.title, 'Two');
});

test('a state that keeps the address is no page, nor is a # unless it is asked for', async () => {
    for (const hash of [false, true]) {
        const site = visit({ options: { hash } });
        site.window.history.replaceState({ scroll: 7 }, '');
        site.window.history.pushState({}, '', '/#part');
        const told = await site.settle();
        assert.equal(told.filter((event) => event.type === 'page').length, hash ? 2 : 1);
    }
});

test('a redirect right after a change of address is one page', async () => {
    const site = visit();
    await site.settle();
    site.window.history.pushState({}, '', '/old');
    site.window.history.replaceState({}, '', '/new');
    assert.deepEqual(names(await site.settle()), ['page /', 'Page Left', 'page /new']);
});

test('what is tracked right after a change of address belongs to the new page', async () => {
    const site = visit();
    await site.settle();
    site.window.history.pushState({}, '', '/two');
    site.ripen.track('Product Viewed', { id: 2 });
    const told = await site.settle();
    assert.deepEqual(names(told), ['page /', 'Page Left', 'page /two', 'Product Viewed']);
    assert.equal((told[3]!.context as { page: { path: string } }).page.path, '/two');
});

test('page() called by habit tells a page once; with a name it is a page of its own', async () => {
    const site = visit();
    site.ripen.page();
    assert.equal((await site.settle()).filter((event) => event.type === 'page').length, 1);
    site.ripen.page('Step 2', { step: 2 });
    const told = await site.settle();
    assert.equal(told.at(-1)!.name, 'Step 2');
    assert.equal(told.at(-1)!.properties!.step, 2);
});

test('a site that tells its pages itself hears of no others', async () => {
    const site = visit({ options: { pages: false } });
    site.window.history.pushState({}, '', '/two');
    assert.deepEqual(await site.settle(), []);
    site.ripen.page();
    assert.deepEqual(names(await site.settle()), ['page /two']);
});

test('an identified person keeps her id on the pages that follow', async () => {
    const site = visit();
    site.ripen.identify(42, { plan: 'pro' }, { signature: 'proof' });
    const told = await site.settle();
    assert.deepEqual([told[1]!.type, told[1]!.userId, told[1]!.traits],
        ['identify', '42', { plan: 'pro' }]);
    const next = visit({ storage: site.storage, clock: site.clock });
    const [page] = await next.settle();
    assert.equal(page!.userId, '42');
    assert.equal(page!.anonymousId, told[0]!.anonymousId);
    assert.deepEqual(page!.context.ripen, { signature: 'proof' });
});

test('somebody without an id can be described', async () => {
    const site = visit();
    site.ripen.identify({ email: 'ada@example.com' });
    const told = await site.settle();
    assert.equal(told[1]!.userId, undefined);
    assert.deepEqual(told[1]!.traits, { email: 'ada@example.com' });
});

test('a second user of the same browser is a second person', async () => {
    const site = visit();
    site.ripen.identify('u1');
    site.ripen.identify('u1', { plan: 'pro' });
    site.ripen.identify('u2');
    const told = (await site.settle()).filter((event) => event.type === 'identify');
    assert.equal(told[0]!.anonymousId, told[1]!.anonymousId);
    assert.notEqual(told[1]!.anonymousId, told[2]!.anonymousId);
    assert.equal(told[2]!.userId, 'u2');
});

test('after a reset the acts are a stranger’s, the page before stays its reader’s', async () => {
    const site = visit();
    site.ripen.identify('u1');
    site.ripen.reset();
    site.ripen.track('Viewed');
    const told = await site.settle();
    const left = told.find((event) => event.event === 'Page Left')!;
    const viewed = told.find((event) => event.event === 'Viewed')!;
    assert.equal(left.userId, 'u1');
    assert.equal(viewed.userId, undefined);
    assert.notEqual(viewed.anonymousId, left.anonymousId);
});

for (const [what, navigator] of Object.entries({
    'Global Privacy Control': { globalPrivacyControl: true },
    'Do Not Track': { doNotTrack: '1' },
})) {
    test(`with ${what} nothing is stored and nothing sent`, async () => {
        const site = visit({ navigator });
        site.ripen.identify('u1');
        site.ripen.track('Step');
        site.ripen.consent(true);
        site.leave();
        assert.deepEqual(await site.settle(60_000), []);
        assert.deepEqual(Object.keys(site.storage), []);
        assert.equal(site.window.document.cookie, '');
        assert.equal(site.ripen.anonymousId(), '');
    });

    test(`a site may answer for itself and ignore ${what}`, async () => {
        const site = visit({ navigator, options: { signals: false } });
        assert.equal((await site.settle()).length, 1);
    });
}

test('required consent is waited for: nothing is stored or sent, nothing lost', async () => {
    const site = visit({ options: { consent: true } });
    site.ripen.track('Step');
    assert.deepEqual(await site.settle(60_000), []);
    assert.deepEqual(Object.keys(site.storage), []);
    site.ripen.consent(true);
    assert.deepEqual(names(await site.settle()), ['page /', 'Step']);
    const next = visit({ storage: site.storage, clock: site.clock, options: { consent: true } });
    assert.equal((await next.settle()).length, 1);
});

test('consent taken back ends everything, for the next page too', async () => {
    const site = visit();
    await site.settle();
    site.ripen.track('Step');
    site.ripen.consent(false);
    site.ripen.track('Step');
    site.show(false);
    site.leave();
    assert.deepEqual(names(await site.settle(60_000)), ['page /']);
    assert.deepEqual(Object.keys(site.storage), ['ripen.consent']);
    assert.equal(site.window.document.cookie, '');
    const next = visit({ storage: site.storage, clock: site.clock });
    assert.deepEqual(await next.settle(60_000), []);
});

test('commands pushed before the script came are carried out in order', async () => {
    const site = visit();
    site.ripen.push(['identify', 'u1'], ['track', 'Step', { n: 1 }]);
    assert.deepEqual((await site.settle()).map((event) => event.type),
        ['page', 'identify', 'track']);
});

test('nothing is thrown into the page', async (t) => {
    const warned = t.mock.method(console, 'warn', () => undefined);
    const site = visit();
    const ring: Record<string, unknown> = {};
    ring.self = ring;
    site.ripen.track('Ring', ring);
    site.ripen.track('Large', { text: 'x'.repeat(40_000) });
    site.ripen.push(['nothing'], null as never, ['track', 'Step']);
    assert.deepEqual(names(await site.settle()), ['page /', 'Step']);
    assert.equal(warned.mock.callCount(), 4);
});

test('texts arrive as they were given', async () => {
    const site = visit();
    const text = '"><script>alert(1)</script>\u0000\ud83d\ude00 ‮';
    site.ripen.track('Step', { text });
    assert.equal((await site.settle())[1]!.properties!.text, text);
});

test('what a script does to a form is nobody’s act', async () => {
    const site = visit();
    site.window.document.body.innerHTML = '<form id="f"><input name="a"></form>';
    const field = site.window.document.querySelector('input')!;
    const bubbling = { bubbles: true } as EventInit;
    const Event = (site.window as unknown as { Event: typeof globalThis.Event }).Event;
    field.dispatchEvent(new Event('input', bubbling));
    assert.deepEqual(names(await site.settle()), ['page /']);
});

test('the snippet tells the key, and the script’s own server unless it names another', () => {
    const script = (attributes: Record<string, string>): HTMLScriptElement => {
        const element = new Page().document.createElement('script');
        element.setAttribute('src', 'https://ripen.test:8443/ripen.js?v=1');
        for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
        return element as unknown as HTMLScriptElement;
    };
    assert.equal(readOptions(null), null);
    assert.equal(readOptions(script({})), null);
    assert.deepEqual(readOptions(script({ 'data-key': 'pk_1' })),
        { ...OPTIONS, server: 'https://ripen.test:8443' });
    assert.deepEqual(readOptions(script({
        'data-key': 'pk_1', 'data-server': 'https://other.test/', 'data-hash': '',
        'data-domain': '.shop.test', 'data-pages': 'manual', 'data-consent': 'required',
        'data-signals': 'ignore',
    })), {
        key: 'pk_1', server: 'https://other.test', domain: '.shop.test', hash: true, pages: false,
        consent: true, signals: false,
    });
});
