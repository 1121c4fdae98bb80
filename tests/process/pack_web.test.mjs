// tools/pack_web.mjs: what gets into the program's pack, and in which codings.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';
import { ROOT, makeDirectory } from './ripen.mjs';

const PACK = path.join(ROOT, 'tools/pack_web.mjs');

function write(directory, files) {
    for (const [name, bytes] of Object.entries(files)) {
        const file = path.join(directory, name);
        fs.mkdirSync(path.dirname(file), { recursive: true });
        fs.writeFileSync(file, bytes);
    }
}

function run(...parameters) {
    const done = spawnSync(process.execPath, [PACK, ...parameters], { encoding: 'utf8' });
    assert.equal(done.status, 0, done.stderr);
    return done.stdout;
}

function read(file) {
    const bytes = fs.readFileSync(file);
    const line = bytes.indexOf(10);
    const [name, version, size] = bytes.subarray(0, line).toString().split(' ');
    assert.deepEqual([name, version], ['ripen-web', '1']);
    const index = JSON.parse(bytes.subarray(line + 1, line + 1 + Number(size)).toString());
    const bodies = bytes.subarray(line + 1 + Number(size));
    return Object.fromEntries(index.map((row) => [row.path, {
        ...row,
        body: (coding) => row[coding] &&
            bodies.subarray(row[coding][0], row[coding][0] + row[coding][1]),
    }]));
}

test('a pack holds the three parts in the codings that are worth it', (t) => {
    const directory = makeDirectory(t);
    const web = path.join(directory, 'web');
    const script = 'export const words = "ripe ripe ripe";\n'.repeat(100);
    write(web, {
        'admin/index.html': `<p nonce="__RIPEN_NONCE__">${'x'.repeat(500)}</p>`,
        'admin/assets/app.js': script,
        'admin/assets/app.js.map': '{}',
        'admin/assets/names.js': `${script}"__RIPEN_NONCE__"`,
        'admin/assets/noise.woff2': Buffer.from('no text'.repeat(200)),
        'demo/shop.js': `${script}"__RIPEN_API__"`,
        'tracker/ripen.js': script,
        'elsewhere/secret.txt': 'no',
        'admin.tsbuildinfo': 'no',
    });
    const file = path.join(directory, 'web.pack');
    assert.match(run(web, file), /web\.pack: \d+ bytes/);
    const packed = read(file);
    assert.deepEqual(Object.keys(packed), [
        'admin/assets/app.js', 'admin/assets/names.js', 'admin/assets/noise.woff2',
        'admin/index.html', 'demo/shop.js', 'tracker/ripen.js']);
    const app = packed['admin/assets/app.js'];
    assert.equal(app.type, 'text/javascript; charset=utf-8');
    assert.match(app.etag, /^[0-9a-f]{20}$/);
    assert.equal(app.body('raw').toString(), script);
    assert.equal(zlib.gunzipSync(app.body('gzip')).toString(), script);
    assert.equal(zlib.brotliDecompressSync(app.body('brotli')).toString(), script);
    // Pages, and what belongs to the demo, are filled in while they are served.
    assert.ok(packed['admin/assets/names.js'].brotli);
    for (const name of ['admin/index.html', 'demo/shop.js', 'admin/assets/noise.woff2']) {
        assert.equal(packed[name].gzip ?? packed[name].brotli, undefined, name);
    }
});

test('equal sources give equal bytes, and the file is left alone', (t) => {
    const directory = makeDirectory(t);
    const web = path.join(directory, 'web');
    write(web, { 'admin/index.html': '<p>1</p>', 'tracker/ripen.js': 'x' });
    const file = path.join(directory, 'web.pack');
    run(web, file);
    const before = fs.statSync(file, { bigint: true });
    const bytes = fs.readFileSync(file);
    assert.equal(run(web, file), '');
    assert.equal(fs.statSync(file, { bigint: true }).mtimeNs, before.mtimeNs);
    write(web, { 'admin/index.html': '<p>2</p>' });
    run(web, file);
    assert.notDeepEqual(fs.readFileSync(file), bytes);
    run(path.join(directory, 'none'), file);
    assert.equal(fs.readFileSync(file, 'utf8'), 'ripen-web 1 2\n[]');
});
