// Checks the tracker's types, builds build/web/tracker/ripen.js, and fails when it has grown past
// its budget: every page of every site waits for these bytes.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';
import { build } from 'vite';

export const BUDGET_BYTES = 5 * 1024;   // gzip -9

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export function gzipBytes(text) {
    return zlib.gzipSync(text, { level: 9 }).length;
}

// Throws when `bytes` are too many.
export function checkBudget(bytes) {
    if (bytes > BUDGET_BYTES) {
        throw new Error(`ripen.js has ${bytes} bytes gzip, its budget is ${BUDGET_BYTES}`);
    }
}

async function main() {
    const tsc = here('../../node_modules/typescript/bin/tsc');
    const types = spawnSync(process.execPath, [tsc, '-p', here('.')], { stdio: 'inherit' });
    if (types.status !== 0) process.exit(1);
    await build({ configFile: here('vite.config.mjs') });
    const bytes = gzipBytes(fs.readFileSync(here('../../build/web/tracker/ripen.js')));
    console.log(`ripen.js: ${bytes} bytes gzip of ${BUDGET_BYTES}`);
    checkBudget(bytes);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
