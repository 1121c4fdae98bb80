// One row of the builder, by its kind.
import type { Names } from '../../api/contract.ts';
import { useT } from '../words.ts';
import { Choice, NameField, OpField, OperandFields, SpanField, WholeField, operandFor }
    from './fields.tsx';
import { type DidRow, type Leaf, type SeenRow, type SubjectRow, type Sum, type TotalRow, spanned }
    from './rows.ts';

export interface Known {
    names: Names;
    segments: string[];
    inJourney?: boolean; // "since entry" can be asked.
}

interface FieldsProps<T> {
    row: T;
    known: Known;
    onChange: (row: T) => void;
}

const subjectOps = [
    'is', 'is_not', 'contains', 'not_contains', 'starts', 'ends', 'in', 'not_in', 'known',
    'unknown', 'greater', 'greater_equal', 'less', 'less_equal', 'between', 'has', 'matches',
    'before', 'after', 'more_than_ago', 'within_last', 'more_than_ahead', 'within_next',
];
const totalOps = ['greater_equal', 'greater', 'less_equal', 'less', 'is', 'is_not', 'between'];
const touchParts = ['source', 'medium', 'campaign', 'term', 'content', 'referrer', 'kind'];

export function LeafFields({ row, known, onChange }: FieldsProps<Leaf>) {
    const t = useT();
    switch (row.kind) {
        case 'everyone':
            return <span>{t('cond.everyone')}</span>;
        case 'segment':
            return (
                <>
                    <Choice
                        label={t('cond.op')} value={row.not ? 'not' : 'in'} strong
                        options={[
                            { value: 'in', text: t('cond.in') },
                            { value: 'not', text: t('cond.notIn') },
                        ]}
                        onChange={(value) => onChange({ ...row, not: value === 'not' })}
                    />
                    <NameField
                        label={t('cond.segment')} value={row.name} known={known.segments}
                        onChange={(name) => onChange({ ...row, name })}
                    />
                </>
            );
        case 'subject':
            return <SubjectFields row={row} known={known} onChange={onChange} />;
        case 'did':
            return <DidFields row={row} known={known} onChange={onChange} />;
        case 'seen':
            return <SeenFields row={row} known={known} onChange={onChange} />;
        case 'total':
            return <TotalFields row={row} known={known} onChange={onChange} />;
    }
}

function SubjectFields({ row, known, onChange }: FieldsProps<SubjectRow>) {
    const t = useT();
    const isTouch = row.of === 'first_touch' || row.of === 'last_touch';
    const names = row.of === 'attribute' ? known.names.attributes.map((one) => one.name)
        : isTouch ? touchParts : [...new Set(known.names.properties.map((one) => one.name))];
    const label = row.of === 'attribute' ? t('cond.name')
        : isTouch ? t('cond.touch') : t('cond.property');
    const { id, kind, of, name, not, off, ...operand } = row;
    const base = { id, kind, of, name, not, off };
    return (
        <>
            {isTouch && (
                <Choice
                    label={t('cond.touch')} value={row.of} strong
                    options={[
                        { value: 'first_touch', text: t('cond.add.first') },
                        { value: 'last_touch', text: t('cond.add.last') },
                    ]}
                    onChange={(next) => onChange({ ...row, of: next })}
                />
            )}
            <NameField
                label={label} value={row.name} known={names}
                onChange={(next) => onChange({ ...row, name: next })}
            />
            <OpField
                op={row.op} ops={subjectOps}
                onChange={(op) => onChange({ ...base, ...operandFor(op, operand) } as SubjectRow)}
            />
            <OperandFields
                operand={operand}
                onChange={(next) => onChange({ ...base, ...next } as SubjectRow)}
            />
        </>
    );
}

type Often = 'some' | 'atLeast' | 'exactly' | 'atMost' | 'between';

function oftenOf(row: DidRow): Often {
    if (row.atLeast === undefined && row.atMost === undefined) return 'some';
    if (row.atMost === undefined) return 'atLeast';
    if (row.atLeast === row.atMost) return 'exactly';
    return row.atLeast === undefined || row.atLeast === 0 ? 'atMost' : 'between';
}

