// Keys of the whole screen. They never act inside of a field, and can be switched off.
import { useEffect, useRef } from 'react';

const OFF = 'ripen.keys';
const CHORD_MS = 1200;

export function keysAreOn(): boolean {
    return localStorage.getItem(OFF) !== 'off';
}

export function setKeys(on: boolean): void {
    localStorage.setItem(OFF, on ? 'on' : 'off');
}

function isWriting(target: EventTarget | null): boolean {
    return target instanceof HTMLElement
        && (target.isContentEditable || target.matches('input, textarea, select'));
}

// Names: "?", "/", "g h" (one after the other), "mod+k" (Ctrl or Cmd; acts in fields too).
export type Keymap = Record<string, (event: KeyboardEvent) => void>;

export function useKeys(keymap: Keymap): void {
    const newest = useRef(keymap);
    useEffect(() => {
        newest.current = keymap;
    });
    useEffect(() => {
        let first = '';
        let since = 0;
        const press = (event: KeyboardEvent) => {
            if (event.defaultPrevented || event.isComposing) return;
            const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
            if (event.ctrlKey || event.metaKey) {
                run(`mod+${key}`, event);
                return;
            }
            if (event.altKey || isWriting(event.target) || !keysAreOn()) return;
            if (first !== '' && Date.now() - since < CHORD_MS && run(`${first} ${key}`, event)) {
                first = '';
                return;
            }
            first = key;
            since = Date.now();
            run(key, event);
        };
        const run = (name: string, event: KeyboardEvent): boolean => {
            const act = newest.current[name];
            if (!act) return false;
            event.preventDefault();
            act(event);
            return true;
        };
        window.addEventListener('keydown', press);
        return () => window.removeEventListener('keydown', press);
    }, []);
}
