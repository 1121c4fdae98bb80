// Visits: acts with less than 30 minutes between them. Arriving by another campaign begins a new
// one. All tabs of a site share the visit.
import { parse, type Store } from './store.ts';
import { unique } from './unique.ts';

export const VISIT_IDLE_MS = 30 * 60 * 1000;

export interface Visit {
    id: string;
    number: number;   // 1 for the first visit of this browser.
}

export interface Visits {
    // An act at `now`. `campaign`: the tags of the page, if it has any.
    touch(now: number, campaign?: string): Visit;
    forget(): void;
}

interface Kept extends Visit {
    last: number;
    tags: string | undefined;
}

const KEY = 'visit';

export function createVisits(store: Store): Visits {
    return {
        touch(now, campaign) {
            let { id, number = 0, last = 0, tags } = parse<Kept>(store.get(KEY));
            if (!id || now - last >= VISIT_IDLE_MS || (campaign && campaign !== tags)) {
                id = unique();
                ++number;
                tags = campaign;
            }
            store.set(KEY, JSON.stringify({ id, number, last: now, tags }));
            return { id, number };
        },
        forget: () => store.remove(KEY),
    };
}
