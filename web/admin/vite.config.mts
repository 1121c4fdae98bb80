import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The server replaces the placeholder in index.html by the nonce of the answer's own policy; Vite
// writes it to every script and link tag and to the meta tag that ui/nonce.ts reads.
export default defineConfig({
    root: import.meta.dirname,
    plugins: [react()],
    html: { cspNonce: '__RIPEN_NONCE__' },
    build: {
        outDir: '../../build/web/admin',
        emptyOutDir: true,
        target: 'es2022',
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        manifest: 'manifest.json',
        reportCompressedSize: false,
    },
    server: {
        proxy: { '/api': { target: 'http://127.0.0.1:8080', ws: true } },
    },
});
