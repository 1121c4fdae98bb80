import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const modules = (names: string) => new RegExp(`/node_modules/(${names})/`);

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
        chunkSizeWarningLimit: 600,
        rolldownOptions: {
            output: {
                // Few files for the first screen instead of fifty small ones.
                codeSplitting: {
                    groups: [
                        {
                            name: 'table', priority: 1,
                            test: /\/src\/ui\/rows\.tsx$|@tanstack\/(react-)?(table|virtual|store)/,
                        },
                        {
                            name: 'shell', priority: 3,
                            test: modules('react|react-dom|scheduler|react-router|i18next|'
                                + '@tanstack/query-core|@tanstack/react-query'),
                        },
                        { name: 'icons', priority: 2, test: modules('@tabler/icons-react') },
                    ],
                },
            },
        },
    },
    server: {
        proxy: { '/api': { target: 'http://127.0.0.1:8080', ws: true } },
    },
});
