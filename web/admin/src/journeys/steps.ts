// A journey's definition as a graph to draw, and the changes one can make to it.
import type { Entry, JourneyDefinition, Step } from '../api/contract.ts';

export const ENTRY = 'entry';
export const END = 'end';
// The place of a step: which list ("" the journey's own, "b1.then" an arm) and where in it.
export interface Place {
    list: string;
    index: number;
}
export type NodeKind = Step['type'] | 'entry' | 'end';
export interface GraphNode {
    id: string;
    kind: NodeKind;
    step: Step | null;
}
export interface GraphEdge {
    id: string;
    from: string;
    to: string;
    arm: 'then' | 'else' | null;
    place: Place; // Where a step put on this edge goes.
}
export interface Graph {
    nodes: GraphNode[];
    edges: GraphEdge[];
}

interface Loose {
    from: string;
    arm: 'then' | 'else' | null;
    place: Place;
}

export function graphOf(definition: JourneyDefinition): Graph {
    const nodes: GraphNode[] = [{ id: ENTRY, kind: 'entry', step: null }];
    const edges: GraphEdge[] = [];
    const join = (loose: Loose[], to: string) => {
        for (const one of loose) {
            edges.push({
                id: `${one.from}-${one.arm ?? ''}-${to}-${one.place.list}`, from: one.from, to,
                arm: one.arm, place: one.place,
            });
        }
    };
    const walk = (steps: Step[], list: string, start: Loose[]): Loose[] => {
        let loose = start;
        steps.forEach((step, index) => {
            nodes.push({ id: step.id, kind: step.type, step });
            join(loose, step.id);
            const after = { list, index: index + 1 };
            if (step.type === 'branch') {
                const arms = (['then', 'else'] as const).map((arm) => walk(
                    step[arm], `${step.id}.${arm}`,
                    [{ from: step.id, arm, place: { list: `${step.id}.${arm}`, index: 0 } }]));
                loose = arms.flat();
            } else {
                loose = step.type === 'exit' ? []
                    : [{ from: step.id, arm: null, place: after }];
            }
        });
        return loose;
    };
    const ends = walk(definition.steps, '',
        [{ from: ENTRY, arm: null, place: { list: '', index: 0 } }]);
    nodes.push({ id: END, kind: 'end', step: null });
    join(ends, END);
    return { nodes, edges };
}

// ---- changes
// -------------------------------------------------------------------------------------

type Change = (steps: Step[], list: string) => Step[];

// Each list of the definition, innermost first, is given to `change` and takes what it gives back.
function eachList(steps: Step[], list: string, change: Change): Step[] {
    const inner = steps.map((step): Step => (step.type === 'branch'
        ? {
            ...step,
            then: eachList(step.then, `${step.id}.then`, change),
            else: eachList(step.else, `${step.id}.else`, change),
        }
        : step));
    return change(inner, list);
}

function changed(definition: JourneyDefinition, change: Change): JourneyDefinition {
    return { ...definition, steps: eachList(definition.steps, '', change) };
}

export function allSteps(steps: Step[]): Step[] {
    return steps.flatMap((step) => (step.type === 'branch'
        ? [step, ...allSteps(step.then), ...allSteps(step.else)] : [step]));
}

export function findStep(definition: JourneyDefinition, id: string): Step | null {
    return allSteps(definition.steps).find((step) => step.id === id) ?? null;
}

const letters: Record<Step['type'], string> = { wait: 'w', branch: 'b', letter: 'l', exit: 'x' };

export function freshId(definition: JourneyDefinition, type: Step['type']): string {
    const taken = new Set(allSteps(definition.steps).map((step) => step.id));
    let n = 1;
    while (taken.has(`${letters[type]}${n}`)) n += 1;
    return `${letters[type]}${n}`;
}

export function newStep(definition: JourneyDefinition, type: Step['type']): Step {
    const id = freshId(definition, type);
    switch (type) {
        case 'wait': return { id, type, for: '1h' };
        case 'branch': return { id, type, if: '', then: [], else: [] };
        case 'letter': return { id, type, subject: '', text: '' };
        case 'exit': return { id, type };
    }
}

export function insertStep(
    definition: JourneyDefinition, place: Place, step: Step,
): JourneyDefinition {
    return changed(definition, (steps, list) => (list === place.list
        ? [...steps.slice(0, place.index), step, ...steps.slice(place.index)] : steps));
}

