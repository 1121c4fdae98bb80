// Takes the outbox to the server: one request at a time, again after failures, with pauses that
// double and that all tabs keep. What the answers mean is written in docs/api.md.
import type { Batch, Outbox } from './outbox.ts';
import type { Store } from './store.ts';

const GATHER_MS = 20;   // Events of one moment travel together.
export const PAUSE_MS = 1000;
export const PAUSE_MAX_MS = 5 * 60 * 1000;

// The status of the answer and its Retry-After in seconds; null: there was no answer.
export interface Answer {
    status: number;
    retryAfterS: number;
}

export interface Wire {
    post(body: string): Promise<Answer | null>;
    // For a page that is closing: the browser sends it afterwards and nobody hears the answer.
    beacon(body: string): void;
}

export interface Delivery {
    soon(): void;
    // Now, whatever pause is on: the network is back.
    now(): void;
    leave(): void;
}

interface Clock {
    now(): number;
    later(act: () => void, ms: number): void;
    random(): number;
}

const UNTIL = 'pause';

// True when sending the same again would change nothing: it was taken, or never will be.
function isSettled(status: number): boolean {
    return status < 500 ? ![408, 410, 425, 429, 460].includes(status)
        : [501, 505, 511].includes(status);
}

export function createDelivery(outbox: Outbox, store: Store, wire: Wire, clock: Clock): Delivery {
    let underWay: Batch | null = null;
    let failures = 0;
    let due = Infinity;   // When the next sending is planned.

    const pauseLeft = (): number => {
        const left = Number(store.get(UNTIL)) - clock.now();
        return left > 0 && left <= PAUSE_MAX_MS ? left : 0;   // More: the clock was moved.
    };
    const plan = (ms: number): void => {
        const at = clock.now() + ms;
        if (at >= due) return;
        due = at;
        clock.later(() => {
            if (due !== at) return;
            due = Infinity;
            send();
        }, ms);
    };
    const pause = (retryAfterS: number): void => {
        const doubled = PAUSE_MS * 2 ** failures++ * (0.5 + clock.random() / 2);
        const ms = Math.min(PAUSE_MAX_MS, Math.max(doubled, retryAfterS * 1000 || 0));
        store.set(UNTIL, String(clock.now() + ms));
        plan(ms);
    };
    const send = (): void => {
        if (underWay) return;
        const left = pauseLeft();
        if (left) return plan(left);
        const batch = underWay = outbox.next(clock.now());
        if (!batch) return;
        wire.post(batch.body).then((answer) => {
            underWay = null;
            if (!answer || !isSettled(answer.status)) return pause(answer ? answer.retryAfterS : 0);
            failures = 0;
            outbox.remove(batch.keys);
            plan(0);
        });
    };
    return {
        soon: () => plan(Math.max(GATHER_MS, pauseLeft())),
        now() {
            store.remove(UNTIL);
            send();
        },
        // What is told so stays in the outbox: the next page sends it again, and the server counts
        // it once.
        leave() {
            if (pauseLeft()) return;
            const batch = outbox.next(clock.now(), underWay ? underWay.keys : []);
            if (batch) wire.beacon(batch.body);
        },
    };
}
