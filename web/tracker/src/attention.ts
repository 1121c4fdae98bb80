// How long a page was to be seen and how far down somebody has come. A tab in the background is
// not seen.

export interface Attention {
    // Another page: both begin anew.
    begin(): void;
    scrolled(): void;
    // The page is shown or hidden now.
    seen(visible: boolean): void;
    visibleMs(): number;
    // Of the page's height, the lowest line that was on screen: 0 to 100.
    scrollPercent(): number;
}

export function createAttention(window: Window, now: () => number): Attention {
    const { document } = window;
    let since = 0;   // 0: hidden.
    let gathered = 0;
    let lowest = 0;
    const scrolled = (): void => {
        lowest = Math.max(lowest, window.scrollY + window.innerHeight);
    };
    return {
        begin() {
            gathered = lowest = 0;
            since = document.visibilityState === 'hidden' ? 0 : now();
        },
        scrolled,
        seen(visible) {
            if (since) gathered += now() - since;
            since = visible ? now() : 0;
        },
        visibleMs: () => gathered + (since && now() - since),
        scrollPercent() {
            scrolled();
            const height = document.documentElement.scrollHeight;
            return height ? Math.min(100, Math.round(lowest / height * 100)) : 100;
        },
    };
}
