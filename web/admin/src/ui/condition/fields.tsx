// The small fields of a row: choices, names, lengths of time, values.
import { type ReactNode, useId, useState } from 'react';
import type { Literal } from '../../api/contract.ts';
import { type Key, useT } from '../words.ts';
import classes from './condition.module.css';
import { type Unit, manyValues, noValue, readList, readSpan, showList, spanned, units }
    from './rows.ts';

export function Choice<T extends string>({ label, value, options, onChange, strong }: {
    label: string; value: T; options: { value: T; text: string }[];
    onChange: (value: T) => void; strong?: boolean;
}) {
    return (
        <select
            className={strong ? classes.strongChoice : classes.choice} aria-label={label}
            value={value} onChange={(event) => onChange(event.currentTarget.value as T)}
        >
            {options.map((one) => <option key={one.value} value={one.value}>{one.text}</option>)}
        </select>
    );
}

export function NameField({ label, value, known, onChange }: {
    label: string; value: string; known: string[]; onChange: (value: string) => void;
}) {
    const list = useId();
    return (
        <>
            <input
                className={classes.name} aria-label={label} placeholder={label} value={value}
                list={list} autoComplete="off" spellCheck={false}
                data-open={value === ''}
                onChange={(event) => onChange(event.currentTarget.value)}
            />
            <datalist id={list}>
                {known.map((one) => <option key={one} value={one} />)}
            </datalist>
        </>
    );
}

export function WholeField({ label, value, onChange, min = 0 }: {
    label: string; value: number; onChange: (value: number) => void; min?: number;
}) {
    return (
        <input
            type="number" className={classes.number} aria-label={label} value={value} min={min}
            max={10_000} inputMode="numeric"
            onChange={(event) => {
                const next = Math.round(event.currentTarget.valueAsNumber);
                if (Number.isFinite(next) && next >= min) onChange(next);
            }}
        />
    );
}

export function SpanField({ value, onChange }: {
    value: string | undefined; onChange: (value: string) => void;
}) {
    const t = useT();
    const { count, unit } = readSpan(value);
    return (
        <>
            <WholeField
                label={t('cond.count')} value={count} min={1}
                onChange={(next) => onChange(`${next}${unit}`)}
            />
            <Choice<Unit>
                label={t('cond.unit')} value={unit}
                options={units.map((one) => ({ value: one, text: t(`cond.unit.${one}`) }))}
                onChange={(next) => onChange(`${count}${next}`)}
            />
        </>
    );
}

function kindOf(value: Literal | undefined): 'text' | 'number' | 'truth' {
    if (typeof value === 'number') return 'number';
    return typeof value === 'boolean' ? 'truth' : 'text';
}

function cast(value: Literal | undefined, kind: 'text' | 'number' | 'truth'): Literal {
    if (kind === 'truth') return value === true || value === 'true';
    if (kind === 'text') return value === undefined ? '' : String(value);
    const number = Number(value);
    return Number.isFinite(number) ? number : 0;
}

function LiteralField({ value, onChange, onlyNumber, onlyText }: {
    value: Literal | undefined; onChange: (value: Literal) => void;
    onlyNumber?: boolean; onlyText?: boolean;
}) {
    const t = useT();
    const kind = onlyNumber ? 'number' : onlyText ? 'text' : kindOf(value);
    return (
        <>
            {kind === 'truth' && (
                <Choice
                    label={t('cond.value')} value={value === true ? 'true' : 'false'}
                    options={[
                        { value: 'true', text: t('cond.true') },
                        { value: 'false', text: t('cond.false') },
                    ]}
                    onChange={(next) => onChange(next === 'true')}
                />
            )}
            {kind === 'number' && (
                <input
                    type="number" step="any" className={classes.value}
                    aria-label={t('cond.value')} value={typeof value === 'number' ? value : ''}
                    onChange={(event) => {
                        const next = event.currentTarget.valueAsNumber;
                        if (Number.isFinite(next)) onChange(next);
                    }}
                />
            )}
            {kind === 'text' && (
                <input
                    className={classes.value} aria-label={t('cond.value')}
                    placeholder={t('cond.value')} value={String(value ?? '')}
                    data-open={value === undefined || value === ''}
                    onChange={(event) => onChange(event.currentTarget.value)}
                />
            )}
            {!onlyNumber && !onlyText && (
                <Choice
                    label={t('cond.kindOfValue')} value={kind}
                    options={(['text', 'number', 'truth'] as const).map((one) =>
                        ({ value: one, text: t(`cond.kind.${one}`) }))}
                    onChange={(next) => onChange(cast(value, next))}
                />
            )}
        </>
    );
}

