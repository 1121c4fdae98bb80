// The live stream: one WebSocket for all screens. A stream that breaks is opened again with growing
// pauses, asks for all topics again and tells the screens to read anew: nothing is known by the
// stream alone.
import type { Frame } from './contract.ts';

export type Topic = 'counts' | 'events' | 'visitors' | `person:${string}`;
export interface Light {
    open: boolean;
    since: number; // Milliseconds since 1970: when the stream opened or broke.
    ended: boolean; // The server refused: the session is gone.
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
const SESSION_GONE = 4401;
const NOT_ALLOWED = 4403;

type Listener = (frame: Frame) => void;

function spoken(topic: Topic, verb: 'subscribe' | 'unsubscribe'): string {
    const [kind, id] = topic.split(':');
    return JSON.stringify(id === undefined ? { [verb]: kind } : { [verb]: kind, id });
}

function topicOf(frame: Frame): Topic | null {
    if ('hello' in frame) return null;
    return frame.topic === 'person' ? `person:${frame.id}` : frame.topic;
}

export class LiveStream {
    private readonly hello: string;
    private readonly url: string;
    private socket: WebSocket | null = null;
    private pauseMs = FIRST_PAUSE_MS;
    private timer: ReturnType<typeof setTimeout> | undefined;
    private closed = false;
    private hadBroken = false;
    private light: Light = { open: false, since: Date.now(), ended: false };
    private readonly topics = new Map<Topic, Set<Listener>>();
    private readonly watchers = new Set<() => void>();
    private readonly resumed = new Set<() => void>();
    private readonly last = new Map<Topic, Frame>();

    constructor(csrf: string, workspace: number) {
        this.hello = JSON.stringify({ csrf, workspace });
        const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
        this.url = `${scheme}//${location.host}/api/v1/live`;
    }

    open(): void {
        this.closed = false;
        if (this.socket) return;
        const socket = new WebSocket(this.url);
        this.socket = socket;
        socket.onopen = () => socket.send(this.hello);
        socket.onmessage = (message) => this.take(JSON.parse(String(message.data)) as Frame);
        socket.onclose = (event) => this.broke(event.code);
    }

    close(): void {
        this.closed = true;
        clearTimeout(this.timer);
        this.socket?.close();
        this.socket = null;
    }

    subscribe(topic: Topic, listener: Listener): () => void {
        const listeners = this.topics.get(topic) ?? new Set();
        const isFirst = listeners.size === 0;
        listeners.add(listener);
        this.topics.set(topic, listeners);
        if (isFirst && this.light.open) this.socket?.send(spoken(topic, 'subscribe'));
        const known = this.last.get(topic);
        if (known && !isFirst) listener(known);
        return () => {
            listeners.delete(listener);
            if (listeners.size > 0) return;
            this.topics.delete(topic);
            this.last.delete(topic);
            if (this.light.open) this.socket?.send(spoken(topic, 'unsubscribe'));
        };
    }

    // For useSyncExternalStore.
    watch = (watcher: () => void): (() => void) => {
        this.watchers.add(watcher);
        return () => this.watchers.delete(watcher);
    };
    look = (): Light => this.light;

    // Called when a broken stream is open again: read anew what is on the screen.
    onResume(listener: () => void): () => void {
        this.resumed.add(listener);
        return () => this.resumed.delete(listener);
    }

    private take(frame: Frame): void {
        if ('hello' in frame) {
            this.pauseMs = FIRST_PAUSE_MS;
            for (const topic of this.topics.keys()) {
                this.socket?.send(spoken(topic, 'subscribe'));
            }
            this.turn({ open: true, since: Date.now(), ended: false });
            if (this.hadBroken) this.resumed.forEach((listener) => listener());
            this.hadBroken = false;
            return;
        }
        const topic = topicOf(frame);
        if (topic === null) return;
        if (topic === 'counts' || topic === 'visitors') this.last.set(topic, frame);
        this.topics.get(topic)?.forEach((listener) => listener(frame));
    }

    private broke(code: number): void {
        this.socket = null;
        if (this.closed) return;
        this.hadBroken = true;
        const ended = code === SESSION_GONE || code === NOT_ALLOWED;
        if (this.light.open || ended) this.turn({ open: false, since: Date.now(), ended });
        if (ended) return;
        const spread = 0.75 + Math.random() / 2;
        this.timer = setTimeout(() => this.open(), this.pauseMs * spread);
        this.pauseMs = Math.min(this.pauseMs * 2, LONGEST_PAUSE_MS);
    }

    private turn(light: Light): void {
        this.light = light;
        this.watchers.forEach((watcher) => watcher());
    }
}
