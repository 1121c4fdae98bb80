// Writes the shop to build/web/demo: pages in both languages, style, scripts, pictures. What the
// server fills in stays as __RIPEN_WRITE_KEY__ and __RIPEN_API__.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { allPages, pictures } from './pages.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, '../../build/web/demo');

fs.rmSync(out, { recursive: true, force: true });
fs.cpSync(path.join(here, 'site'), out, { recursive: true });
for (const [name, html] of allPages()) {
    const file = path.join(out, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, html);
}
// The cart draws its lines in the browser; everything else stands in the pages.
fs.writeFileSync(path.join(out, 'pictures.js'),
    `export const PICTURES = ${JSON.stringify(pictures(), null, 1)};\n`);
