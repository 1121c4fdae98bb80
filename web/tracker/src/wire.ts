// POST /v1/batch as a page may send it to another origin without asking first: text/plain, the
// write key in the body, no cookies.
import type { Answer, Wire } from './delivery.ts';

export function createWire(window: Window, server: string): Wire {
    const url = server + '/v1/batch';
    return {
        post: (body) => window.fetch(url, {
            method: 'POST', body, keepalive: true, credentials: 'omit',
        }).then((answer): Answer => ({
            status: answer.status,
            retryAfterS: Number(answer.headers.get('retry-after')),
        })).catch(() => null),
        beacon: (body) => void window.navigator.sendBeacon(url, body),
    };
}
