// Forms begun, abandoned and sent. Names of fields are told, what stands in them is not: a value is
// read only where the site asks for it with data-ripen-trait, and never from a field that is a
// password, hidden, a file or part of a card.
import type { Draft, Properties, Scene } from './event.ts';
import type { Recorder } from './recorder.ts';
import { unique } from './unique.ts';

export interface Forms {
    // Somebody has changed this field.
    touched(field: EventTarget | null): void;
    sent(form: EventTarget | null): void;
    // The page goes, or the part of it that has no forms in it any more.
    leave(all: boolean): void;
    hide(): void;
    show(): void;
    // It has been told already that they were abandoned.
    drop(): void;
}

interface Begun {
    fields: Set<string>;
    last: string;
    at: number;
    scene: Scene;
    abandonedId: string;
}

type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

const SECRET = /^(password|hidden|file)$/;

function nameOf(form: HTMLFormElement): string {
    // Fields called "id" or "name" hide the form's own properties of these names.
    const named = ['data-ripen-form', 'id', 'name', 'aria-label', 'action']
        .map((attribute) => form.getAttribute(attribute));
    return named.find(Boolean) || 'form';
}

function ignored(form: HTMLFormElement): boolean {
    return !!form.closest('[role=search],[data-ripen-ignore]');
}

function readTraits(form: HTMLFormElement): Properties | null {
    const traits: Properties = {};
    form.querySelectorAll<Field>('[data-ripen-trait]').forEach((field) => {
        if (SECRET.test(field.type) || /\bcc-/.test(field.autocomplete)) return;
        const box = field as HTMLInputElement;
        if (field.type === 'radio' && !box.checked) return;
        const value = field.type === 'checkbox' ? box.checked : field.value.trim();
        if (value !== '') traits[field.getAttribute('data-ripen-trait')!] = value;
    });
    return Object.keys(traits).length ? traits : null;
}

export function createForms(
    recorder: Recorder, now: () => number, identify: (traits: Properties) => void,
): Forms {
    const begun = new Map<HTMLFormElement, Begun>();
    const facts = (event: string, form: HTMLFormElement, state: Begun): Draft => ({
        type: 'track',
        event,
        properties: {
            form: nameOf(form),
            path: state.scene.page.path,
            fields: state.fields.size,
            last_field: state.last,
            seconds: Math.round((now() - state.at) / 1000),
        },
    });
    const begin = (form: HTMLFormElement): Begun => {
        const state = {
            fields: new Set<string>(), last: '', at: now(), scene: recorder.scene(),
            abandonedId: unique(),
        };
        begun.set(form, state);
        return state;
    };
    return {
        touched(target) {
            const field = target as Field;
            const form = field.form;
            if (!form || field.type === 'search' || ignored(form)) return;
            const known = begun.get(form);
            const state = known || begin(form);
            state.last = field.name || field.id || field.type;
            state.fields.add(state.last);
            if (!known) {
                recorder.record({
                    type: 'track',
                    event: 'Form Started',
                    properties: {
                        form: nameOf(form), path: state.scene.page.path, field: state.last,
                    },
                });
            }
        },
        sent(target) {
            const form = target as HTMLFormElement;
            if (ignored(form)) return;
            const state = begun.get(form) || begin(form);
            const traits = readTraits(form);
            if (traits) identify(traits);
            recorder.record(facts('Form Submitted', form, state));
            begun.delete(form);
        },
        leave(all) {
            begun.forEach((state, form) => {
                if (!all && form.isConnected) return;
                recorder.record(facts('Form Abandoned', form, state), state.scene,
                    state.abandonedId);
                begun.delete(form);
            });
        },
        hide: () => begun.forEach((state, form) => recorder.hold(
            facts('Form Abandoned', form, state), state.scene, state.abandonedId)),
        drop: () => begun.clear(),
        show: () => begun.forEach((state) => recorder.takeBack(state.abandonedId)),
    };
}
