// window.ripen: what a site may call. Before the script has come it is a plain array that takes
// the same commands: ripen.push(['track', 'Signed Up', {plan: 'pro'}]).
import type { Properties } from './event.ts';
import { guard } from './guard.ts';
import type { Options } from './options.ts';
import { objects, readConsent, writeConsent } from './privacy.ts';
import type { Store } from './store.ts';
import type { Tracker } from './tracker.ts';

export type Command = [name: string, ...parameters: unknown[]];

export interface Ripen {
    // Who this is, by the site's own id; or only what is known of somebody nameless.
    // `options.signature`: proof from the site's server (docs/formats/event.md).
    identify(id?: string | number | null | Properties, traits?: Properties,
        options?: { signature?: unknown }): void;
    track(name: string, properties?: Properties): void;
    page(name?: string, properties?: Properties): void;
    // Somebody signed out: the next acts are a stranger's.
    reset(): void;
    // Yes or no of the visitor. No: stops, and takes away what was stored.
    consent(given: boolean): void;
    // The id of this browser, for a server that wants to speak of the same person; '' while
    // nothing may be stored.
    anonymousId(): string;
    push(...commands: Command[]): void;
}

const WAITING_MAX = 100;

export function createCommands(
    navigator: Navigator, options: Options, store: Store, createTracker: () => Tracker,
): Ripen {
    const waiting: (() => void)[] = [];
    let tracker: Tracker | null = null;
    let running = false;

    const forbidden = options.signals && objects(navigator);
    const begin = (): void => {
        running = true;
        tracker = tracker || createTracker();
        tracker.begin();
        waiting.splice(0).forEach((act) => act());
    };
    const command = <Parameters extends unknown[]>(
        act: (to: Tracker, ...parameters: Parameters) => void,
    ) => (...parameters: Parameters): void => {
        const run = guard(() => act(tracker!, ...parameters));
        if (running) run();
        else if (!forbidden && waiting.length < WAITING_MAX) waiting.push(run);
    };
    const ripen: Ripen = {
        identify: command((to, id, traits, more) => {
            const nameless = typeof id === 'object' && id;
            to.identify(nameless || id == null ? undefined : String(id),
                nameless || traits || {}, more && more.signature);
        }),
        track: command((to, name, properties) => to.track(String(name), properties || {})),
        page: command((to, name, properties) => to.page(name, properties)),
        reset: command((to) => to.reset()),
        consent: guard((given: boolean) => {
            if (forbidden) return;
            if (!given) {
                running = false;
                waiting.length = 0;
                if (tracker) tracker.end();
            }
            writeConsent(store, given);
            if (given && !running) begin();
        }),
        anonymousId: () => (running && tracker ? tracker.anonymousId() : ''),
        push: (...commands) => commands.forEach(guard(([name, ...parameters]) => {
            const act = ripen[name as keyof Ripen] as (...all: unknown[]) => unknown;
            act(...parameters);
        })),
    };
    const consent = forbidden ? 'no' : readConsent(store);
    if (consent === 'yes' || (consent !== 'no' && !options.consent)) begin();
    return ripen;
}
