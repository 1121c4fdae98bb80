// One page after the other: "Page" when it is entered, "Page Left" once when it is left, with the
// time it was to be seen and how far it was read.
//
// A page that is only hidden is not left: its visitor may come back. What would be told is held
// (outbox.ts), and is told when half an hour has passed or the page goes.
import type { Attention } from './attention.ts';
import type { Draft, Properties, Scene } from './event.ts';
import type { Recorder } from './recorder.ts';
import { unique } from './unique.ts';

export interface PageView {
    // Leaves the page before, if there is one. `referrer`: where this one was reached from.
    enter(referrer: string, name?: string, properties?: Properties): void;
    scrolled(): void;
    hide(): void;
    show(): void;
    leave(): void;
    // It has been told already that the page was left.
    drop(): void;
    readonly open: boolean;
}

export function createPageView(recorder: Recorder, attention: Attention): PageView {
    let scene: Scene | null = null;
    let leftId = '';
    let pageId = '';
    const left = (page: Scene): Draft => ({
        type: 'track',
        event: 'Page Left',
        properties: {
            ...page.page,
            visible_seconds: Math.round(attention.visibleMs() / 1000),
            scroll_percent: attention.scrollPercent(),
            page_message_id: pageId,
        },
    });
    const leave = (): void => {
        if (!scene) return;
        recorder.record(left(scene), scene, leftId);
        scene = null;
    };
    return {
        enter(referrer, name, properties) {
            leave();
            recorder.enter(referrer);
            scene = recorder.scene();
            attention.begin();
            leftId = unique();
            pageId = recorder.record({
                type: 'page',
                name,
                properties: { ...scene.page, ...properties },
            }, scene);
        },
        scrolled: attention.scrolled,
        hide() {
            attention.seen(false);
            if (scene) recorder.hold(left(scene), scene, leftId);
        },
        show() {
            attention.seen(true);
            recorder.takeBack(leftId);
        },
        leave,
        drop() {
            scene = null;
        },
        get open() {
            return !!scene;
        },
    };
}
