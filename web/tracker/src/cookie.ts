// One first-party cookie: the anonymous id. 400 days is the most that browsers keep one.

const KEPT_S = 400 * 24 * 60 * 60;

export interface Cookie {
    read(): string | null | undefined;
    write(value: string): void;
    remove(): void;
}

// `domain`: the site's own domain (".example.com"), when its sub-domains are to share the id.
export function createCookie(page: Document, domain: string | undefined): Cookie {
    let jar: { cookie: string } = page;
    try {
        void jar.cookie;
    } catch {
        jar = { cookie: '' };   // A sandboxed frame has none: the id lives as long as the page.
    }
    const put = (value: string, seconds: number): void => {
        jar.cookie = `ripen_id=${value};path=/;max-age=${seconds};samesite=lax` +
            (domain ? `;domain=${domain}` : '') +
            (page.location.protocol === 'https:' ? ';secure' : '');
    };
    return {
        read() {
            const found = /(?:^|; )ripen_id=(\w+)/.exec(jar.cookie);
            return found && found[1];
        },
        write: (value) => put(value, KEPT_S),
        remove: () => put('', -1),
    };
}