function ListField({ values, onChange }: {
    values: Literal[]; onChange: (values: Literal[]) => void;
}) {
    const t = useT();
    const asNumbers = values.length > 0 && values.every((one) => typeof one === 'number');
    const [text, setText] = useState(showList(values));
    return (
        <input
            className={classes.wide} aria-label={t('cond.values')} placeholder={t('cond.values')}
            value={text} data-open={values.length === 0}
            onChange={(event) => {
                setText(event.currentTarget.value);
                onChange(readList(event.currentTarget.value, asNumbers));
            }}
        />
    );
}

function DateField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
    const t = useT();
    return (
        <input
            type="date" className={classes.choice} aria-label={t('cond.date')}
            value={value.slice(0, 10)} data-open={value === ''}
            onChange={(event) => onChange(event.currentTarget.value)}
        />
    );
}

export interface Operand {
    op: string;
    value?: Literal | undefined;
    values?: Literal[] | undefined;
    span?: string | undefined;
}

const numeric = ['greater', 'greater_equal', 'less', 'less_equal'];
const textual = ['contains', 'not_contains', 'starts', 'ends', 'matches'];
const dated = ['before', 'after'];

export function OpField({ op, ops, onChange }: {
    op: string; ops: string[]; onChange: (op: string) => void;
}) {
    const t = useT();
    return (
        <Choice
            label={t('cond.op')} value={op} onChange={onChange}
            options={ops.map((one) => ({ value: one, text: t(`cond.op.${one}` as Key) }))}
        />
    );
}

// The right side of a comparison, as its operator wants it. A new operator keeps what fits.
export function OperandFields({ operand, onChange }: {
    operand: Operand; onChange: (operand: Operand) => void;
}): ReactNode {
    const { op } = operand;
    const set = (more: Partial<Operand>) => onChange({ ...operand, ...more });
    if (noValue.includes(op)) return null;
    if (spanned.includes(op)) {
        return <SpanField value={operand.span} onChange={(span) => set({ span })} />;
    }
    if (op === 'between') {
        const [low, high] = operand.values ?? [];
        const isDate = typeof low === 'string';
        const give = (a: Literal | undefined, b: Literal | undefined) =>
            set({ values: [a ?? 0, b ?? 0] });
        return isDate ? (
            <>
                <DateField value={String(low)} onChange={(a) => give(a, high)} />
                <DateField value={String(high ?? '')} onChange={(b) => give(low, b)} />
            </>
        ) : (
            <>
                <LiteralField value={low} onlyNumber onChange={(a) => give(a, high)} />
                <LiteralField value={high} onlyNumber onChange={(b) => give(low, b)} />
            </>
        );
    }
    if (manyValues.includes(op)) {
        return <ListField values={operand.values ?? []} onChange={(values) => set({ values })} />;
    }
    if (dated.includes(op)) {
        return (
            <DateField value={String(operand.value ?? '')} onChange={(value) => set({ value })} />
        );
    }
    return (
        <LiteralField
            value={operand.value} onlyNumber={numeric.includes(op)} onlyText={textual.includes(op)}
            onChange={(value) => set({ value })}
        />
    );
}

export function operandFor(op: string, before: Operand): Operand {
    if (noValue.includes(op)) return { op };
    if (spanned.includes(op)) return { op, span: before.span ?? '7d' };
    if (op === 'between') {
        return { op, values: before.values?.length === 2 ? before.values : [0, 0] };
    }
    if (manyValues.includes(op)) {
        const one = before.value === undefined || before.value === '' ? [] : [before.value];
        return { op, values: before.values ?? one };
    }
    const value = before.value ?? before.values?.[0];
    if (numeric.includes(op)) return { op, value: typeof value === 'number' ? value : 0 };
    if (textual.includes(op) || dated.includes(op)) {
        return { op, value: typeof value === 'string' ? value : '' };
    }
    return { op, value: value ?? '' };
}
