// A condition as rows of the builder, and back: ToTree(FromTree(tree)) is the tree, byte for byte.
// The
// tree is the JSON of src/language/condition/json_form.h; its order of fields is kept.
import type {
    Comparison, Condition, Did, Literal, Seen, Total,
} from '../../api/contract.ts';

export type Join = 'and' | 'or';
export type SubjectKind = 'attribute' | 'first_touch' | 'last_touch' | 'property';
export type Sum = 'sum' | 'avg' | 'max' | 'min';

interface Base {
    id: string;
    not: boolean;
    off: boolean; // Stands there, is not asked.
}
export interface Group extends Base {
    kind: 'group';
    join: Join;
    rows: Row[];
}
export interface SubjectRow extends Base, Comparison {
    kind: 'subject';
    of: SubjectKind;
    name: string;
}
export interface DidRow extends Base {
    kind: 'did';
    event: string;
    where: Group | null;
    atLeast: number | undefined;
    atMost: number | undefined;
    within: string | undefined;
    sinceEntry: boolean;
}
export interface SeenRow extends Base {
    kind: 'seen';
    which: 'first' | 'last';
    event: string;
    where: Group | null;
    op: string;
    span: string | undefined;
    date: string | undefined;
}
export interface TotalRow extends Base {
    kind: 'total';
    sum: Sum;
    property: string;
    event: string;
    where: Group | null;
    within: string | undefined;
    sinceEntry: boolean;
    op: string;
    value: number | undefined;
    values: number[] | undefined;
}
export interface SegmentRow extends Base {
    kind: 'segment';
    name: string;
}
export interface EveryoneRow extends Base {
    kind: 'everyone';
}
export type Leaf = SubjectRow | DidRow | SeenRow | TotalRow | SegmentRow | EveryoneRow;
export type Row = Group | Leaf;

let made = 0;
export function newId(): string {
    made += 1;
    return `r${made}`;
}

const sums: Sum[] = ['sum', 'avg', 'max', 'min'];
const subjects: SubjectKind[] = ['attribute', 'first_touch', 'last_touch', 'property'];

export function emptyGroup(join: Join = 'and'): Group {
    return { kind: 'group', id: newId(), not: false, off: false, join, rows: [] };
}

// ---- tree -> rows
// --------------------------------------------------------------------------------

export function fromTree(tree: Condition): Group {
    if ('everyone' in tree) return emptyGroup();
    const row = rowOf(tree);
    return row.kind === 'group' && !row.not ? row : { ...emptyGroup(), rows: [row] };
}

function rowOf(tree: Condition): Row {
    if ('not' in tree) {
        const inner = rowOf(tree.not);
        // Not of not keeps both: the outer one becomes a group of one.
        return inner.not ? { ...emptyGroup(), not: true, rows: [inner] } : { ...inner, not: true };
    }
    if ('and' in tree) return { ...emptyGroup('and'), rows: tree.and.map(rowOf) };
    if ('or' in tree) return { ...emptyGroup('or'), rows: tree.or.map(rowOf) };
    const base = { id: newId(), not: false, off: false };
    if ('everyone' in tree) return { ...base, kind: 'everyone' };
    if ('segment' in tree) return { ...base, kind: 'segment', name: tree.segment };
    if ('did' in tree) return { ...base, ...didOf(tree) };
    if ('of' in tree) return { ...base, ...totalOf(tree) };
    if ('first' in tree || 'last' in tree) return { ...base, ...seenOf(tree) };
    const fields = tree as Comparison & Record<string, unknown>;
    const of = subjects.find((one) => one in fields) ?? 'attribute';
    return {
        ...base, kind: 'subject', of, name: String(fields[of]), op: fields.op,
        ...(fields.value === undefined ? {} : { value: fields.value }),
        ...(fields.values === undefined ? {} : { values: fields.values }),
        ...(fields.span === undefined ? {} : { span: fields.span }),
    };
}

