import { Button, Drawer, TextInput } from '@mantine/core';
import { IconBolt, IconPlayerPause, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { Link } from 'react-router';
import { useApi, useTo, useTopic } from '../api/context.ts';
import type { RecentEvent } from '../api/contract.ts';
import { Card, Chip, Facts } from '../ui/card.tsx';
import { Code, CopyButton } from '../ui/copy.tsx';
import { useFormat } from '../ui/format.ts';
import { useKeys } from '../ui/keys.ts';
import { type Column, Rows } from '../ui/rows.tsx';
import { Empty, Failed, Skeleton } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import classes from './events.module.css';
import { EventTail } from './tail.ts';

const FIRST = 200;

function oneLine(event: RecentEvent): string {
    return Object.entries(event.properties)
        .map(([name, value]) => `${name} ${typeof value === 'string'
            ? value : JSON.stringify(value)}`)
        .join(', ');
}

export function Received({ onTest }: { onTest: () => void }) {
    const t = useT();
    const api = useApi();
    const format = useFormat();
    const [tail] = useState(() => new EventTail());
    const { events, fresh, skipped } = useSyncExternalStore(tail.watch, tail.look);
    const [halted, setHalted] = useState(false);
    const [wanted, setWanted] = useState('');
    const [open, setOpen] = useState<RecentEvent | null>(null);
    const field = useRef<HTMLInputElement>(null);
    const recent = useQuery({
        queryKey: ['events', 'recent'],
        queryFn: ({ signal }) => api.recentEvents(FIRST, signal),
    });
    useEffect(() => {
        if (recent.data) tail.fill(recent.data.events);
    }, [recent.data, tail]);
    useTopic('events', (frame) => {
        if ('topic' in frame && frame.topic === 'events') tail.take(frame.data, frame.skipped);
    });
    useKeys({ '/': () => field.current?.focus() });
    const halt = (next: boolean) => {
        setHalted(next);
        tail.halt(next);
    };
    const lower = wanted.trim().toLowerCase();
    const shown = useMemo(() => (lower === '' ? events : events.filter((event) =>
        JSON.stringify(event).toLowerCase().includes(lower))), [events, lower]);
    const columns = useMemo<Column<RecentEvent>[]>(() => [
        {
            id: 'time', head: t('events.col.time'), width: '104px',
            cell: (event) => (
                <time dateTime={event.received} title={format.moment(event.received)}>
                    {new Date(event.received).toTimeString().slice(0, 8)}
                </time>
            ),
        },
        {
            id: 'name', head: t('events.col.name'), width: 'minmax(160px, 1fr)', isPhone: true,
            cell: (event) => (
                <button type="button" className={classes.name} onClick={() => setOpen(event)}>
                    {event.name || event.type}
                </button>
            ),
        },
        {
            id: 'person', head: t('events.col.person'), width: 'minmax(120px, 0.8fr)',
            isPhone: true,
            cell: (event) => event.user_id
                ?? <span className={classes.quiet}>{t('events.anonymous')}</span>,
        },
        {
            id: 'what', head: t('events.col.what'), width: 'minmax(240px, 3fr)',
            cell: (event) => <span className={classes.line}>{oneLine(event)}</span>,
        },
    ], [t, format]);
    return (
        <>
            <div className={classes.bar}>
                <TextInput
                    ref={field} value={wanted} w={320} maw="100%" aria-label={t('events.filter')}
                    placeholder={t('events.filter')}
                    leftSection={<IconSearch size={16} stroke={1.75} />}
                    onChange={(event) => setWanted(event.currentTarget.value)}
                />
                {halted && fresh > 0 && (
                    <Button size="compact-sm" variant="light" onClick={() => halt(false)}>
                        {t('events.paused', { count: fresh })}
                    </Button>
                )}
                {halted && fresh === 0 && (
                    <Chip icon={<IconPlayerPause aria-hidden />}>{t('events.halted')}</Chip>
                )}
                {skipped > 0 && (
                    <span className={classes.quiet}>
                        {t('events.skipped', { count: format.number(skipped) })}
                    </span>
                )}
            </div>
            <Card flush>
                {recent.isPending && <Skeleton rows={12} height={44} />}
                {recent.isError && events.length === 0 && (
                    <Failed error={recent.error} onRetry={() => void recent.refetch()} />
                )}
                {recent.isSuccess && events.length === 0 && (
                    <Empty
                        icon={<IconBolt size={22} stroke={1.75} />} title={t('events.empty')}
                        text={t('events.emptyText')}
                        action={<Button onClick={onTest}>{t('events.test')}</Button>}
                    />
                )}
                {events.length > 0 && shown.length === 0 && <Empty text={t('events.none')} />}
                {shown.length > 0 && (
                    <div
                        onMouseEnter={() => halt(true)} onMouseLeave={() => halt(false)}
                        onFocus={() => halt(true)} onBlur={() => halt(false)}
                    >
                        <Rows
                            label={t('events.received')} columns={columns} rows={shown}
                            idOf={(event) => event.id} onOpen={setOpen}
                        />
                    </div>
                )}
            </Card>
            <EventDrawer event={open} onClose={() => setOpen(null)} />
        </>
    );
}

function curlOf(event: RecentEvent, key: string): string {
    const body = JSON.stringify({
        event: event.name, ...(event.user_id ? { userId: event.user_id } : {}),
        ...(event.anonymous_id ? { anonymousId: event.anonymous_id } : {}),
        timestamp: event.time, properties: event.properties,
    });
    const quotedBody = body.replace(/'/g, "'\\''");
    return `curl -u '${key}:' -H 'content-type: application/json' \\\n  ${location.origin}/v1/track`
        + ` \\\n  -d '${quotedBody}'`;
}

function EventDrawer({ event, onClose }: { event: RecentEvent | null; onClose: () => void }) {
    const t = useT();
    const to = useTo();
    const api = useApi();
    const format = useFormat();
    const keys = useQuery({
        queryKey: ['keys'], queryFn: ({ signal }) => api.keys(signal), enabled: event !== null,
    });
    const key = keys.data?.keys.find((one) => one.kind === 'write')?.text ?? 'WRITE_KEY';
    return (
        <Drawer
            opened={event !== null} onClose={onClose} position="right" size={440}
            title={t('events.details', { name: event?.name ?? '' })}
            closeButtonProps={{ 'aria-label': t('act.close') }}
        >
            {event && (
                <div className={classes.drawer}>
                    <div className={classes.acts}>
                        {event.person_id && (
                            <Button component={Link} to={to(`/people/${event.person_id}`)}>
                                {t('events.openPerson')}
                            </Button>
                        )}
                        <CopyButton text={curlOf(event, key)} label={t('events.curl')} />
                    </div>
                    <Facts rows={[
                        { term: t('events.col.time'), value: format.moment(event.received) },
                        { term: t('person.id.user'), value: event.user_id ?? '-' },
                        { term: t('person.id.anonymous'), value: event.anonymous_id ?? '-' },
                    ]} />
                    <Code text={JSON.stringify(event, null, 2)} label={t('events.body')} />
                </div>
            )}
        </Drawer>
    );
}
