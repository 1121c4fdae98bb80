// What a person did and what happened, newest first; runs of the same kind fold.
import { Button } from '@mantine/core';
import {
    IconBolt, IconCircleMinus, IconCirclePlus, IconFileText, IconMail, IconMailOpened,
    IconPointer, IconRoute, IconUserCheck, IconUsers, type TablerIcon,
} from '@tabler/icons-react';
import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query';
import { useState } from 'react';
import type { Json, Properties, Timeline, TimelineEvent } from '../api/contract.ts';
import { Card, Facts } from '../ui/card.tsx';
import { useFormat, useNow } from '../ui/format.ts';
import { Empty, Failed, Skeleton } from '../ui/states.tsx';
import { type Key, type Words, useT } from '../ui/words.ts';
import classes from './person.module.css';

const FOLD_OVER = 3;
const DAY_MS = 86_400_000;

type Kind = 'all' | 'page' | 'event' | 'message' | 'segment' | 'journey';
const kinds: Kind[] = ['all', 'page', 'event', 'message', 'segment', 'journey'];

function text(value: Json | undefined): string {
    return typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
}

const letterEvents: Record<string, { key: Key; icon: TablerIcon }> = {
    sent: { key: 'person.ev.sent', icon: IconMail },
    opened: { key: 'person.ev.opened', icon: IconMailOpened },
    clicked: { key: 'person.ev.clicked', icon: IconPointer },
    bounced: { key: 'person.ev.bounced', icon: IconMail },
    waiting: { key: 'person.ev.waiting', icon: IconMail },
    spam: { key: 'person.ev.spam', icon: IconMail },
    skipped: { key: 'person.ev.skipped', icon: IconMail },
    failed: { key: 'person.ev.failed', icon: IconMail },
};

function plain(event: TimelineEvent): { kind: Kind; icon: TablerIcon } {
    const name = event.name.toLowerCase();
    const kind = event.kind ?? '';
    if (kind === 'page' || name === 'page' || name === '$pageview') {
        return { kind: 'page', icon: IconFileText };
    }
    if (kind.startsWith('segment')) {
        const isLeft = /left|leave/.test(name);
        return { kind: 'segment', icon: isLeft ? IconCircleMinus : IconCirclePlus };
    }
    if (kind.startsWith('journey_')) return { kind: 'journey', icon: IconRoute };
    if (kind === 'merged' || kind === 'join_claimed') return { kind: 'event', icon: IconUsers };
    if (kind.startsWith('message') || /^(e?mail|letter|message)[_ ]/.test(name)) {
        const found = Object.keys(letterEvents).find((one) => name.endsWith(one));
        return { kind: 'message', icon: found ? letterEvents[found]!.icon : IconMail };
    }
    if (kind === 'identify' || name === 'identify') return { kind: 'event', icon: IconUserCheck };
    return { kind: 'event', icon: IconBolt };
}

function sentence(event: TimelineEvent, t: Words['t']): string {
    const { kind } = plain(event);
    const properties: Properties = event.properties ?? {};
    const name = event.name.toLowerCase();
    if (kind === 'page') {
        const path = text(properties['path']) || text(properties['url'])
            || text(properties['title']) || '/';
        return t('person.ev.page', { path });
    }
    if (kind === 'segment') {
        return t(/left|leave/.test(name) ? 'person.ev.left' : 'person.ev.entered',
            { name: text(properties['segment_name']) || text(properties['segment_id']) });
    }
    if (kind === 'journey') {
        return t(event.kind === 'journey_ended' ? 'person.ev.journeyEnded'
            : 'person.ev.journeyEntered',
        { name: text(properties['journey_name']) || text(properties['journey_id']) });
    }
    if (event.kind === 'merged') return t('person.ev.merged');
    if (kind === 'message') {
        const found = Object.keys(letterEvents).find((one) => name.endsWith(one));
        const subject = text(properties['subject']) || text(properties['journey_name'])
            || text(properties['journey_id']);
        if (found) return t(letterEvents[found]!.key, { subject });
        if (name.includes('unsubscribe')) return t('person.ev.unsubscribed');
    }
    return name === 'identify' ? t('person.ev.identify') : event.name;
}

type Item = { event: TimelineEvent } | { folded: TimelineEvent[]; id: string };

function foldRuns(events: TimelineEvent[]): Item[] {
    const items: Item[] = [];
    let run: TimelineEvent[] = [];
    const flush = () => {
        if (run.length > FOLD_OVER) {
            items.push({ event: run[0]! }, { folded: run.slice(1), id: run[1]!.id });
        } else {
            run.forEach((event) => items.push({ event }));
        }
        run = [];
    };
    for (const event of events) {
        if (run.length > 0 && (run[0]!.name !== event.name || plain(event).kind !== 'page')) {
            flush();
        }
        run.push(event);
    }
    flush();
    return items;
}

