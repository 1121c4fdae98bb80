// The nonce of this page's policy: Vite wrote the tag, the server filled it in.
export function styleNonce(): string {
    return document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? '';
}

declare global {
    var __webpack_nonce__: string | undefined;
}

// Libraries below Mantine that write style tags of their own look for the nonce under this name.
export function shareNonce(): void {
    globalThis.__webpack_nonce__ = styleNonce();
}
