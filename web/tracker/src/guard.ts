// The page is the site's: whatever goes wrong in here, nothing is thrown into it. What went wrong
// stands in the console for the developer.

export function guard<Parameters extends unknown[]>(
    act: (...parameters: Parameters) => void,
): (...parameters: Parameters) => void {
    return (...parameters) => {
        try {
            act(...parameters);
        } catch (error) {
            console.warn('ripen:', error);
        }
    };
}

// A guarded listener in the capturing phase: a page that stops an event does not hide it.
export function listen<Heard extends Event>(
    target: EventTarget, name: string, act: (event: Heard) => void,
): void {
    target.addEventListener(name, guard(act as (event: Event) => void),
        { capture: true, passive: true });
}