export function TimelineList({ query }: {
    query: UseInfiniteQueryResult<InfiniteData<Timeline>>;
}) {
    const t = useT();
    const [kind, setKind] = useState<Kind>('all');
    const events = query.data?.pages.flatMap((page) => page.events) ?? [];
    const wanted = events.filter((event) => kind === 'all' || plain(event).kind === kind);
    return (
        <Card>
            <div className={classes.kinds} role="group" aria-label={t('person.filter')}>
                {kinds.map((one) => (
                    <button
                        key={one} type="button" className={classes.kind}
                        aria-pressed={kind === one} onClick={() => setKind(one)}
                    >
                        {t(`person.kind.${one}`)}
                    </button>
                ))}
            </div>
            {query.isPending && <Skeleton rows={8} height={40} />}
            {query.isError && events.length === 0 && (
                <Failed error={query.error} onRetry={() => void query.refetch()} />
            )}
            {query.isSuccess && events.length === 0 && (
                <Empty
                    icon={<IconBolt size={22} stroke={1.75} />} title={t('person.emptyTimeline')}
                    text={t('person.emptyTimelineText')}
                />
            )}
            {events.length > 0 && wanted.length === 0 && <Empty text={t('person.onlyKind')} />}
            <Days events={wanted} />
            {query.hasNextPage && (
                <Button
                    variant="default" mt={16} loading={query.isFetchingNextPage}
                    onClick={() => void query.fetchNextPage()}
                >
                    {t('person.older')}
                </Button>
            )}
        </Card>
    );
}

function Days({ events }: { events: TimelineEvent[] }) {
    const t = useT();
    const format = useFormat();
    const now = useNow();
    const dayOf = (time: string) => new Date(time).toDateString();
    const days: { day: string; events: TimelineEvent[] }[] = [];
    for (const event of events) {
        const day = dayOf(event.time);
        if (days.at(-1)?.day !== day) days.push({ day, events: [] });
        days.at(-1)!.events.push(event);
    }
    const today = new Date(now()).toDateString();
    const yesterday = new Date(now() - DAY_MS).toDateString();
    return (
        <>
            {days.map((one) => (
                <section key={one.day} className={classes.day}>
                    <h2 className={classes.dayName}>
                        {one.day === today ? t('person.today')
                            : one.day === yesterday ? t('person.yesterday')
                                : format.date(one.events[0]!.time)}
                    </h2>
                    <ol className={classes.line}>
                        {foldRuns(one.events).map((item) => ('event' in item
                            ? <Line key={item.event.id} event={item.event} />
                            : <Folded key={`f${item.id}`} events={item.folded} />))}
                    </ol>
                </section>
            ))}
        </>
    );
}

function Folded({ events }: { events: TimelineEvent[] }) {
    const t = useT();
    const [open, setOpen] = useState(false);
    if (open) return <>{events.map((event) => <Line key={event.id} event={event} />)}</>;
    return (
        <li className={classes.folded}>
            <Button variant="subtle" size="compact-sm" onClick={() => setOpen(true)}>
                {t('person.folded', { count: events.length, name: events[0]!.name })}
            </Button>
        </li>
    );
}

function Line({ event }: { event: TimelineEvent }) {
    const t = useT();
    const format = useFormat();
    const [open, setOpen] = useState(false);
    const { kind, icon: Icon } = plain(event);
    const properties = Object.entries(event.properties ?? {});
    const title = sentence(event, t);
    const cause = kind === 'segment' ? text(event.properties?.['cause'])
        : kind === 'journey' ? text(event.properties?.['end'])
            : kind === 'message' ? text(event.properties?.['reason']) : '';
    const detail = cause || properties
        .filter(([name, value]) => kind === 'event' && typeof value !== 'object'
            && !['path', 'url'].includes(name))
        .slice(0, 3).map(([name, value]) => `${name} ${text(value)}`).join(', ')
        || (kind === 'page' ? text(event.properties?.['title']) : '');
    return (
        <li className={classes.event}>
            <span className={classes.icon} data-kind={kind}>
                <Icon size={16} stroke={1.75} aria-hidden />
            </span>
            <button
                type="button" className={classes.eventRow} aria-expanded={open}
                onClick={() => setOpen(!open)}
            >
                <span className={classes.eventText}>{title}</span>
                {detail !== '' && <span className={classes.eventMore}>{detail}</span>}
                <time dateTime={event.time} title={format.moment(event.time)}
                    className={classes.eventTime}>
                    {format.clock(event.time)}
                </time>
            </button>
            {open && (
                <div className={classes.eventFacts}>
                    <Facts rows={[
                        ...properties.map(([name, value]) => ({ term: name, value: text(value) })),
                        ...Object.entries(event.source ?? {}).map(([name, value]) =>
                            ({ term: name, value: text(value) })),
                        { term: 'id', value: event.id },
                    ]} />
                </div>
            )}
        </li>
    );
}