function DidFields({ row, known, onChange }: FieldsProps<DidRow>) {
    const t = useT();
    const often = oftenOf(row);
    const n = row.atLeast ?? row.atMost ?? 2;
    const set = (kind: Often) => {
        const bounds = {
            some: { atLeast: undefined, atMost: undefined },
            atLeast: { atLeast: Math.max(2, n), atMost: undefined },
            exactly: { atLeast: n, atMost: n },
            atMost: { atLeast: undefined, atMost: n },
            between: { atLeast: n, atMost: Math.max(n + 1, row.atMost ?? 0) },
        }[kind];
        onChange({ ...row, ...bounds });
    };
    return (
        <>
            <Choice
                label={t('cond.did')} value={row.not ? 'not' : 'did'} strong
                options={[
                    { value: 'did', text: t('cond.did') }, { value: 'not', text: t('cond.didNot') },
                ]}
                onChange={(value) => onChange({ ...row, not: value === 'not' })}
            />
            <EventField row={row} known={known} onChange={onChange} />
            <Choice<Often>
                label={t('cond.times')} value={often} onChange={set}
                options={(['some', 'atLeast', 'exactly', 'atMost', 'between'] as const).map(
                    (one) => ({ value: one, text: t(`cond.times.${one}`) }))}
            />
            {often !== 'some' && often !== 'atMost' && (
                <WholeField
                    label={t('cond.count')} value={n} min={often === 'exactly' ? 0 : 1}
                    onChange={(value) => onChange(often === 'exactly'
                        ? { ...row, atLeast: value, atMost: value } : { ...row, atLeast: value })}
                />
            )}
            {(often === 'atMost' || often === 'between') && (
                <WholeField
                    label={t('cond.to')} value={row.atMost ?? 2}
                    onChange={(atMost) => onChange({ ...row, atMost })}
                />
            )}
            {often !== 'some' && <span>{t('cond.timesUnit')}</span>}
            <WindowFields row={row} known={known} onChange={onChange} />
        </>
    );
}

function WindowFields<T extends DidRow | TotalRow>({ row, known, onChange }: FieldsProps<T>) {
    const t = useT();
    const kind = row.sinceEntry ? 'entry' : row.within === undefined ? 'ever' : 'within';
    const options = [
        { value: 'ever', text: t('cond.when.ever') },
        { value: 'within', text: t('cond.when.within') },
        ...(known.inJourney || row.sinceEntry
            ? [{ value: 'entry', text: t('cond.when.entry') }] : []),
    ];
    return (
        <>
            <Choice
                label={t('cond.when')} value={kind} options={options}
                onChange={(value) => onChange({
                    ...row, within: value === 'within' ? row.within ?? '7d' : undefined,
                    sinceEntry: value === 'entry',
                })}
            />
            {kind === 'within' && (
                <SpanField
                    value={row.within} onChange={(within) => onChange({ ...row, within })}
                />
            )}
        </>
    );
}

function EventField<T extends DidRow | SeenRow | TotalRow>({ row, known, onChange }:
FieldsProps<T>) {
    const t = useT();
    return (
        <NameField
            label={t('cond.event')} value={row.event}
            known={known.names.events.map((one) => one.name)}
            onChange={(event) => onChange({ ...row, event })}
        />
    );
}

function SeenFields({ row, known, onChange }: FieldsProps<SeenRow>) {
    const t = useT();
    const isSpan = spanned.includes(row.op);
    return (
        <>
            <Choice
                label={t('cond.when')} value={row.which} strong
                options={[
                    { value: 'last', text: t('cond.last') },
                    { value: 'first', text: t('cond.first') },
                ]}
                onChange={(which) => onChange({ ...row, which })}
            />
            <EventField row={row} known={known} onChange={onChange} />
            <OpField
                op={row.op} ops={['more_than_ago', 'within_last', 'before', 'after']}
                onChange={(op) => onChange(spanned.includes(op)
                    ? { ...row, op, span: row.span ?? '30d', date: undefined }
                    : { ...row, op, span: undefined, date: row.date ?? '' })}
            />
            <OperandFields
                operand={{ op: row.op, span: row.span, value: row.date }}
                onChange={(next) => onChange(isSpan
                    ? { ...row, span: next.span } : { ...row, date: String(next.value ?? '') })}
            />
        </>
    );
}

function TotalFields({ row, known, onChange }: FieldsProps<TotalRow>) {
    const t = useT();
    const properties = known.names.properties
        .filter((one) => row.event === '' || one.event === row.event).map((one) => one.name);
    return (
        <>
            <Choice<Sum>
                label={t('cond.sum')} value={row.sum} strong
                options={(['sum', 'avg', 'max', 'min'] as const).map((one) =>
                    ({ value: one, text: t(`cond.sum.${one}`) }))}
                onChange={(sum) => onChange({ ...row, sum })}
            />
            <NameField
                label={t('cond.property')} value={row.property} known={[...new Set(properties)]}
                onChange={(property) => onChange({ ...row, property })}
            />
            <span>{t('cond.of')}</span>
            <EventField row={row} known={known} onChange={onChange} />
            <WindowFields row={row} known={known} onChange={onChange} />
            <OpField
                op={row.op} ops={totalOps}
                onChange={(op) => onChange(op === 'between'
                    ? { ...row, op, values: row.values ?? [0, row.value ?? 0], value: undefined }
                    : { ...row, op, value: row.value ?? 0, values: undefined })}
            />
            <OperandFields
                operand={{ op: row.op === 'between' ? 'between' : 'greater', value: row.value,
                    values: row.values }}
                onChange={(next) => onChange({
                    ...row, value: next.value as number | undefined,
                    values: next.values as number[] | undefined,
                })}
            />
        </>
    );
}
