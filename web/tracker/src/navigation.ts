// Notices when a page changes its address without being loaded anew: the history's pushState and
// replaceState, back and forward, and, where asked for, the part behind the #.

import { guard } from './guard.ts';

export function watchNavigation(
    window: Window, withHash: boolean, changed: (before: string) => void,
): void {
    const { history, location } = window;
    const place = (): string =>
        location.pathname + location.search + (withHash ? location.hash : '');
    let here = place();
    let url = location.href;
    const look = guard(() => {
        const before = url;
        url = location.href;
        if (place() === here) return;
        here = place();
        changed(before);
    });
    for (const name of ['pushState', 'replaceState'] as const) {
        const original = history[name];
        history[name] = function (...parameters: Parameters<History['pushState']>) {
            original.apply(this, parameters);
            look();
        };
    }
    window.addEventListener('popstate', look);
    window.addEventListener('hashchange', look);
}
