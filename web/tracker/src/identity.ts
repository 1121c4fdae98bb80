// Who acts: the anonymous id of this browser, and the user id that the site has told.
import type { Cookie } from './cookie.ts';
import { parse, type Store } from './store.ts';
import { unique } from './unique.ts';

export interface Identity {
    // Read anew each time: another tab may have changed it.
    anonymousId(): string;
    userId(): string | undefined;
    signature(): unknown;
    become(userId: string, signature: unknown): void;
    // The next one is a stranger, with another anonymous id.
    forget(): void;
}

interface User {
    id: string;
    signature: unknown;
}

const ANONYMOUS = 'id';
const USER = 'user';

export function createIdentity(store: Store, cookie: Cookie): Identity {
    const user = (): Partial<User> => parse<User>(store.get(USER));
    const keep = (id: string): string => {
        store.set(ANONYMOUS, id);
        cookie.write(id);
        return id;
    };
    return {
        anonymousId: () => cookie.read() || keep(store.get(ANONYMOUS) || unique()),
        userId: () => user().id,
        signature: () => user().signature,
        become: (id, signature) => store.set(USER, JSON.stringify({ id, signature })),
        forget() {
            store.remove(USER);
            keep(unique());
        },
    };
}
