// A condition in one sentence, in the language of the screen.
import type { Comparison, Condition, Did, Seen, Total } from '../../api/contract.ts';
import type { Key, Values } from '../words.ts';
import { readSpan, showList } from './rows.ts';

export type Say = (key: Key, values?: Values) => string;

function span(text: string | undefined, t: Say): string {
    const { count, unit } = readSpan(text);
    return t(`cond.spanOf.${unit}`, { count });
}

function operand(tree: Comparison & { date?: string }, t: Say): string {
    if (tree.span !== undefined) return span(tree.span, t);
    if (tree.date !== undefined) return tree.date.slice(0, 10);
    if (tree.values !== undefined) return showList(tree.values);
    return typeof tree.value === 'string' ? `“${tree.value}”` : String(tree.value ?? '');
}

function times(tree: Did, t: Say): string {
    const { at_least: least, at_most: most } = tree;
    if (least === undefined && most === undefined) return '';
    if (most === undefined) return t('cond.say.atLeast', { n: least ?? 1 });
    if (least === most) return t('cond.say.exactly', { n: most });
    if (least === undefined || least <= 1) return t('cond.say.atMost', { n: most });
    return t('cond.say.between', { n: least, m: most });
}

function placed(what: string, tree: Did | Total, t: Say): string {
    if (tree.within !== undefined) {
        return t('cond.say.within', { what, span: span(tree.within, t) });
    }
    return tree.since_entry ? t('cond.say.entry', { what }) : what;
}

function filtered(what: string, where: Condition | undefined, t: Say): string {
    return where ? t('cond.say.where', { what, where: say(where, t, true) }) : what;
}

function group(parts: Condition[], key: Key, t: Say, nested: boolean): string {
    const text = parts.map((part) => say(part, t, true)).join(t(key));
    return nested ? `(${text})` : text;
}

// The whole condition, with a capital and a full stop.
export function sentenceOf(tree: Condition, t: Say): string {
    const what = say(tree, t);
    return t('cond.say.whole', { what: what.charAt(0).toUpperCase() + what.slice(1) });
}

function say(tree: Condition, t: Say, nested = false): string {
    if ('and' in tree) return group(tree.and, 'cond.say.and', t, nested);
    if ('or' in tree) return group(tree.or, 'cond.say.or', t, nested);
    if ('not' in tree) return t('cond.say.not', { what: say(tree.not, t) });
    if ('everyone' in tree) return t('cond.say.everyone');
    if ('segment' in tree) return t('cond.say.segment', { name: tree.segment });
    if ('did' in tree) {
        const often = times(tree, t);
        const what = often === '' ? t('cond.say.did', { name: tree.did })
            : t('cond.say.didTimes', { name: tree.did, times: often });
        return placed(filtered(what, tree.where, t), tree, t);
    }
    if ('of' in tree) {
        const sum = (['sum', 'avg', 'max', 'min'] as const).find((one) => tree[one]) ?? 'sum';
        const what = t('cond.say.total', {
            sum: t(`cond.sum.${sum}`), property: tree[sum] ?? '', name: tree.of,
            op: t(`cond.op.${tree.op}` as Key), value: operand(tree, t),
        });
        return placed(filtered(what, tree.where, t), tree, t);
    }
    if ('first' in tree || 'last' in tree) {
        const seen = tree as Seen;
        const what = t('cond.say.seen', {
            which: t(seen.first ? 'cond.first' : 'cond.last'),
            name: seen.first ?? seen.last ?? '', op: t(`cond.op.${seen.op}` as Key),
            value: operand(seen as Comparison & { date?: string }, t),
        });
        return filtered(what, seen.where, t);
    }
    const fields = tree as Comparison & Record<string, unknown>;
    const name = String(fields['attribute'] ?? fields['property']
        ?? fields['first_touch'] ?? fields['last_touch'] ?? '');
    const op = t(`cond.op.${fields.op}` as Key);
    const value = operand(fields, t);
    return value === '' && (fields.op === 'known' || fields.op === 'unknown')
        ? t('cond.say.bare', { name, op }) : t('cond.say.subject', { name, op, value });
}
