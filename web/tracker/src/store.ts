// Texts kept from page to page and shared by the tabs of a site. Every value has a key of its own:
// two tabs never overwrite each other's. Where the browser forbids storage, or has no room left,
// texts live as long as the page.

export const PREFIX = 'ripen.';

export interface Store {
    get(key: string): string | null;
    set(key: string, value: string): void;
    remove(key: string): void;
    // Keys that begin with `prefix`, in rising order.
    keys(prefix: string): string[];
}

// The object that a text is, {} for anything else: whoever shares the storage cannot stop us.
export function parse<Value>(text: string | null): Partial<Value> {
    try {
        return JSON.parse(text!) || {};
    } catch {
        return {};
    }
}

// `open` gives localStorage; reading the very property throws where storage is forbidden.
export function createStore(open: () => Storage | undefined): Store {
    const memory = new Map<string, string>();
    let storage: Storage | undefined;
    try {
        storage = open();
    } catch {
        // Forbidden: memory alone.
    }
    return {
        get: (key) => memory.get(key) || (storage ? storage.getItem(PREFIX + key) : null),
        set(key, value) {
            try {
                if (!storage) throw 0;
                storage.setItem(PREFIX + key, value);
                memory.delete(key);
            } catch {
                memory.set(key, value);   // Full or forbidden.
            }
        },
        remove(key) {
            memory.delete(key);
            if (storage) storage.removeItem(PREFIX + key);
        },
        keys(prefix) {
            const keys = Array.from(memory.keys());
            for (const key of storage ? Object.keys(storage) : []) {
                if (key.startsWith(PREFIX)) keys.push(key.slice(PREFIX.length));
            }
            return keys.filter((key) => key.startsWith(prefix)).sort();
        },
    };
}