const whereOf = (where: Condition | undefined) => (where ? fromTree(where) : null);

function didOf(tree: Did): Omit<DidRow, keyof Base> {
    return {
        kind: 'did', event: tree.did, where: whereOf(tree.where), atLeast: tree.at_least,
        atMost: tree.at_most, within: tree.within, sinceEntry: tree.since_entry === true,
    };
}

function seenOf(tree: Seen): Omit<SeenRow, keyof Base> {
    return {
        kind: 'seen', which: tree.first === undefined ? 'last' : 'first',
        event: tree.first ?? tree.last ?? '', where: whereOf(tree.where), op: tree.op,
        span: tree.span, date: tree.date,
    };
}

function totalOf(tree: Total): Omit<TotalRow, keyof Base> {
    const sum = sums.find((one) => tree[one] !== undefined) ?? 'sum';
    return {
        kind: 'total', sum, property: tree[sum] ?? '', event: tree.of,
        where: whereOf(tree.where), within: tree.within, sinceEntry: tree.since_entry === true,
        op: tree.op, value: tree.value, values: tree.values,
    };
}

// ---- rows -> tree
// --------------------------------------------------------------------------------

export function toTree(group: Group): Condition {
    const inner = inside(group) ?? { everyone: true };
    return group.not ? { not: inner } : inner;
}

function inside(group: Group): Condition | null {
    const parts = group.rows.filter((row) => !row.off)
        .map(treeOf).filter((part) => part !== null);
    if (parts.length === 0) return null;
    if (parts.length === 1) return parts[0]!;
    return group.join === 'and' ? { and: parts } : { or: parts };
}

function treeOf(row: Row): Condition | null {
    const tree = row.kind === 'group' ? inside(row) : leafTree(row);
    if (tree === null) return null;
    return row.not ? { not: tree } : tree;
}

// Fields that hold nothing are left out.
function packed<T extends object>(fields: T): T {
    return Object.fromEntries(
        Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
    ) as T;
}

const whereTree = (where: Group | null) => (where && inside(where)) ?? undefined;

export function leafTree(row: Leaf): Condition {
    switch (row.kind) {
        case 'everyone':
            return { everyone: true };
        case 'segment':
            return { segment: row.name };
        case 'subject':
            return packed({
                [row.of]: row.name, op: row.op, value: row.value, values: row.values,
                span: row.span,
            }) as unknown as Condition;
        case 'did':
            return packed({
                did: row.event, where: whereTree(row.where), at_least: row.atLeast,
                at_most: row.atMost, within: row.within,
                since_entry: row.sinceEntry ? true : undefined,
            }) as Condition;
        case 'seen':
            return packed({
                [row.which]: row.event, where: whereTree(row.where), op: row.op, span: row.span,
                date: row.date,
            }) as unknown as Condition;
        case 'total':
            return packed({
                [row.sum]: row.property, of: row.event, where: whereTree(row.where),
                within: row.within, since_entry: row.sinceEntry ? true : undefined, op: row.op,
                value: row.value, values: row.values,
            }) as unknown as Condition;
    }
}

// The tree of one row by itself, for its own count.
export function rowTree(row: Row): Condition | null {
    return treeOf(row);
}

// ---- what is missing
// -----------------------------------------------------------------------------

export const noValue = ['known', 'unknown'];
export const manyValues = ['in', 'not_in', 'between'];
export const spanned = ['more_than_ago', 'within_last', 'more_than_ahead', 'within_next'];

