// The condition as boxes and rows: one joiner per group, written between its rows.
import { ActionIcon, Button, Menu, Popover } from '@mantine/core';
import { IconDots, IconPlus, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, type ReactNode, useState } from 'react';
import { useT } from '../words.ts';
import classes from './condition.module.css';
import { Choice } from './fields.tsx';
import { type Known, LeafFields } from './leaf.tsx';
import {
    type Group, type Join, type Leaf, type Row, copyRow, emptyGroup, moveRow, newRow, replaceRow,
} from './rows.ts';

interface VisualProps {
    group: Group;
    known: Known;
    frozen?: boolean;
    count?: (row: Row) => ReactNode; // What stands at the end of a row of the first level.
    onChange: (group: Group) => void;
}

export function Visual({ group, known, frozen, count, onChange }: VisualProps) {
    return (
        <fieldset className={classes.visual} disabled={frozen} data-frozen={frozen}>
            <legend className="visually-hidden">{useT()('builder.visual')}</legend>
            <Box
                group={group} known={known} onChange={onChange} depth={0} onlyProperties={false}
                {...(count ? { count } : {})}
            />
        </fieldset>
    );
}

interface BoxProps extends VisualProps {
    depth: number;
    onlyProperties: boolean;
}

function Box({ group, known, count, onChange, depth, onlyProperties }: BoxProps) {
    const t = useT();
    const joiner = t(group.join === 'and' ? 'cond.and' : 'cond.or');
    const add = (row: Row) => onChange({ ...group, rows: [...group.rows, row] });
    return (
        <div className={depth === 0 ? classes.root : classes.box}>
            {(group.rows.length > 1 || group.not) && (
                <div className={classes.boxHead}>
                    {group.not && <span className={classes.not}>{t('cond.not')}</span>}
                    <Choice<Join>
                        label={t('cond.joinLabel')} value={group.join} strong
                        options={[
                            { value: 'and', text: t('cond.all') },
                            { value: 'or', text: t('cond.any') },
                        ]}
                        onChange={(join) => onChange({ ...group, join })}
                    />
                </div>
            )}
            {group.rows.length === 0 && depth === 0 && (
                <p className={classes.nothing}>{t('cond.empty')}</p>
            )}
            {group.rows.map((row, i) => (
                <div key={row.id}>
                    {i > 0 && <div className={classes.joiner}>{joiner}</div>}
                    <RowBox
                        row={row} at={i} known={known} onlyProperties={onlyProperties} depth={depth}
                        {...(count ? { count } : {})}
                        onChange={(next) => onChange(replaceRow(group, row.id, next))}
                        onCopy={() => {
                            const rows = [...group.rows];
                            rows.splice(i + 1, 0, copyRow(row));
                            onChange({ ...group, rows });
                        }}
                        onMove={(step) => onChange(moveRow(group, row.id, step))}
                    />
                </div>
            ))}
            <div className={classes.adds}>
                <AddRow known={known} onlyProperties={onlyProperties} onAdd={add} />
                {!onlyProperties && (
                    <Button
                        variant="subtle" color="gray" size="compact-sm"
                        leftSection={<IconPlus size={14} stroke={1.75} />}
                        onClick={() => add(emptyGroup(group.join === 'and' ? 'or' : 'and'))}
                    >
                        {t('cond.addGroup')}
                    </Button>
                )}
            </div>
        </div>
    );
}

interface RowBoxProps {
    row: Row;
    at: number;
    known: Known;
    depth: number;
    onlyProperties: boolean;
    count?: (row: Row) => ReactNode;
    onChange: (row: Row | null) => void;
    onCopy: () => void;
    onMove: (step: number) => void;
}

