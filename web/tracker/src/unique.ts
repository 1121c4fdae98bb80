// Ids that nobody else makes, and that sort in the order they were made in: microseconds, of which
// the last three digits are counted, and 96 random bits. crypto.randomUUID is missing on plain http.

let made = 0;

export function unique(): string {
    const bytes = new Uint8Array(12);
    crypto.getRandomValues(bytes);
    return (Date.now() * 1000 + made++ % 1000).toString(36) +
        Array.from(bytes, (byte) => (256 + byte).toString(16).slice(1)).join('');
}
