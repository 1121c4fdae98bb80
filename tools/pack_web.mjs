// Packs the built screens, tracker and demo into one file that is linked into the program:
//   pack_web.mjs SOURCE_DIRECTORY OUTPUT      (build/web build/web.pack)
// docs/formats/web_pack.md has the format. Equal sources give equal bytes; an output that would be
// the same is left alone, so that nothing is linked anew.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

const PARTS = ['admin', 'demo', 'tracker'];
const TYPES = {
    '.css': 'text/css; charset=utf-8',
    '.gif': 'image/gif',
    '.html': 'text/html; charset=utf-8',
    '.ico': 'image/x-icon',
    '.jpg': 'image/jpeg',
    '.js': 'text/javascript; charset=utf-8',
    '.json': 'application/json',
    '.mjs': 'text/javascript; charset=utf-8',
    '.png': 'image/png',
    '.svg': 'image/svg+xml',
    '.txt': 'text/plain; charset=utf-8',
    '.wasm': 'application/wasm',
    '.webmanifest': 'application/manifest+json',
    '.webp': 'image/webp',
    '.woff2': 'font/woff2',
};
const SQUEEZABLE = /^(text\/|image\/svg|image\/x-icon|application\/(json|wasm|manifest))/;
// Pages, and what belongs to the demo, are filled in while they are served: a coding made before
// would have the place-holders in it.
const FILLED = /__RIPEN_[A-Z_]+__/;
const isFilled = (file, raw) =>
    (file.endsWith('.html') || file.startsWith('demo/')) && FILLED.test(raw.toString('utf8'));
const WORTH = 0.95;   // A coding that saves less is not kept.

// Paths of the files below, sorted; maps for debuggers stay out.
function filesBelow(directory, below = '') {
    const found = [];
    for (const entry of fs.readdirSync(path.join(directory, below), { withFileTypes: true })) {
        const name = below ? `${below}/${entry.name}` : entry.name;
        if (entry.isDirectory()) found.push(...filesBelow(directory, name));
        else if (entry.isFile() && !name.endsWith('.map')) found.push(name);
    }
    return found.sort();
}

function codings(file, type, raw) {
    if (!SQUEEZABLE.test(type) || isFilled(file, raw)) return {};
    const kept = {};
    const gzip = zlib.gzipSync(raw, { level: 9 });
    const brotli = zlib.brotliCompressSync(raw, {
        params: {
            [zlib.constants.BROTLI_PARAM_QUALITY]: zlib.constants.BROTLI_MAX_QUALITY,
            [zlib.constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
        },
    });
    if (gzip.length < raw.length * WORTH) kept.gzip = gzip;
    if (brotli.length < raw.length * WORTH) kept.brotli = brotli;
    return kept;
}

export function pack(directory) {
    const index = [];
    const bodies = [];
    let at = 0;
    const place = (bytes) => {
        bodies.push(bytes);
        at += bytes.length;
        return [at - bytes.length, bytes.length];
    };
    for (const part of PARTS) {
        if (!fs.existsSync(path.join(directory, part))) continue;
        for (const name of filesBelow(path.join(directory, part))) {
            const raw = fs.readFileSync(path.join(directory, part, name));
            const type = TYPES[path.extname(name).toLowerCase()] ?? 'application/octet-stream';
            const row = {
                path: `${part}/${name}`,
                type,
                etag: createHash('sha256').update(raw).digest('hex').slice(0, 20),
                raw: place(raw),
            };
            for (const [coding, bytes] of Object.entries(codings(row.path, type, raw))) {
                row[coding] = place(bytes);
            }
            index.push(row);
        }
    }
    const text = Buffer.from(JSON.stringify(index));
    return Buffer.concat([Buffer.from(`ripen-web 1 ${text.length}\n`), text, ...bodies]);
}

function main([directory, output]) {
    if (!directory || !output) {
        process.stderr.write('usage: pack_web.mjs SOURCE_DIRECTORY OUTPUT\n');
        return 2;
    }
    const bytes = pack(directory);
    if (fs.existsSync(output) && fs.readFileSync(output).equals(bytes)) return 0;
    fs.mkdirSync(path.dirname(path.resolve(output)), { recursive: true });
    fs.writeFileSync(`${output}.new`, bytes);
    fs.renameSync(`${output}.new`, output);
    process.stdout.write(`${output}: ${bytes.length} bytes\n`);
    return 0;
}

if (process.argv[1] === import.meta.filename) process.exitCode = main(process.argv.slice(2));
