// The newest events, for a screen that may be slower than they come: frames of the stream are
// gathered
// and shown once for each picture of the screen; what stands beyond the limit falls out at the end.
import type { RecentEvent } from '../api/contract.ts';

export const KEPT = 1000;

export interface Tail {
    events: RecentEvent[];
    fresh: number; // Came while halted.
    skipped: number; // The server left them out.
}

export class EventTail {
    private tail: Tail = { events: [], fresh: 0, skipped: 0 };
    private waiting: RecentEvent[] = [];
    private skipped = 0;
    private halted = false;
    private frame = 0;
    private readonly watchers = new Set<() => void>();

    watch = (watcher: () => void): (() => void) => {
        this.watchers.add(watcher);
        return () => this.watchers.delete(watcher);
    };
    look = (): Tail => this.tail;

    fill(events: RecentEvent[]): void {
        const known = new Set(events.map((one) => one.id));
        const kept = this.tail.events.filter((one) => !known.has(one.id));
        this.show({ ...this.tail, events: [...events, ...kept].slice(0, KEPT) });
    }

    take(events: RecentEvent[], skipped: number): void {
        this.waiting = [...events, ...this.waiting].slice(0, KEPT);
        this.skipped += skipped;
        if (this.frame === 0) this.frame = requestAnimationFrame(() => this.flush());
    }

    halt(halted: boolean): void {
        this.halted = halted;
        if (!halted) this.flush();
    }

    private flush(): void {
        this.frame = 0;
        if (this.halted) {
            this.show({ ...this.tail, fresh: this.waiting.length });
            return;
        }
        if (this.waiting.length === 0 && this.skipped === 0) return;
        this.show({
            events: [...this.waiting, ...this.tail.events].slice(0, KEPT), fresh: 0,
            skipped: this.tail.skipped + this.skipped,
        });
        this.waiting = [];
        this.skipped = 0;
    }

    private show(tail: Tail): void {
        this.tail = tail;
        this.watchers.forEach((watcher) => watcher());
    }
}
