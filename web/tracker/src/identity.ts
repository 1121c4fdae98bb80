// Who acts: the anonymous id of this browser, and the user id that the site has told.
import type { Cookie } from './cookie.ts';
import type { Store } from './store.ts';
import { unique } from './unique.ts';

export interface Identity {
    // Read anew each time: another tab may have changed it.
    anonymousId(): string;
    userId(): string | undefined;
    signature(): unknown;
    // Another user than before is another person: she gets an anonymous id of her own, so that a
    // shared browser does not mix two people.
    become(userId: string, signature: unknown): void;
    forget(): void;
}

const ANONYMOUS = 'id';
const USER = 'user';

export function createIdentity(store: Store, cookie: Cookie): Identity {
    const user = (): { id?: string; signature?: unknown } => JSON.parse(store.get(USER) ?? '{}');
    const renew = (): string => {
        const id = unique();
        store.set(ANONYMOUS, id);
        cookie.write(id);
        return id;
    };
    return {
        anonymousId() {
            const id = cookie.read() ?? store.get(ANONYMOUS);
            if (!id) return renew();
            return id;
        },
        userId: () => user().id,
        signature: () => user().signature,
        become(id, signature) {
            const before = user().id;
            if (before && before !== id) renew();
            store.set(USER, JSON.stringify({ id, signature }));
        },
        forget() {
            store.remove(USER);
            renew();
        },
    };
}
