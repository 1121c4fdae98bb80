// The built screens as the server sends them: its policy with a nonce in every answer, index.html
// for
// every address of the app.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';

const built = path.resolve(import.meta.dirname, '../../../build/web/admin');
const types = {
    '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml',
    '.woff2': 'font/woff2', '.html': 'text/html; charset=utf-8',
};

export const policy = (nonce, sandbox) => [
    "default-src 'none'", "script-src 'self'", `style-src 'self' 'nonce-${nonce}'`,
    "style-src-attr 'unsafe-inline'", "img-src 'self' data: blob:", "font-src 'self'",
    "connect-src 'self'", `frame-src ${sandbox}`, "worker-src 'self'", "object-src 'none'",
    "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
].join('; ');

// Resolves to {origin, close}.
export function serveScreens(sandbox = 'http://127.0.0.1:8082') {
    const server = createServer((request, response) => {
        const { pathname } = new URL(request.url, 'http://localhost');
        const file = path.join(built, pathname);
        if (pathname.startsWith('/assets/')) {
            if (!file.startsWith(built) || !existsSync(file)) return response.writeHead(404).end();
            response.writeHead(200, {
                'content-type': types[path.extname(file)] ?? 'application/octet-stream',
                'cache-control': 'public, max-age=31536000, immutable',
            });
            return response.end(readFileSync(file));
        }
        const nonce = randomBytes(16).toString('base64');
        const html = readFileSync(path.join(built, 'index.html'), 'utf8')
            .replaceAll('__RIPEN_NONCE__', nonce);
        response.writeHead(200, {
            'content-type': types['.html'],
            'content-security-policy': policy(nonce, sandbox),
        });
        return response.end(html);
    });
    return new Promise((resolve) => {
        server.listen(0, '127.0.0.1', () => resolve({
            origin: `http://127.0.0.1:${server.address().port}`,
            close: () => new Promise((done) => {
                server.closeAllConnections();
                server.close(done);
            }),
        }));
    });
}
