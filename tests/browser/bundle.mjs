// A script for a page from a file that imports npm packages.
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { ROOT } from '../process/ripen.mjs';

export async function bundle(file) {
    const { build } = await import(pathToFileURL(
        path.join(ROOT, 'node_modules/vite/dist/node/index.js')));
    const built = await build({
        configFile: false,
        logLevel: 'error',
        root: path.join(ROOT, 'tests/browser'),
        define: { 'process.env.NODE_ENV': '"production"' },
        build: {
            write: false,
            minify: false,
            lib: { entry: file, name: 'app', formats: ['iife'], fileName: () => 'app.js' },
            rollupOptions: { output: { codeSplitting: false } },
        },
    });
    return { type: 'text/javascript', body: (Array.isArray(built) ? built[0] : built).output[0].code };
}
