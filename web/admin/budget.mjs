// Weighs the built screens, as brotli sends them, against the budgets of each part, and fails when
// one is over. Run after the build: node web/admin/budget.mjs
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const built = path.resolve(import.meta.dirname, '../../build/web/admin');
const manifest = JSON.parse(readFileSync(path.join(built, 'manifest.json'), 'utf8'));
const KB = 1024;

function weigh(file) {
    const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
    return brotliCompressSync(readFileSync(path.join(built, file)), options).length;
}
const weights = new Map();
const weightOf = (file) => {
    if (!weights.has(file)) weights.set(file, weigh(file));
    return weights.get(file);
};

// The script files that an entry of the manifest needs at once: its own and its static imports'.
function closure(key, seen = new Set()) {
    const entry = manifest[key];
    if (!entry || seen.has(key)) return seen;
    seen.add(key);
    for (const next of entry.imports ?? []) closure(next, seen);
    return seen;
}
const entryOf = (source) => {
    const key = Object.keys(manifest).find((one) => one === source || manifest[one].src === source);
    if (!key) throw new Error(`${source} is not in the build`);
    return key;
};
const filesOf = (keys) => [...keys].map((key) => manifest[key].file);
const sum = (files) => files.reduce((all, file) => all + weightOf(file), 0);

const shell = closure(entryOf('index.html'));
const home = closure(entryOf('src/home/home.tsx'));
const first = new Set([...shell, ...home]);
const english = entryOf('src/locales/en.json');
// What a route adds to what the first screen has brought.
const added = (source) => filesOf([...closure(entryOf(source))].filter((key) => !first.has(key)));
const named = (name) => Object.keys(manifest).filter((key) => manifest[key].name === name);
const table = named('table').map((key) => manifest[key].file);
const beside = (source, files) => added(source).filter((file) => !files.includes(file));

const checks = [
    ['shell + home', 230, [...filesOf(first)]],
    ['table', 40, table],
    ['charts', 200, added('src/ui/drawing.tsx')],
    ['canvas', 75, added('src/journeys/canvas.tsx')],
    ['locale en', 30, [manifest[english].file]],
    ['locale ja', 30, [manifest[entryOf('src/locales/ja.json')].file]],
    ...['live/live', 'people/people', 'people/person', 'segments/segments', 'segments/segment',
        'segments/builder', 'journeys/journeys', 'journeys/journey', 'mailbox/mailbox',
        'events/events', 'settings/settings', 'account/start', 'account/sign-in', 'app/search',
    ].map((route) => [`route ${route}`, 40, beside(`src/${route}.tsx`, table)]),
];
const styles = new Set(Object.values(manifest).flatMap((entry) => entry.css ?? []));
checks.push(['all CSS', 45, [...styles]]);

let over = 0;
for (const [name, budget, files] of checks) {
    const size = sum(files) / KB;
    const mark = size > budget ? 'OVER' : 'ok';
    if (size > budget) over += 1;
    console.log(
        `${mark.padEnd(5)} ${name.padEnd(28)} ${size.toFixed(1).padStart(7)} of ${budget} KB`);
}
if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ shell_bytes: sum(checks[0][2]) }));
}
if (over > 0) {
    console.error(`${over} over budget`);
    process.exitCode = 1;
}