export function replaceStep(
    definition: JourneyDefinition, id: string, next: Step | null,
): JourneyDefinition {
    return changed(definition, (steps) => steps.flatMap((step) =>
        (step.id === id ? (next ? [next] : []) : [step])));
}

export function moveStep(definition: JourneyDefinition, id: string, by: number): JourneyDefinition {
    return changed(definition, (steps) => {
        const at = steps.findIndex((step) => step.id === id);
        const to = at + by;
        if (at < 0 || to < 0 || to >= steps.length) return steps;
        const next = [...steps];
        const [moved] = next.splice(at, 1);
        next.splice(to, 0, moved!);
        return next;
    });
}

function renamed(definition: JourneyDefinition, step: Step): Step {
    const id = freshId(definition, step.type);
    if (step.type !== 'branch') return { ...step, id };
    // Arms keep their order; each step takes an id that is free after the ones before it.
    let known: JourneyDefinition = {
        ...definition, steps: [...definition.steps, { ...step, id, then: [], else: [] }],
    };
    const arm = (steps: Step[]) => steps.map((one) => {
        const next = renamed(known, one);
        known = { ...known, steps: [...known.steps, next] };
        return next;
    });
    return { ...step, id, then: arm(step.then), else: arm(step.else) };
}

export function duplicateStep(definition: JourneyDefinition, id: string): JourneyDefinition {
    const step = findStep(definition, id);
    if (!step) return definition;
    const copy = renamed(definition, step);
    return changed(definition, (steps) => steps.flatMap((one) =>
        (one.id === id ? [one, copy] : [one])));
}

// ---- problems
// ------------------------------------------------------------------------------------

export type ProblemKind =
    | 'noEntry' | 'noName' | 'noSubject' | 'noText' | 'noCondition' | 'unreachable' | 'noKey';
export interface Problem {
    at: string; // The id of a node, or "" for the journey.
    kind: ProblemKind;
}

export function hasEntry(entry: Entry): boolean {
    return 'event' in entry ? entry.event.trim() !== '' : entry.segment.trim() !== '';
}

export function problemsOf(definition: JourneyDefinition): Problem[] {
    const problems: Problem[] = [];
    if (definition.name.trim() === '') problems.push({ at: '', kind: 'noName' });
    if (!hasEntry(definition.entry)) problems.push({ at: ENTRY, kind: 'noEntry' });
    const { entry } = definition;
    if ('event' in entry && entry.again === 'once_per_key' && !entry.key) {
        problems.push({ at: ENTRY, kind: 'noKey' });
    }
    for (const step of allSteps(definition.steps)) {
        if (step.type === 'branch' && step.if.trim() === '') {
            problems.push({ at: step.id, kind: 'noCondition' });
        }
        if (step.type !== 'letter') continue;
        if (step.subject.trim() === '') problems.push({ at: step.id, kind: 'noSubject' });
        if (!step.text?.trim() && !step.html?.trim()) {
            problems.push({ at: step.id, kind: 'noText' });
        }
    }
    const reached = new Set(graphOf(definition).edges.map((edge) => edge.to));
    for (const step of allSteps(definition.steps)) {
        if (!reached.has(step.id)) problems.push({ at: step.id, kind: 'unreachable' });
    }
    return problems;
}

// Optional fields that hold nothing are left out: the API refuses empty ones.
export function tidied(definition: JourneyDefinition): JourneyDefinition {
    const filled = <T extends object>(value: T, optional: string[]): T => Object.fromEntries(
        Object.entries(value).filter(([name, one]) => !optional.includes(name) || Boolean(one)),
    ) as T;
    const { goal, exit, ...rest } = definition;
    return {
        ...rest,
        name: definition.name.trim(),
        entry: filled(definition.entry, ['where', 'key', 'again', 'on']),
        ...(goal ? { goal } : {}),
        ...(exit ? { exit } : {}),
        steps: eachList(definition.steps, '', (steps) => steps.map((step) =>
            (step.type === 'letter' ? filled(step, ['text', 'html', 'from', 'reply_to']) : step))),
    };
}

export function readDefinition(text: string): JourneyDefinition | null {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return null;
    const shape = value as Partial<JourneyDefinition>;
    const isWhole = typeof shape.name === 'string' && typeof shape.entry === 'object'
        && Array.isArray(shape.steps);
    return isWhole ? shape as JourneyDefinition : null;
}
