import { Button } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useApi, useCounts } from '../api/context.ts';
import type { Condition } from '../api/contract.ts';
import { Card } from '../ui/card.tsx';
import type { Editing } from '../ui/condition/editing.ts';
import { type Row, isComplete, rowTree } from '../ui/condition/rows.ts';
import { useFormat, useNow } from '../ui/format.ts';
import { PersonLink } from '../ui/person-cells.tsx';
import { Bone, Failed, Skeleton } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import classes from './segments.module.css';

const REST_MS = 150;
const ROW_REST_MS = 400;
const SAMPLE = 5;

// The condition after it has rested; the request before it is cancelled by the query.
function useRested(text: string, ms: number): string {
    const [rested, setRested] = useState(text);
    useEffect(() => {
        const timer = setTimeout(() => setRested(text), ms);
        return () => clearTimeout(timer);
    }, [text, ms]);
    return rested;
}

function usePreview(tree: Condition | null, ms: number, asOf = '') {
    const api = useApi();
    const rested = useRested(tree === null ? '' : JSON.stringify(tree), ms);
    return useQuery({
        queryKey: ['preview', rested, asOf],
        queryFn: ({ signal }) => api.preview(
            JSON.parse(rested) as Condition, signal, asOf === '' ? undefined : `${asOf}T23:59:59Z`),
        enabled: rested !== '',
        placeholderData: keepPreviousData,
        retry: false,
    });
}

export function NowSide({ editing, asOf, onAsOf }: {
    editing: Editing; asOf: string; onAsOf: (asOf: string) => void;
}) {
    const t = useT();
    const format = useFormat();
    const now = useNow();
    const counts = useCounts();
    const usable = editing.isComplete && !editing.error;
    const preview = usePreview(usable ? editing.tree : null, REST_MS, asOf);
    const data = preview.data;
    const isOld = preview.isPlaceholderData || !usable;
    return (
        <Card title={asOf === '' ? t('builder.now') : format.day(asOf)}>
            {asOf !== '' && (
                <p className={classes.banner}>
                    {t('builder.asOfBanner', { date: format.date(asOf) })}
                    <Button variant="subtle" size="compact-sm" onClick={() => onAsOf('')}>
                        {t('builder.backToNow')}
                    </Button>
                </p>
            )}
            {!usable && <p className={classes.quiet}>{t('builder.incomplete')}</p>}
            {preview.isError && !isOld && (
                <Failed error={preview.error} onRetry={() => void preview.refetch()} />
            )}
            {data === undefined && usable && !preview.isError && (
                <Skeleton><Bone width={120} height={34} /></Skeleton>
            )}
            {data !== undefined && (
                <div className={classes.now} data-old={isOld}>
                    <p className={classes.big} aria-live="polite">
                        {format.number(data.count)}
                        <span className={classes.unit}>
                            {t('builder.people', { count: data.count })}
                        </span>
                    </p>
                    <p className={classes.quiet}>
                        {counts !== null && asOf === ''
                            && `${t('builder.share', {
                                share: format.percent(data.count, counts.persons),
                            })} · `}
                        {t('builder.took', { ms: data.took_ms })}
                    </p>
                    {data.count === 0 && <p className={classes.quiet}>{t('builder.nobody')}</p>}
                    {data.sample.length > 0 && (
                        <>
                            <h3 className={classes.sub}>{t('builder.sample')}</h3>
                            <ul className={classes.sample}>
                                {data.sample.slice(0, SAMPLE).map((person) => (
                                    <li key={person.id}><PersonLink person={person} /></li>
                                ))}
                            </ul>
                        </>
                    )}
                </div>
            )}
            <label className={classes.asOf}>
                {t('builder.asOf')}
                <input
                    type="date" value={asOf} className={classes.date}
                    max={new Date(now()).toISOString().slice(0, 10)}
                    onChange={(event) => onAsOf(event.currentTarget.value)}
                />
            </label>
        </Card>
    );
}

export function RowCount({ row }: { row: Row }) {
    const t = useT();
    const format = useFormat();
    const tree = isComplete(row) ? rowTree(row) : null;
    const preview = usePreview(tree, ROW_REST_MS);
    if (tree === null || preview.data === undefined) return <span className={classes.rowCount} />;
    const count = format.number(preview.data.count);
    return (
        <span className={classes.rowCount} title={t('builder.rowCount', { count })}
            data-old={preview.isPlaceholderData}>
            {count}
        </span>
    );
}
