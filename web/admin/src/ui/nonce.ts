// The nonce of this page's policy: Vite wrote the tag, the server filled it in.
export function styleNonce(): string {
    return document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? '';
}
