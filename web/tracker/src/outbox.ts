// Events on their way. An event stays here until the server has answered for it, over reloads and
// restarts of the browser; its messageId stays the same, by which the server counts it once.
//
// A held event waits for its page to be left: it is written when the page is hidden, since a
// phone may end a hidden page without a word, and goes out when it has not been taken back.
import type { TrackedEvent } from './event.ts';
import { parse, type Store } from './store.ts';
import { VISIT_IDLE_MS } from './visit.ts';

// A keepalive request and what is under way beside it may have 64 KiB (Fetch, "HTTP-network-or-
// cache fetch"). An event of the server's limit fits: 32 KB.
export const BATCH_BYTES_MAX = 48 * 1024;
export const EVENT_BYTES_MAX = 32_000;
// The oldest goes.
export const EVENTS_MAX = 200;
// The server knows a messageId again for seven days; older ones might count twice.
export const KEPT_MS = 6 * 24 * 60 * 60 * 1000;

const QUEUED = 'q.';
const HELD = 'h.';

export interface Batch {
    keys: string[];
    body: string;
}

export interface Outbox {
    add(event: TrackedEvent): void;
    hold(event: TrackedEvent): void;
    takeBack(messageId: string): void;
    // What has been held for half an hour is sent: the page is gone, or nobody has looked at it.
    release(now: number): void;
    // The oldest events that fit in one request, without `except`. Null: nothing to send.
    next(now: number, except?: readonly string[]): Batch | null;
    remove(keys: readonly string[]): void;
}

function ageOf(text: string | null, now: number): number {
    return now - Date.parse(parse<TrackedEvent>(text).timestamp!);
}

function bytesOf(text: string): number {
    return new Blob([text]).size;
}

export function createOutbox(store: Store, writeKey: string): Outbox {
    const put = (prefix: string, event: TrackedEvent): void => {
        const text = JSON.stringify(event);
        if (bytesOf(text) > EVENT_BYTES_MAX) throw new Error(`over ${EVENT_BYTES_MAX} bytes`);
        const keys = store.keys(prefix);
        keys.slice(0, Math.max(0, keys.length + 1 - EVENTS_MAX)).forEach(store.remove);
        store.set(prefix + event.messageId, text);
    };
    return {
        add(event) {
            put(QUEUED, event);
            store.remove(HELD + event.messageId);
        },
        hold: (event) => put(HELD, event),
        takeBack: (messageId) => store.remove(HELD + messageId),
        release(now) {
            for (const key of store.keys(HELD)) {
                const text = store.get(key);
                if (text && ageOf(text, now) >= VISIT_IDLE_MS) {
                    store.set(QUEUED + key.slice(HELD.length), text);
                    store.remove(key);
                }
            }
        },
        next(now, except = []) {
            const batch: string[] = [];
            const keys: string[] = [];
            let bytes = 0;
            for (const key of store.keys(QUEUED)) {
                const text = store.get(key);
                if (except.includes(key)) continue;
                // Another tab has been answered for it; too old; or not ours.
                if (!text || !(ageOf(text, now) <= KEPT_MS)) {
                    store.remove(key);
                    continue;
                }
                bytes += bytesOf(text) + 1;
                if (bytes > BATCH_BYTES_MAX - 256) break;
                batch.push(text);
                keys.push(key);
            }
            if (!keys.length) return null;
            const end = JSON.stringify({ writeKey, sentAt: new Date(now).toISOString() }).slice(1);
            return { keys, body: `{"batch":[${batch}],${end}` };
        },
        remove: (keys) => keys.forEach(store.remove),
    };
}
