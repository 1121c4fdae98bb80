import { VisuallyHidden } from '@mantine/core';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { IconMailCheck, IconMailOff, IconUserCheck, IconUserQuestion } from '@tabler/icons-react';
import { useParams } from 'react-router';
import { useApi, useTo, useTopic } from '../api/context.ts';
import type { Person } from '../api/contract.ts';
import { Card, Chip } from '../ui/card.tsx';
import { Code } from '../ui/copy.tsx';
import { useFormat } from '../ui/format.ts';
import { Mark } from '../ui/fruit.tsx';
import { Page } from '../ui/page.tsx';
import { emailOf, nameOf } from '../ui/person.ts';
import { placeOf, shownName } from '../ui/person-cells.tsx';
import { Bone, Failed, Skeleton } from '../ui/states.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { useT } from '../ui/words.ts';
import { When } from '../ui/when.tsx';
import { About } from './about.tsx';
import { Messages } from './messages.tsx';
import classes from './person.module.css';
import { TimelineList } from './timeline.tsx';

const PAGE = 100;

export default function PersonScreen() {
    const t = useT();
    const to = useTo();
    const api = useApi();
    const queries = useQueryClient();
    const { id = '', tab = 'timeline' } = useParams();
    const person = useQuery({
        queryKey: ['person', id], queryFn: ({ signal }) => api.person(id, signal),
    });
    const timeline = useInfiniteQuery({
        queryKey: ['person', id, 'timeline'],
        queryFn: ({ pageParam, signal }) => api.timeline(
            id, { limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) }, signal),
        initialPageParam: '',
        getNextPageParam: (page) => page.next_cursor,
    });
    useTopic(`person:${id}`, () => {
        void queries.invalidateQueries({ queryKey: ['person', id] });
    });
    const found = person.data;
    const name = found ? shownName(found, t) : t('people.title');
    const tabs = [
        { value: 'about', text: t('person.about'), phone: true },
        { value: 'timeline', text: t('person.timeline') },
        { value: 'messages', text: t('person.messages') },
        { value: 'raw', text: t('person.raw') },
    ];
    return (
        <Page
            title={name} screen={`person ${id}`}
            shown={found ? <><Mark name={nameOf(found) ?? ''} size={32} />{name}</>
                : person.isError ? name : (
                    <><VisuallyHidden>{name}</VisuallyHidden><Bone width={240} height={24} /></>)}
            meta={found && <Head person={found} />}
        >
            {person.isError && !found && (
                <Card>
                    <Failed error={person.error} onRetry={() => void person.refetch()} />
                </Card>
            )}
            <div className={classes.card} data-tab={tab}>
                <aside className={classes.left} aria-label={t('person.about')}>
                    {found && <About person={found} />}
                    {!found && !person.isError && (
                        <Card title={t('person.attributes')}><Skeleton rows={6} /></Card>
                    )}
                </aside>
                <div className={classes.right}>
                    <Tabs
                        label={t('person.tabs')} value={tab} tabs={tabs}
                        toOf={(value) => to(`/people/${id}/${value}`)}
                    />
                    {(tab === 'timeline' || tab === 'about') && (
                        <div className={tab === 'about' ? classes.notOnPhone : undefined}>
                            <TimelineList query={timeline} />
                        </div>
                    )}
                    {tab === 'messages' && <Messages id={id} />}
                    {tab === 'raw' && found && (
                        <Card>
                            <Code text={JSON.stringify(found, null, 2)} label={t('person.raw')} />
                        </Card>
                    )}
                </div>
            </div>
        </Page>
    );
}

function Head({ person }: { person: Person }) {
    const t = useT();
    const format = useFormat();
    const email = emailOf(person);
    const place = placeOf(person);
    const name = nameOf(person);
    return (
        <span className={classes.head}>
            {email && email !== name && <span>{email}</span>}
            {place && <span>{place}</span>}
            <span>
                {t('person.seen')}
                {' '}
                <When time={person.last_seen} />
            </span>
            <span>
                {t('person.visits', { count: person.visits }).replace(
                    String(person.visits), format.number(person.visits))}
            </span>
            {person.merged.length > 0 && (
                <span>{t('person.merged', { count: person.merged.length })}</span>
            )}
            {name === null
                ? <Chip icon={<IconUserQuestion aria-hidden />}>{t('person.anonymous')}</Chip>
                : <Chip tone="ok" icon={<IconUserCheck aria-hidden />}>{t('person.known')}</Chip>}
            {email === null ? null : person.unsubscribed
                ? (
                    <Chip tone="warn" icon={<IconMailOff aria-hidden />}>
                        {t('person.unsubscribed')}
                    </Chip>
                ) : (
                    <Chip tone="ok" icon={<IconMailCheck aria-hidden />}>
                        {t('person.subscribed')}
                    </Chip>
                )}
        </span>
    );
}

