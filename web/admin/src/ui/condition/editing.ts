// Rows and text of one condition, kept the same: whichever side is written last leads, the server
// turns
// it into the other. What is asked is cancelled by the next change.
import { useCallback, useEffect, useMemo, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import type { Condition, ConditionForms } from '../../api/contract.ts';
import { type Group, emptyGroup, fromTree, isComplete, toTree } from './rows.ts';

const REST_MS = 150;
const HISTORY_MAX = 100;

type Translate = (
    form: { text: string } | { tree: Condition }, signal?: AbortSignal,
) => Promise<ConditionForms>;

interface Sides {
    group: Group;
    text: string;
}

export interface Editing extends Sides {
    tree: Condition;
    isComplete: boolean;
    error: ApiError | null; // Of the text; Visual waits meanwhile.
    place: { line: number; column: number } | null;
    isWaiting: boolean; // The other side has not followed yet.
    isChanged: boolean;
    canUndo: boolean;
    changeGroup: (group: Group) => void;
    changeText: (text: string) => void;
    load: (form: ConditionForms) => void;
    undo: () => void;
}

function placeOf(error: ApiError | null): { line: number; column: number } | null {
    const match = /(\d+):(\d+)$/.exec(error?.at ?? '');
    return match ? { line: Number(match[1]), column: Number(match[2]) } : null;
}

export function useEditing(translate: Translate): Editing {
    const [sides, setSides] = useState<Sides>({ group: emptyGroup(), text: 'everyone' });
    const [leader, setLeader] = useState<'visual' | 'text' | null>(null);
    const [error, setError] = useState<ApiError | null>(null);
    const [history, setHistory] = useState<Sides[]>([]);
    const [isChanged, setChanged] = useState(false);
    const complete = useMemo(() => isComplete(sides.group), [sides.group]);
    const tree = useMemo(() => toTree(sides.group), [sides.group]);

    const remember = (before: Sides) =>
        setHistory((list) => [...list, before].slice(-HISTORY_MAX));

    const asked = leader === 'text' ? sides.text : leader === 'visual' ? JSON.stringify(tree) : '';
    useEffect(() => {
        if (leader === null || (leader === 'visual' && !complete)) return undefined;
        const stop = new AbortController();
        const timer = setTimeout(() => {
            const form = leader === 'text' ? { text: asked }
                : { tree: JSON.parse(asked) as Condition };
            translate(form, stop.signal).then((both) => {
                setError(null);
                setSides((now) => (leader === 'text'
                    ? { ...now, group: fromTree(both.tree) } : { ...now, text: both.text }));
                setLeader(null);
            }, (failure: unknown) => {
                if (failure instanceof ApiError) setError(failure);
            });
        }, REST_MS);
        return () => {
            clearTimeout(timer);
            stop.abort();
        };
    }, [asked, leader, complete, translate]);

    const load = useCallback((form: ConditionForms) => {
        setSides({ group: fromTree(form.tree), text: form.text });
        setHistory([]);
        setError(null);
        setLeader(null);
        setChanged(false);
    }, []);

    return {
        ...sides,
        tree,
        isComplete: complete,
        error,
        place: placeOf(error),
        isWaiting: leader !== null,
        isChanged,
        canUndo: history.length > 0,
        changeGroup: (group) => {
            remember(sides);
            setSides({ ...sides, group });
            setLeader('visual');
            setError(null);
            setChanged(true);
        },
        changeText: (text) => {
            remember(sides);
            setSides({ ...sides, text });
            setLeader('text');
            setChanged(true);
        },
        load,
        undo: () => {
            const before = history.at(-1);
            if (!before) return;
            setHistory(history.slice(0, -1));
            setSides(before);
            setLeader('visual');
            setError(null);
        },
    };
}
