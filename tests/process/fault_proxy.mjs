// A network that fails between a client and the server: answers 429, 500 and 503 of its own, and
// connections that break before the request is passed on or after the server has answered.
import http from 'node:http';
import { once } from 'node:events';
import zlib from 'node:zlib';

import { atEnd } from './ripen.mjs';

// What befalls the requests, one after the other, again and again.
export const STORM = ['lost answer', 503, 'pass', 'lost request', 'pass', 500, 'lost answer', 429,
    'pass'];

// For clients whose pauses double from half a second on.
export const SQUALLS = ['lost answer', 'pass', 'pass', 503, 'pass', 'lost request', 'pass', 'pass',
    500, 'pass', 'pass', 429, 'pass', 'pass'];

export class FaultProxy {
    static async start(test, target, storm = STORM) {
        const proxy = new FaultProxy();
        proxy.target = new URL(target);
        proxy.storm = storm;
        proxy.counts = {};
        proxy.passed = new Map();   // messageId (PostHog: uuid) -> times passed on.
        proxy.requests = 0;
        proxy.agent = new http.Agent({ keepAlive: true });
        proxy.server = http.createServer((request, answer) => proxy.#take(request, answer));
        proxy.server.listen(0, '127.0.0.1');
        await once(proxy.server, 'listening');
        proxy.url = `http://127.0.0.1:${proxy.server.address().port}`;
        atEnd(test, () => proxy.close());
        return proxy;
    }

    close() {
        this.server.close();
        this.server.closeAllConnections();
        this.agent.destroy();
    }

    async #take(request, answer) {
        const pieces = [];
        for await (const piece of request) pieces.push(piece);
        const body = Buffer.concat(pieces);
        const fault = request.method === 'POST'
            ? this.storm[this.requests++ % this.storm.length] : 'pass';
        this.counts[fault] = (this.counts[fault] ?? 0) + 1;
        if (typeof fault === 'number') {
            answer.writeHead(fault, {
                'retry-after': '1', 'content-type': 'application/json',
                ...(request.headers.origin && {   // A page sees the status as it would ours.
                    'access-control-allow-origin': request.headers.origin,
                    'access-control-expose-headers': 'Retry-After',
                }),
            });
            answer.end('{}');
            return;
        }
        if (fault === 'lost request') {
            answer.socket.destroy();
            return;
        }
        this.#remember(body);
        const onward = http.request({
            host: this.target.hostname,
            port: this.target.port,
            method: request.method,
            path: request.url,
            headers: { ...request.headers, host: this.target.host },
            agent: this.agent,
        }, async (got) => {
            const back = [];
            for await (const piece of got) back.push(piece);
            if (fault === 'lost answer') {
                answer.socket.destroy();
                return;
            }
            answer.writeHead(got.statusCode, got.headers);
            answer.end(Buffer.concat(back));
        });
        onward.on('error', () => answer.socket?.destroy());
        onward.end(body);
    }

    #remember(body) {
        if (body.length === 0) return;
        const text = body[0] === 0x1f && body[1] === 0x8b ? zlib.gunzipSync(body) : body;
        const sent = JSON.parse(text);
        for (const event of sent.batch ?? [sent].flat()) {
            const id = event.messageId ?? event.uuid;
            this.passed.set(id, (this.passed.get(id) ?? 0) + 1);
        }
    }
}
