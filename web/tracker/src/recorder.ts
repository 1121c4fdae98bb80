// Puts ids, time and surroundings on what happened, and gives it to the outbox.
import { readCampaign } from './campaign.ts';
import type { Delivery } from './delivery.ts';
import type { Draft, Properties, Scene, TrackedEvent } from './event.ts';
import type { Identity } from './identity.ts';
import type { Outbox } from './outbox.ts';
import { unique } from './unique.ts';
import type { Visits } from './visit.ts';

export interface Recorder {
    // Enters the page that the browser shows now; `referrer` is the one before it.
    enter(referrer: string): void;
    scene(): Scene;
    // An act: it keeps the visit alive. Of the page shown, or of the one that `scene` was.
    // The messageId, new unless given.
    record(draft: Draft, scene?: Scene, messageId?: string): string;
    // What will have happened unless it is taken back.
    hold(draft: Draft, scene: Scene, messageId: string): void;
    takeBack(messageId: string): void;
}

interface Surroundings {
    window: Window;
    identity: Identity;
    visits: Visits;
    outbox: Outbox;
    delivery: Delivery;
    now: () => number;
}

export const LIBRARY = { name: 'ripen.js', version: '0.1.0' };

export function createRecorder(
    { window, identity, visits, outbox, delivery, now }: Surroundings,
): Recorder {
    let entered: Scene;
    const surroundings = (): Properties => ({
        library: LIBRARY,
        locale: window.navigator.language,
        timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        screen: {
            width: window.screen.width,
            height: window.screen.height,
            density: window.devicePixelRatio,
        },
    });
    const complete = (draft: Draft, scene: Scene, messageId: string): TrackedEvent => {
        const signature = identity.signature();
        return {
            ...draft,
            messageId,
            timestamp: new Date(now()).toISOString(),
            anonymousId: identity.anonymousId(),
            userId: identity.userId(),
            context: {
                ...surroundings(),
                ...scene,
                ...(signature ? { ripen: { signature } } : {}),
            },
        };
    };
    return {
        enter(referrer) {
            const { pathname, search, href } = window.location;
            const campaign = readCampaign(search);
            entered = {
                page: { path: pathname, url: href, referrer, search, title: window.document.title },
                campaign,
                visit: visits.touch(now(), campaign && JSON.stringify(campaign)),
            };
        },
        scene: () => entered,
        record(draft, scene, messageId = unique()) {
            if (!scene) {
                entered.visit = visits.touch(now());
                scene = entered;
            }
            outbox.add(complete(draft, scene, messageId));
            delivery.soon();
            return messageId;
        },
        hold: (draft, scene, messageId) => outbox.hold(complete(draft, scene, messageId)),
        takeBack: outbox.takeBack,
    };
}
