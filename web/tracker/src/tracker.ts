// The parts joined to one page: what the browser tells goes to the part it concerns.
import { createAttention } from './attention.ts';
import { createCookie } from './cookie.ts';
import { createDelivery, type Wire } from './delivery.ts';
import type { Properties } from './event.ts';
import { createForms } from './forms.ts';
import { listen } from './guard.ts';
import { createIdentity } from './identity.ts';
import { watchNavigation } from './navigation.ts';
import type { Options } from './options.ts';
import { createOutbox } from './outbox.ts';
import { createPageView } from './page_view.ts';
import { createRecorder } from './recorder.ts';
import type { Store } from './store.ts';
import { createVisits, VISIT_IDLE_MS } from './visit.ts';

// After its address has changed, a page gets this long to change its title.
const TITLE_MS = 30;

export interface Tracker {
    begin(): void;
    end(): void;
    identify(userId: string | undefined, traits: Properties, signature?: unknown): void;
    track(event: string, properties: Properties): void;
    page(name?: string, properties?: Properties): void;
    reset(): void;
    anonymousId(): string;
}

export function createTracker(
    window: Window, options: Options, store: Store, wire: Wire, now: () => number,
): Tracker {
    const { document } = window;
    const later = (act: () => void, ms: number): void => void window.setTimeout(act, ms);
    const cookie = createCookie(document, options.domain);
    const identity = createIdentity(store, cookie);
    const visits = createVisits(store);
    const outbox = createOutbox(store, options.key);
    const delivery = createDelivery(outbox, store, wire, { now, later, random: Math.random });
    const recorder = createRecorder({ window, identity, visits, outbox, delivery, now });
    const view = createPageView(recorder, createAttention(window, now));

    let running = false;
    let listening = false;
    let hiddenAt = 0;
    let before = document.referrer;   // Where the next page is reached from.
    let shown = '';                   // Address of the page entered last.
    let moved = false;                // The address has changed, its page is not entered yet.

    const enter = (name?: string, properties?: Properties): void => {
        moved = false;
        view.enter(before, name, properties);
        before = shown = window.location.href;
    };
    const arrive = (): void => {
        if (moved && running) enter();
    };
    const reset = (): void => {
        forms.leave(true);
        view.leave();
        identity.forget();
        visits.forget();
    };
    const identify: Tracker['identify'] = (userId, traits, signature) => {
        if (userId) {
            const user = identity.userId();
            // Another user is another person: a shared browser does not mix two people.
            if (user && user !== userId) reset();
            identity.become(userId, signature);
        }
        recorder.record({ type: 'identify', traits });
    };
    const forms = createForms(recorder, now, (traits) => identify(undefined, traits));

    const release = (): void => {
        outbox.release(now());
        delivery.soon();
    };
    // Hidden for so long that the page counts as left when it was hidden.
    const forgotten = (): boolean => {
        if (!hiddenAt || now() - hiddenAt < VISIT_IDLE_MS) return false;
        release();
        forms.drop();
        view.drop();
        return true;
    };
    const hide = (): void => {
        hiddenAt = now();
        view.hide();
        forms.hide();
        later(release, VISIT_IDLE_MS);
    };
    const show = (): void => {
        // Coming back late is a new page of a new visit.
        if (forgotten()) {
            if (options.pages) enter();
        } else {
            forms.show();
            view.show();
        }
        hiddenAt = 0;
    };
    const leave = (): void => {
        arrive();
        if (!forgotten()) {
            forms.leave(true);
            view.leave();
        }
        delivery.leave();
    };
    const navigated = (): void => {
        view.leave();
        moved = true;
        later(arrive, TITLE_MS);
        later(() => running && forms.leave(false), 1000);
    };
    const attach = (): void => {
        listening = true;
        const on = <Heard extends Event>(
            target: EventTarget, name: string, act: (event: Heard) => void,
        ): void => listen<Heard>(target, name, (event) => {
            if (running) act(event);
        });
        on(document, 'visibilitychange', () =>
            document.visibilityState === 'hidden' ? hide() : show());
        on(window, 'pagehide', leave);
        on<PageTransitionEvent>(window, 'pageshow', (event) => {
            if (event.persisted && options.pages && !view.open) enter();
        });
        on(window, 'scroll', view.scrolled);
        on(window, 'online', delivery.now);
        // What a script does by itself is nobody's act.
        on(document, 'input', (event) => event.isTrusted && forms.touched(event.target));
        on(document, 'submit', (event) => event.isTrusted && forms.sent(event.target));
        if (options.pages) {
            watchNavigation(window, options.hash, () => running && navigated());
        }
    };
    return {
        begin() {
            running = true;
            if (!listening) attach();
            if (options.pages) enter();
            else recorder.enter(before);
            release();
        },
        end() {
            running = false;
            cookie.remove();
        },
        identify(userId, traits, signature) {
            arrive();
            identify(userId, traits, signature);
        },
        track(event, properties) {
            arrive();
            recorder.record({ type: 'track', event, properties });
        },
        page(name, properties) {
            // Called at each change of address by habit: that page is recorded already.
            if (options.pages && !name && !properties &&
                (moved || shown === window.location.href)) return;
            enter(name, properties);
        },
        reset,
        anonymousId: () => identity.anonymousId(),
    };
}
