import { ActionIcon, Button, Menu, VisuallyHidden } from '@mantine/core';
import { IconDots, IconPencil, IconUsers } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { useApi, useCounts, useTo } from '../api/context.ts';
import type { Segment } from '../api/contract.ts';
import { Ask } from '../ui/ask.tsx';
import { Card } from '../ui/card.tsx';
import { Code } from '../ui/copy.tsx';
import { sentenceOf } from '../ui/condition/sentence.ts';
import { useFormat } from '../ui/format.ts';
import { useKeys } from '../ui/keys.ts';
import { useNotice } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';
import { quoted } from '../ui/person.ts';
import { usePersonColumns } from '../ui/person-cells.tsx';
import { Rows } from '../ui/rows.tsx';
import { Bone, Empty, Failed, Skeleton } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import { SegmentState } from './segments.tsx';
import classes from './segments.module.css';

const PAGE = 100;
const hidden = ['first', 'id', 'events', 'visits', 'segments'];

export default function SegmentScreen() {
    const t = useT();
    const to = useTo();
    const api = useApi();
    const format = useFormat();
    const navigate = useNavigate();
    const notice = useNotice();
    const queries = useQueryClient();
    const counts = useCounts();
    const { id = '' } = useParams();
    const [asks, setAsks] = useState(false);
    const segment = useQuery({
        queryKey: ['segments', id], queryFn: ({ signal }) => api.segment(id, signal),
        refetchInterval: (query) => (query.state.data?.state === 'counting' ? 1500 : false),
    });
    const found = segment.data;
    const count = counts?.segments[id] ?? found?.count;
    useKeys({ e: () => navigate(to(`/segments/${id}/edit`)) });
    const name = found?.name ?? t('segments.title');
    return (
        <Page
            title={name}
            shown={found ? found.name : segment.isError ? t('segments.title')
                : <><VisuallyHidden>{name}</VisuallyHidden><Bone width={220} height={24} /></>}
            meta={found && count !== undefined && (
                <Link to={to(`/people?condition=${encodeURIComponent(
                    `in segment ${quoted(found.name)}`)}`)}>
                    {t('people.total', { count }).replace(String(count), format.number(count))}
                </Link>
            )}
            actions={found && (
                <>
                    <Button
                        component={Link} to={to(`/segments/${id}/edit`)}
                        leftSection={<IconPencil size={16} stroke={1.75} />}
                    >
                        {t('segment.edit')}
                    </Button>
                    <Menu position="bottom-end" width={200}>
                        <Menu.Target>
                            <ActionIcon variant="default" size={36} aria-label={t('act.more')}>
                                <IconDots size={18} stroke={1.75} />
                            </ActionIcon>
                        </Menu.Target>
                        <Menu.Dropdown>
                            <Menu.Item color="red" onClick={() => setAsks(true)}>
                                {t('segment.delete')}
                            </Menu.Item>
                        </Menu.Dropdown>
                    </Menu>
                </>
            )}
        >
            {segment.isError && (
                <Card>
                    <Failed error={segment.error} onRetry={() => void segment.refetch()} />
                </Card>
            )}
            {found && <About segment={found} />}
            {!segment.isError && <Members id={id} />}
            <Ask
                opened={asks} onClose={() => setAsks(false)} danger verb={t('segment.delete')}
                title={t('segment.deleteTitle', { name })}
                act={async () => {
                    await api.deleteSegment(id);
                    notice({ text: t('segment.deleted', { name }) });
                    navigate(to('/segments'));
                    await queries.invalidateQueries({ queryKey: ['segments'] });
                }}
            >
                {t('segment.deleteText')}
            </Ask>
        </Page>
    );
}

function About({ segment }: { segment: Segment }) {
    const t = useT();
    const sentence = useMemo(() => sentenceOf(segment.condition_tree, t), [segment, t]);
    return (
        <Card
            title={t('segment.condition')}
            aside={(
                <>
                    <span>{t('segment.version', { n: segment.version })}</span>
                    <SegmentState segment={segment} />
                </>
            )}
        >
            <p className={classes.sentence}>{sentence}</p>
            <Code text={segment.condition} label={t('segment.condition')} />
        </Card>
    );
}

function Members({ id }: { id: string }) {
    const t = useT();
    const to = useTo();
    const api = useApi();
    const navigate = useNavigate();
    const columns = usePersonColumns();
    const plain = useMemo(() => columns.map(({ sort, ...rest }) => rest), [columns]);
    const members = useInfiniteQuery({
        queryKey: ['segments', id, 'people'],
        queryFn: ({ pageParam, signal }) => api.segmentPersons(
            id, { limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) }, signal),
        initialPageParam: '',
        getNextPageParam: (page) => page.next_cursor,
    });
    const rows = useMemo(
        () => members.data?.pages.flatMap((page) => page.persons) ?? [], [members.data]);
    return (
        <Card title={t('segment.people')} flush>
            {members.isPending && <Skeleton rows={8} height={44} />}
            {members.isError && (
                <Failed error={members.error} onRetry={() => void members.refetch()} />
            )}
            {members.isSuccess && rows.length === 0 && (
                <Empty
                    icon={<IconUsers size={22} stroke={1.75} />} title={t('segment.empty')}
                    text={t('segment.emptyText')}
                    action={(
                        <Button variant="default" component={Link} to={to(`/segments/${id}/edit`)}>
                            {t('segment.edit')}
                        </Button>
                    )}
                />
            )}
            {rows.length > 0 && (
                <Rows
                    label={t('segment.people')} columns={plain} rows={rows} hidden={hidden}
                    idOf={(person) => person.id}
                    onOpen={(person) => navigate(to(`/people/${person.id}`))}
                    hasMore={members.hasNextPage} isLoadingMore={members.isFetchingNextPage}
                    onMore={() => void members.fetchNextPage()}
                />
            )}
        </Card>
    );
}
