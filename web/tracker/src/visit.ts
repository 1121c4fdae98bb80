// Visits: acts with less than 30 minutes between them. Arriving by another campaign begins a new
// one. All tabs of a site share the visit.
import type { Store } from './store.ts';
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

const KEY = 'visit';

export function createVisits(store: Store): Visits {
    return {
        touch(now, campaign) {
            const kept = JSON.parse(store.get(KEY) ?? '{}');
            if (!kept.id || now - kept.last >= VISIT_IDLE_MS ||
                (campaign && campaign !== kept.campaign)) {
                kept.id = unique();
                kept.number = (kept.number || 0) + 1;
                kept.campaign = campaign;
            }
            kept.last = now;
            store.set(KEY, JSON.stringify(kept));
            return { id: kept.id, number: kept.number };
        },
        forget: () => store.remove(KEY),
    };
}
