// What the tests share: a storage, a clock that stands still, a server that answers as told.
import type { Answer, Wire } from './delivery.ts';
import type { Scene, TrackedEvent } from './event.ts';
import { createStore, type Store } from './store.ts';

export function createStorage(roomBytes = Infinity): Storage {
    const kept: Record<string, string> = {};
    const methods = {
        getItem: (key: string) => (key in kept ? kept[key]! : null),
        setItem(key: string, value: string) {
            if (value.length > roomBytes) throw new Error('QuotaExceededError');
            kept[key] = value;
        },
        removeItem: (key: string) => void delete kept[key],
    };
    // As browsers do: the keys are properties of the storage itself.
    return new Proxy(kept, {
        get: (target, key) => methods[key as 'getItem'] ?? target[key as string],
    }) as unknown as Storage;
}

export function memoryStore(): Store {
    return createStore(() => undefined);
}

export class FakeClock {
    time = Date.parse('2026-01-05T10:00:00Z');
    private plans: { at: number; act: () => void }[] = [];

    now = (): number => this.time;
    random = (): number => 1;
    later = (act: () => void, ms = 0): void => {
        this.plans.push({ at: this.time + ms, act });
    };

    // Runs what is due on the way, in order; answers of the wire arrive in between.
    async forward(ms: number): Promise<void> {
        const end = this.time + ms;
        for (;;) {
            await new Promise(setImmediate);
            this.plans.sort((a, b) => a.at - b.at);
            if (!this.plans.length || this.plans[0]!.at > end) break;
            const next = this.plans.shift()!;
            this.time = Math.max(this.time, next.at);
            next.act();
        }
        this.time = end;
    }
}

export interface Sent {
    at: number;
    ids: string[];
    body: { batch: TrackedEvent[]; writeKey: string; sentAt: string };
}

// Answers by `answers`, one after the other; 200 when they are used up.
export class FakeWire implements Wire {
    readonly posts: Sent[] = [];
    readonly beacons: Sent[] = [];
    answers: (Answer | null | Promise<Answer | null>)[] = [];
    private now: () => number;

    constructor(now: () => number) {
        this.now = now;
    }

    post(text: string): Promise<Answer | null> {
        this.posts.push(this.read(text));
        const next = this.answers.shift();
        return Promise.resolve(next === undefined ? { status: 200, retryAfterS: 0 } : next);
    }

    beacon(text: string): void {
        this.beacons.push(this.read(text));
    }

    // What the server knows: each messageId once.
    get stored(): TrackedEvent[] {
        const known = new Map<string, TrackedEvent>();
        for (const sent of [...this.posts, ...this.beacons]) {
            for (const event of sent.body.batch) {
                if (!known.has(event.messageId)) known.set(event.messageId, event);
            }
        }
        return [...known.values()];
    }

    private read(text: string): Sent {
        const body = JSON.parse(text) as Sent['body'];
        return { at: this.now(), body, ids: body.batch.map((event) => event.messageId) };
    }
}

export const SCENE: Scene = {
    page: { path: '/pricing', url: 'https://shop.test/pricing', referrer: '', search: '',
        title: 'Pricing' },
    campaign: undefined,
    visit: { id: 'v1', number: 1 },
};

export function makeEvent(messageId: string, at: number, more = ''): TrackedEvent {
    return {
        type: 'track', event: 'Step', messageId, timestamp: new Date(at).toISOString(),
        anonymousId: 'a1', context: {}, properties: { more },
    };
}