export function isComplete(row: Row): boolean {
    if (row.off) return true;
    switch (row.kind) {
        case 'group': return row.rows.every(isComplete);
        case 'everyone': return true;
        case 'segment': return row.name !== '';
        case 'did': return row.event !== '' && (row.where === null || isComplete(row.where));
        case 'seen':
            return row.event !== '' && (row.where === null || isComplete(row.where))
                && (spanned.includes(row.op) ? row.span !== undefined : Boolean(row.date));
        case 'total':
            return row.event !== '' && row.property !== ''
                && (row.where === null || isComplete(row.where))
                && (row.op === 'between' ? row.values?.length === 2 : row.value !== undefined);
        case 'subject':
            if (row.name === '') return false;
            if (noValue.includes(row.op)) return true;
            if (spanned.includes(row.op)) return row.span !== undefined;
            if (row.op === 'between') return row.values?.length === 2;
            if (manyValues.includes(row.op)) return (row.values?.length ?? 0) > 0;
            return row.value !== undefined && row.value !== '';
    }
}

// ---- changes
// -------------------------------------------------------------------------------------

export function replaceRow(group: Group, id: string, next: Row | null): Group {
    const rows = group.rows.flatMap((row): Row[] => {
        if (row.id === id) return next ? [next] : [];
        return [row.kind === 'group' ? replaceRow(row, id, next) : row];
    });
    return { ...group, rows };
}

export function moveRow(group: Group, id: string, step: number): Group {
    const at = group.rows.findIndex((row) => row.id === id);
    const to = at + step;
    if (at < 0) {
        const rows = group.rows.map((row) => (row.kind === 'group' ? moveRow(row, id, step) : row));
        return { ...group, rows };
    }
    if (to < 0 || to >= group.rows.length) return group;
    const rows = [...group.rows];
    const [moved] = rows.splice(at, 1);
    rows.splice(to, 0, moved!);
    return { ...group, rows };
}

export function copyRow(row: Row): Row {
    if (row.kind === 'group') return { ...row, id: newId(), rows: row.rows.map(copyRow) };
    if ('where' in row && row.where) {
        return { ...row, id: newId(), where: copyRow(row.where) as Group };
    }
    return { ...row, id: newId() };
}

export function newRow(kind: Leaf['kind'], name = '', of: SubjectKind = 'attribute'): Leaf {
    const base = { id: newId(), not: false, off: false };
    switch (kind) {
        case 'everyone': return { ...base, kind };
        case 'segment': return { ...base, kind, name };
        case 'subject': return { ...base, kind, of, name, op: 'is', value: '' };
        case 'did':
            return {
                ...base, kind, event: name, where: null, atLeast: undefined, atMost: undefined,
                within: undefined, sinceEntry: false,
            };
        case 'seen':
            return {
                ...base, kind, which: 'last', event: name, where: null, op: 'more_than_ago',
                span: '30d', date: undefined,
            };
        case 'total':
            return {
                ...base, kind, sum: 'sum', property: '', event: name, where: null,
                within: undefined, sinceEntry: false, op: 'greater_equal', value: 1,
                values: undefined,
            };
    }
}

// ---- lengths of time and literals
// ----------------------------------------------------------------

export const units = ['s', 'm', 'h', 'd', 'w', 'mo', 'y'] as const;
export type Unit = (typeof units)[number];

export function readSpan(span: string | undefined): { count: number; unit: Unit } {
    const match = /^(\d+)(s|m|h|d|w|mo|y)$/.exec(span ?? '');
    return match ? { count: Number(match[1]), unit: match[2] as Unit } : { count: 7, unit: 'd' };
}

export function showList(values: Literal[]): string {
    return values.map((value) => (typeof value === 'string' && /[",\s]/.test(value)
        ? JSON.stringify(value) : String(value))).join(', ');
}

// Values with commas between them; one with a comma or blank inside stands in quotes.
export function readList(text: string, asNumbers: boolean): Literal[] {
    const parts = text.match(/"(?:[^"\\]|\\.)*"|[^,]+/g) ?? [];
    return parts.map((part) => part.trim()).filter((part) => part !== '').map((part) => {
        if (part.startsWith('"') && part.endsWith('"') && part.length > 1) {
            try {
                return JSON.parse(part) as string;
            } catch {
                return part;
            }
        }
        return asNumbers && Number.isFinite(Number(part)) ? Number(part) : part;
    });
}
