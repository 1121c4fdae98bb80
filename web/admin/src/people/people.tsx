import { ActionIcon, Button, Checkbox, Menu, Tooltip } from '@mantine/core';
import { IconColumns3, IconFilter, IconUsers, IconX } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { ApiError } from '../api/client.ts';
import { useApi, useTo } from '../api/context.ts';
import { Card } from '../ui/card.tsx';
import { useFormat } from '../ui/format.ts';
import { useKeys } from '../ui/keys.ts';
import { Page } from '../ui/page.tsx';
import { usePersonColumns } from '../ui/person-cells.tsx';
import { Rows } from '../ui/rows.tsx';
import { Empty, Failed, Skeleton } from '../ui/states.tsx';
import { type Key, useT } from '../ui/words.ts';
import { Filter } from './filter.tsx';
import classes from './people.module.css';

const PAGE = 100;
const HIDDEN = 'ripen.people.hidden';
const hiddenFirst = ['first', 'id', 'events'];

const views: { name: Key; condition: string }[] = [
    { name: 'people.view.all', condition: '' },
    { name: 'people.view.known', condition: 'email is known' },
    { name: 'people.view.week', condition: 'did "Page" within 7d' },
    { name: 'people.view.silent', condition: 'not did "Page" within 30d' },
];

function rememberedHidden(): string[] {
    try {
        return JSON.parse(localStorage.getItem(HIDDEN) ?? '') as string[];
    } catch {
        return hiddenFirst;
    }
}

export default function PeopleScreen() {
    const t = useT();
    const to = useTo();
    const api = useApi();
    const format = useFormat();
    const navigate = useNavigate();
    const [address, setAddress] = useSearchParams();
    const condition = address.get('condition') ?? '';
    const sort = address.get('sort') ?? '-last_seen';
    const filtering = address.get('filter') === 'yes';
    const [hidden, setHidden] = useState(rememberedHidden);
    const columns = usePersonColumns();
    const set = (name: string, value: string) => setAddress((now) => {
        const next = new URLSearchParams(now);
        if (value === '') next.delete(name);
        else next.set(name, value);
        return next;
    });
    const people = useInfiniteQuery({
        queryKey: ['people', condition, sort],
        queryFn: ({ pageParam, signal }) => api.persons({
            condition, sort, limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}),
        }, signal),
        initialPageParam: '',
        getNextPageParam: (page) => page.next_cursor,
        placeholderData: keepPreviousData,
    });
    const rows = useMemo(
        () => people.data?.pages.flatMap((page) => page.persons) ?? [], [people.data]);
    const total = people.data?.pages[0]?.total;
    useKeys({
        '/': () => set('filter', filtering ? '' : 'yes'),
        c: () => condition !== ''
            && navigate(to(`/segments/new?condition=${encodeURIComponent(condition)}`)),
    });
    const hide = (id: string) => {
        const next = hidden.includes(id) ? hidden.filter((one) => one !== id) : [...hidden, id];
        localStorage.setItem(HIDDEN, JSON.stringify(next));
        setHidden(next);
    };
    const isWrong = people.error instanceof ApiError && people.error.status === 400;
    return (
        <Page
            title={t('people.title')}
            meta={total !== undefined && (
                <span aria-live="polite">
                    {t('people.total', { count: total }).replace(
                        String(total), format.number(total))}
                </span>
            )}
            actions={(
                <>
                    <ColumnsMenu columns={columns} hidden={hidden} onHide={hide} />
                    {condition !== '' && !isWrong && (
                        <Button
                            component={Link} to={to(
                                `/segments/new?condition=${encodeURIComponent(condition)}`)}
                        >
                            {t('people.saveAs')}
                        </Button>
                    )}
                </>
            )}
        >
            <div className={classes.bar}>
                <div className={classes.views} role="group" aria-label={t('people.views')}>
                    {views.map((view) => (
                        <button
                            key={view.name} type="button" className={classes.view}
                            aria-pressed={condition === view.condition}
                            onClick={() => set('condition', view.condition)}
                        >
                            {t(view.name)}
                        </button>
                    ))}
                </div>
                <Button
                    variant="default" leftSection={<IconFilter size={16} stroke={1.75} />}
                    aria-expanded={filtering} onClick={() => set('filter', filtering ? '' : 'yes')}
                >
                    {t('people.filter')}
                </Button>
                {condition !== '' && (
                    <span className={classes.condition}>
                        <code>{condition}</code>
                        <Tooltip label={t('people.clear')}>
                            <ActionIcon
                                variant="subtle" color="gray" size={24}
                                aria-label={t('people.clear')} onClick={() => set('condition', '')}
                            >
                                <IconX size={14} stroke={1.75} />
                            </ActionIcon>
                        </Tooltip>
                    </span>
                )}
            </div>
            {filtering && (
                <Filter condition={condition} onChange={(next) => set('condition', next)} />
            )}
            <Card flush>
                {people.isPending && <Skeleton rows={12} height={44} />}
                {people.isError && rows.length === 0 && (
                    <Failed error={people.error} onRetry={() => void people.refetch()} />
                )}
                {people.isSuccess && rows.length === 0 && (condition === '' ? (
                    <Empty
                        icon={<IconUsers size={22} stroke={1.75} />} title={t('people.empty')}
                        text={t('people.emptyText')}
                        action={(
                            <Button component={Link} to={to('/settings/site')}>
                                {t('home.install')}
                            </Button>
                        )}
                    />
                ) : (
                    <Empty
                        title={t('people.none')} text={t('people.noneText')}
                        action={(
                            <Button variant="default" onClick={() => set('condition', '')}>
                                {t('people.clear')}
                            </Button>
                        )}
                    />
                ))}
                {rows.length > 0 && (
                    <Rows
                        label={t('people.list')} columns={columns} rows={rows} hidden={hidden}
                        idOf={(person) => person.id} sort={sort}
                        onSort={(next) => set('sort', next)} isOld={people.isPlaceholderData}
                        onOpen={(person) => navigate(to(`/people/${person.id}`))}
                        hasMore={people.hasNextPage} isLoadingMore={people.isFetchingNextPage}
                        onMore={() => void people.fetchNextPage()}
                    />
                )}
            </Card>
        </Page>
    );
}

function ColumnsMenu({ columns, hidden, onHide }: {
    columns: { id: string; head: string }[]; hidden: string[]; onHide: (id: string) => void;
}) {
    const t = useT();
    return (
        <Menu position="bottom-end" width={220} closeOnItemClick={false}>
            <Menu.Target>
                <Button variant="default" leftSection={<IconColumns3 size={16} stroke={1.75} />}
                    className={classes.columns}>
                    {t('people.columns')}
                </Button>
            </Menu.Target>
            <Menu.Dropdown>
                {columns.filter((one) => one.id !== 'name').map((one) => (
                    <Menu.Item
                        key={one.id} onClick={() => onHide(one.id)} role="menuitemcheckbox"
                        aria-checked={!hidden.includes(one.id)}
                        leftSection={(
                            <Checkbox.Indicator checked={!hidden.includes(one.id)} size="xs" />
                        )}
                    >
                        {one.head}
                    </Menu.Item>
                ))}
            </Menu.Dropdown>
        </Menu>
    );
}
