// One first-party cookie: the anonymous id. 400 days is the most that browsers keep one.

const NAME = 'ripen_id';
const KEPT_S = 400 * 24 * 60 * 60;

export interface Cookie {
    read(): string | undefined;
    write(value: string): void;
    remove(): void;
}

// `domain`: the site's own domain (".example.com"), when its sub-domains are to share the id.
export function createCookie(page: Document, domain: string | undefined): Cookie {
    const put = (value: string, seconds: number): void => {
        page.cookie = `${NAME}=${value};path=/;max-age=${seconds};samesite=lax` +
            (domain ? `;domain=${domain}` : '') +
            (page.location.protocol === 'https:' ? ';secure' : '');
    };
    return {
        read: () => new RegExp(`(?:^|; )${NAME}=([\\w-]+)`).exec(page.cookie)?.[1],
        write: (value) => put(value, KEPT_S),
        remove: () => put('', 0),
    };
}
