// What the snippet says: attributes of the script element.

export interface Options {
    key: string;              // data-key: the write key.
    server: string;           // data-server: where events go; else where the script came from.
    domain: string | undefined;   // data-domain: shares the id among sub-domains.
    hash: boolean;            // data-hash: what follows # names a page.
    pages: boolean;           // data-pages="manual": the site calls ripen.page() itself.
    consent: boolean;         // data-consent="required": nothing before ripen.consent(true).
    signals: boolean;         // data-signals="ignore": GPC and DNT change nothing.
}

export function readOptions(script: HTMLScriptElement | null): Options | null {
    const said = script ? script.dataset : {};
    return script && said.key ? {
        key: said.key,
        server: (said.server || new URL(script.src).origin).replace(/\/+$/, ''),
        domain: said.domain,
        hash: 'hash' in said,
        pages: said.pages !== 'manual',
        consent: said.consent === 'required',
        signals: said.signals !== 'ignore',
    } : null;
}
