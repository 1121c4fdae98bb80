import { Button, TextInput } from '@mantine/core';
import { IconFilter, IconLoader, IconPlus, IconPointFilled, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useRef, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { useApi, useCounts, useTo } from '../api/context.ts';
import type { Journey, Segment } from '../api/contract.ts';
import { Card, Chip } from '../ui/card.tsx';
import { useFormat } from '../ui/format.ts';
import { useKeys } from '../ui/keys.ts';
import { Page } from '../ui/page.tsx';
import { type Column, Rows } from '../ui/rows.tsx';
import { Empty, Part, Skeleton } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import { When } from '../ui/when.tsx';
import classes from './segments.module.css';

export function SegmentState({ segment }: { segment: Segment }) {
    const t = useT();
    const format = useFormat();
    if (segment.state === 'counting') {
        return (
            <Chip tone="info" icon={<IconLoader aria-hidden />}>
                {t('segments.counting', { share: format.percent(segment.progress ?? 0, 1) })}
            </Chip>
        );
    }
    return <Chip tone="ok" icon={<IconPointFilled aria-hidden />}>{t('segments.ready')}</Chip>;
}

function usesOf(segment: Segment, journeys: Journey[]): number {
    const word = JSON.stringify(JSON.stringify(segment.name)).slice(1, -1);
    return journeys.filter((one) => JSON.stringify(one.definition).includes(word)
        || ('segment' in one.definition.entry && one.definition.entry.segment === segment.name))
        .length;
}

export default function SegmentsScreen() {
    const t = useT();
    const to = useTo();
    const api = useApi();
    const format = useFormat();
    const navigate = useNavigate();
    const counts = useCounts();
    const field = useRef<HTMLInputElement>(null);
    const [wanted, setWanted] = useState('');
    const segments = useQuery({
        queryKey: ['segments'], queryFn: ({ signal }) => api.segments({}, signal),
        refetchInterval: (query) => (query.state.data?.segments
            .some((one) => one.state === 'counting') ? 2000 : false),
    });
    const journeys = useQuery({
        queryKey: ['journeys'], queryFn: ({ signal }) => api.journeys({}, signal),
    });
    useKeys({
        c: () => navigate(to('/segments/new')),
        '/': () => field.current?.focus(),
    });
    const persons = counts?.persons ?? 0;
    const columns = useMemo<Column<Segment>[]>(() => [
        {
            id: 'name', head: t('segments.name'), width: 'minmax(180px, 1.4fr)', isPhone: true,
            cell: (one) => (
                <Link to={to(`/segments/${one.id}`)} className={classes.name}>{one.name}</Link>
            ),
        },
        {
            id: 'people', head: t('segments.people'), width: '104px', isNumber: true,
            isPhone: true,
            cell: (one) => format.number(counts?.segments[one.id] ?? one.count ?? 0),
        },
        {
            id: 'share', head: t('segments.share'), width: '88px', isNumber: true,
            cell: (one) => format.percent(counts?.segments[one.id] ?? one.count ?? 0, persons),
        },
        {
            id: 'condition', head: t('segments.condition'), width: 'minmax(200px, 2.4fr)',
            cell: (one) => <code className={classes.text}>{one.condition}</code>,
        },
        {
            id: 'used', head: t('segments.usedBy'), width: '112px',
            cell: (one) => {
                const uses = usesOf(one, journeys.data?.journeys ?? []);
                return uses === 0 ? '-' : t('segments.usedByJourneys', { count: uses });
            },
        },
        {
            id: 'created', head: t('segments.created'), width: '128px',
            cell: (one) => (one.created ? <When time={one.created} /> : '-'),
        },
        {
            id: 'state', head: t('segments.state'), width: '168px',
            cell: (one) => <SegmentState segment={one} />,
        },
    ], [t, to, format, counts, persons, journeys.data]);
    return (
        <Page
            title={t('segments.title')}
            meta={segments.data && t('segments.count', { count: segments.data.segments.length })}
            actions={(
                <Button component={Link} to={to('/segments/new')}
                    leftSection={<IconPlus size={16} stroke={1.75} />}>
                    {t('search.newSegment')}
                </Button>
            )}
        >
            {(segments.data?.segments.length ?? 0) > 0 && (
                <TextInput
                    ref={field} value={wanted} w={280} maw="100%"
                    aria-label={t('segments.filter')} placeholder={t('segments.filter')}
                    leftSection={<IconSearch size={16} stroke={1.75} />}
                    onChange={(event) => setWanted(event.currentTarget.value)}
                />
            )}
            <Card flush>
                <Part query={segments} skeleton={<Skeleton rows={6} height={44} />}>
                    {({ segments: all }) => {
                        const rows = all.filter((one) =>
                            one.name.toLowerCase().includes(wanted.toLowerCase()));
                        if (all.length === 0) {
                            return (
                                <Empty
                                    icon={<IconFilter size={22} stroke={1.75} />}
                                    title={t('segments.empty')} text={t('segments.emptyText')}
                                    action={(
                                        <Button component={Link} to={to('/segments/new')}>
                                            {t('segments.new')}
                                        </Button>
                                    )}
                                />
                            );
                        }
                        if (rows.length === 0) return <Empty text={t('segments.noneMatch')} />;
                        return (
                            <Rows
                                label={t('segments.title')} columns={columns} rows={rows}
                                idOf={(one) => one.id}
                                onOpen={(one) => navigate(to(`/segments/${one.id}`))}
                            />
                        );
                    }}
                </Part>
            </Card>
        </Page>
    );
}
