// ripen.js: reads its own script element and puts window.ripen in the place of the array that
// collected commands until now.
import { createCommands, type Command } from './commands.ts';
import { guard } from './guard.ts';
import { readOptions } from './options.ts';
import { createStore } from './store.ts';
import { createTracker } from './tracker.ts';
import { createWire } from './wire.ts';

type Stage = Window & { ripen?: Command[] | ReturnType<typeof createCommands> };
type Prerendered = Document & { prerendering?: boolean };

const stage: Stage = window;
const page: Prerendered = document;
const options = readOptions((page.currentScript as HTMLScriptElement | null) ||
    page.querySelector<HTMLScriptElement>('script[data-key]'));

const begin = guard(() => {
    const waiting = stage.ripen;
    if (!options || (waiting && !Array.isArray(waiting))) return;   // Here twice.
    const store = createStore(() => stage.localStorage);
    const ripen = createCommands(stage.navigator, options, store, () => createTracker(
        stage, options, store, createWire(stage, options.server), Date.now));
    stage.ripen = ripen;
    ripen.push(...(waiting || []));
});

// A page that the browser prepares ahead has no visitor yet.
if (page.prerendering) page.addEventListener('prerenderingchange', begin, { once: true });
else begin();
