import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
    root: here('.'),
    logLevel: 'warn',
    build: {
        target: 'es2018',
        outDir: here('../../build/web/tracker'),
        emptyOutDir: true,
        lib: {
            entry: here('src/main.ts'), name: 'ripen', formats: ['iife'],
            fileName: () => 'ripen.js',
        },
    },
});
