// Whether anything may be stored and sent at all.
import type { Store } from './store.ts';

// True when the browser says that its person does not want to be followed: Global Privacy Control,
// or Do Not Track.
export function objects(navigator: Navigator): boolean {
    const said = navigator as Navigator & { globalPrivacyControl?: boolean };
    return said.globalPrivacyControl === true || said.doNotTrack === '1';
}

export type Consent = 'yes' | 'no' | null;

const KEY = 'consent';

export function readConsent(store: Store): Consent {
    return store.get(KEY) as Consent;
}

// A refusal takes away all that was stored, and is itself remembered.
export function writeConsent(store: Store, given: boolean): void {
    if (!given) store.keys('').forEach(store.remove);
    store.set(KEY, given ? 'yes' : 'no');
}
