// Ids nobody else makes. Random, 96 bits; crypto.randomUUID is missing on plain http.

export function unique(): string {
    const bytes = new Uint8Array(12);
    crypto.getRandomValues(bytes);
    return Array.from(bytes, (byte) => (256 + byte).toString(16).slice(1)).join('');
}