function RowBox(props: RowBoxProps) {
    const t = useT();
    const { row, at, known, depth, onChange, onMove } = props;
    const keys = (event: KeyboardEvent) => {
        const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
        if (!event.altKey || step === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        onMove(step);
    };
    return (
        <div
            className={classes.row} data-off={row.off} role="group" onKeyDown={keys}
            aria-label={t('cond.row', { n: at + 1 })}
        >
            <div className={classes.rowFields}>
                {row.kind === 'group' ? (
                    <Box
                        group={row} known={known} depth={depth + 1} onChange={onChange}
                        onlyProperties={props.onlyProperties}
                    />
                ) : (
                    <LeafRow row={row} known={known} depth={depth} onChange={onChange} />
                )}
            </div>
            {row.off && <span className={classes.off}>{t('cond.off')}</span>}
            {depth === 0 && !row.off && props.count?.(row)}
            <RowMenu {...props} />
        </div>
    );
}

function LeafRow({ row, known, depth, onChange }: {
    row: Leaf; known: Known; depth: number; onChange: (row: Row) => void;
}) {
    const t = useT();
    const isText = row.kind === 'subject' && typeof row.value === 'string' && row.op !== 'matches';
    const hasOwnNot = row.kind === 'did' || row.kind === 'segment';
    const canFilter = row.kind === 'did' || row.kind === 'seen' || row.kind === 'total';
    return (
        <>
            <div className={classes.fields}>
                {row.not && !hasOwnNot && <span className={classes.not}>{t('cond.not')}</span>}
                <LeafFields row={row} known={known} onChange={onChange} />
                {canFilter && row.where === null && (
                    <Button
                        variant="subtle" color="gray" size="compact-xs"
                        leftSection={<IconPlus size={14} stroke={1.75} />}
                        onClick={() => onChange({
                            ...row, where: {
                                ...emptyGroup(), rows: [newRow('subject', '', 'property')],
                            },
                        })}
                    >
                        {t('cond.addWhere')}
                    </Button>
                )}
                {isText && row.value !== '' && (
                    <span className={classes.ignored}>{t('cond.ignored')}</span>
                )}
            </div>
            {canFilter && row.where && (
                <div className={classes.where}>
                    <span className={classes.whereWord}>{t('cond.where')}</span>
                    <Box
                        group={row.where} known={known} depth={depth + 1} onlyProperties
                        onChange={(where) => onChange({
                            ...row, where: where.rows.length === 0 ? null : where,
                        })}
                    />
                </div>
            )}
        </>
    );
}

function RowMenu({ row, at, onChange, onCopy, onMove }: RowBoxProps) {
    const t = useT();
    return (
        <div className={classes.rowActs}>
            <Menu position="bottom-end" width={220}>
                <Menu.Target>
                    <ActionIcon
                        variant="subtle" color="gray" size={28}
                        aria-label={t('cond.rowMenu', { n: at + 1 })}
                    >
                        <IconDots size={16} stroke={1.75} />
                    </ActionIcon>
                </Menu.Target>
                <Menu.Dropdown>
                    <Menu.Item onClick={() => onChange({ ...row, not: !row.not })}>
                        {t('cond.negate')}
                    </Menu.Item>
                    <Menu.Item onClick={onCopy}>{t('cond.duplicate')}</Menu.Item>
                    <Menu.Item onClick={() => onChange({ ...row, off: !row.off })}>
                        {t(row.off ? 'cond.enable' : 'cond.disable')}
                    </Menu.Item>
                    <Menu.Item onClick={() => onMove(-1)} rightSection="Alt ↑">
                        {t('cond.up')}
                    </Menu.Item>
                    <Menu.Item onClick={() => onMove(1)} rightSection="Alt ↓">
                        {t('cond.down')}
                    </Menu.Item>
                </Menu.Dropdown>
            </Menu>
            <ActionIcon
                variant="subtle" color="gray" size={28}
                aria-label={`${t('cond.remove')} ${t('cond.row', { n: at + 1 })}`}
                onClick={() => onChange(null)}
            >
                <IconX size={16} stroke={1.75} />
            </ActionIcon>
        </div>
    );
}

interface Offer {
    id: string;
    kind: string;
    text: string;
    row: () => Row;
}

function useOffers(known: Known, typed: string, onlyProperties: boolean): Offer[] {
    const t = useT();
    const wanted = typed.trim().toLowerCase();
    const fits = (name: string) => wanted.split(/\s+/).every((word) =>
        name.toLowerCase().includes(word));
    if (onlyProperties) {
        const names = [...new Set(known.names.properties.map((one) => one.name))];
        const typedNew = typed.trim() !== '' && !names.includes(typed.trim()) ? [typed.trim()] : [];
        return [...names.filter(fits), ...typedNew].map((name) => ({
            id: name, kind: '', text: name, row: () => newRow('subject', name, 'property'),
        }));
    }
    const offers: Offer[] = [];
    const events = known.names.events.map((one) => one.name);
    const attributes = known.names.attributes.map((one) => one.name);
    const own = typed.trim();
    const offerEvent = (name: string) => offers.push({
        id: `e ${name}`, kind: t('cond.kind.event'), text: t('cond.add.did', { name }),
        row: () => newRow('did', name),
    });
    const offerAttribute = (name: string) => offers.push({
        id: `a ${name}`, kind: t('cond.kind.attribute'), text: t('cond.add.attribute', { name }),
        row: () => newRow('subject', name),
    });
    events.filter(fits).slice(0, 12).forEach(offerEvent);
    attributes.filter(fits).slice(0, 12).forEach(offerAttribute);
    known.segments.filter(fits).slice(0, 8).forEach((name) => offers.push({
        id: `s ${name}`, kind: t('cond.kind.segment'), text: t('cond.add.segment', { name }),
        row: () => newRow('segment', name),
    }));
    const more: [string, string, () => Row][] = [
        ['seen', t('cond.add.seen'), () => newRow('seen')],
        ['total', t('cond.add.total'), () => newRow('total')],
        ['first', t('cond.add.first'), () => newRow('subject', 'medium', 'first_touch')],
        ['last', t('cond.add.last'), () => newRow('subject', 'medium', 'last_touch')],
        ['everyone', t('cond.everyone'), () => newRow('everyone')],
    ];
    more.filter(([, text]) => fits(text)).forEach(([id, text, row]) =>
        offers.push({ id, kind: t('cond.kind.more'), text, row }));
    if (own !== '' && !events.includes(own)) offerEvent(own);
    if (own !== '' && !attributes.includes(own)) offerAttribute(own);
    return offers;
}

function AddRow({ known, onlyProperties, onAdd }: {
    known: Known; onlyProperties: boolean; onAdd: (row: Row) => void;
}) {
    const t = useT();
    const [open, setOpen] = useState(false);
    const [typed, setTyped] = useState('');
    const [at, setAt] = useState(0);
    const offers = useOffers(known, typed, onlyProperties);
    const take = (offer: Offer | undefined) => {
        if (!offer) return;
        onAdd(offer.row());
        setTyped('');
        setOpen(false);
    };
    return (
        <Popover opened={open} onChange={setOpen} position="bottom-start" width={320} trapFocus
            returnFocus shadow="md" radius="md">
            <Popover.Target>
                <Button
                    variant="default" size="compact-sm" onClick={() => setOpen(!open)}
                    leftSection={<IconPlus size={14} stroke={1.75} />} className={classes.add}
                >
                    {t(onlyProperties ? 'cond.addWhere' : 'cond.add')}
                </Button>
            </Popover.Target>
            <Popover.Dropdown p={8} aria-label={t('cond.add')}>
                <input
                    className={classes.addField} data-autofocus value={typed} role="combobox"
                    aria-expanded aria-controls="condition-offers"
                    aria-label={t(onlyProperties ? 'cond.property' : 'cond.search')}
                    placeholder={t(onlyProperties ? 'cond.property' : 'cond.search')}
                    aria-activedescendant={offers[at] ? `offer-${at}` : undefined}
                    onChange={(event) => {
                        setTyped(event.currentTarget.value);
                        setAt(0);
                    }}
                    onKeyDown={(event) => {
                        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0;
                        if (step !== 0) {
                            event.preventDefault();
                            const next = Math.max(0, Math.min(offers.length - 1, at + step));
                            setAt(next);
                            document.getElementById(`offer-${next}`)
                                ?.scrollIntoView({ block: 'nearest' });
                        } else if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
                            event.preventDefault();
                            take(offers[at]);
                        }
                    }}
                />
                <div role="listbox" id="condition-offers" className={classes.offers}
                    aria-label={t('cond.search')}>
                    {offers.map((offer, i) => (
                        <div
                            key={offer.id} id={`offer-${i}`} role="option" aria-selected={i === at}
                            className={classes.offer} onClick={() => take(offer)}
                            onPointerMove={() => setAt(i)}
                        >
                            <span>{offer.text}</span>
                            <span className={classes.offerKind}>{offer.kind}</span>
                        </div>
                    ))}
                </div>
            </Popover.Dropdown>
        </Popover>
    );
}

// Names that the builder offers: of events, attributes, properties and segments.
export function useKnown(
    api: {
        names: (signal?: AbortSignal) => Promise<Known['names']>;
        segments: (page?: object, signal?: AbortSignal) =>
            Promise<{ segments: { name: string }[] }>;
    },
    inJourney = false,
): Known {
    const names = useQuery({
        queryKey: ['names'], queryFn: ({ signal }) => api.names(signal), retry: false,
        staleTime: 60_000,
    });
    const segments = useQuery({
        queryKey: ['segments'], queryFn: ({ signal }) => api.segments({}, signal),
    });
    return {
        names: names.data ?? { events: [], attributes: [], properties: [] },
        segments: segments.data?.segments.map((one) => one.name) ?? [],
        inJourney,
    };
}
