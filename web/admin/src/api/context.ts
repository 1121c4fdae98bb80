// What every screen may ask for: the API of the open workspace, the live stream, the session.
import {
    createContext, useContext, useEffect, useRef, useState, useSyncExternalStore,
} from 'react';
import type { Api } from './client.ts';
import type { Counts, Frame, Session, Teammate, Workspace } from './contract.ts';
import type { Light, LiveStream, Topic } from './live.ts';

export interface Desk {
    api: Api;
    live: LiveStream;
    session: Session;
    teammate: Teammate;
    workspace: Workspace;
    workspaces: Workspace[];
}

export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
    const desk = useContext(DeskContext);
    if (!desk) throw new Error('this screen stands outside of a workspace');
    return desk;
}

export function useApi(): Api {
    return useDesk().api;
}

// A path inside of the open workspace: useTo()('/people') is "/w/1/people".
export function useTo(): (path: string) => string {
    const { workspace } = useDesk();
    return (path) => `/w/${workspace.id}${path}`;
}

export function useLight(): Light {
    const { live } = useDesk();
    return useSyncExternalStore(live.watch, live.look);
}

export function useTopic(topic: Topic | null, listener: (frame: Frame) => void): void {
    const { live } = useDesk();
    const newest = useRef(listener);
    useEffect(() => {
        newest.current = listener;
    });
    useEffect(() => {
        if (topic === null) return undefined;
        return live.subscribe(topic, (frame) => newest.current(frame));
    }, [live, topic]);
}

export function useCounts(): Counts | null {
    const [counts, setCounts] = useState<Counts | null>(null);
    useTopic('counts', (frame) => {
        if ('topic' in frame && frame.topic === 'counts') setCounts(frame.data);
    });
    return counts;
}
