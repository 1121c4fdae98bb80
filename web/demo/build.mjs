// Writes the shop to build/web/demo: pages in both languages, style, scripts, pictures. What the
// server fills in stays as __RIPEN_WRITE_KEY__ and __RIPEN_API__.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { draw } from './drawings.mjs';
import { allPages } from './pages.mjs';
import { PRODUCTS } from './site/catalogue.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, '../../build/web/demo');

fs.rmSync(out, { recursive: true, force: true });
fs.cpSync(path.join(here, 'site'), out, { recursive: true });
for (const [name, html] of allPages()) {
    const file = path.join(out, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, html);
}
// One file the cart takes its pictures from: <use href="goods.svg#id">.
const goods = PRODUCTS.map(({ id }) => draw(id)
    .replace(/^<svg[^>]*>/, `<symbol id="${id}" viewBox="0 0 200 200">`)
    .replace('</svg>', '</symbol>')).join('\n');
fs.writeFileSync(path.join(out, 'goods.svg'),
    `<svg xmlns="http://www.w3.org/2000/svg">\n${goods}\n</svg>\n`);
