import { Button, Menu } from '@mantine/core';
import { IconChevronDown, IconFilter, IconRoute } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useApi, useCounts, useTo } from '../api/context.ts';
import type { Home } from '../api/contract.ts';
import { Card } from '../ui/card.tsx';
import { Page } from '../ui/page.tsx';
import { Bone, Failed, Skeleton } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import { Checklist } from './checklist.tsx';
import classes from './home.module.css';
import { JourneyTable, SegmentTable } from './tables.tsx';
import { NeedsYou } from './needs-you.tsx';
import { Tiles } from './tiles.tsx';
import { Trend } from './trend.tsx';

export default function HomeScreen() {
    const t = useT();
    const api = useApi();
    const counts = useCounts();
    const home = useQuery({
        queryKey: ['home'], queryFn: ({ signal }) => api.home(signal), refetchInterval: 60_000,
    });
    const facts = home.data ? alive(home.data, counts) : undefined;
    return (
        <Page title={t('home.title')} actions={<CreateMenu />}>
            <NeedsYou home={facts} />
            {home.isError && !facts ? (
                <Card>
                    <Failed error={home.error} onRetry={() => void home.refetch()} height={88} />
                </Card>
            ) : <Tiles home={facts} />}
            {!home.isError && (
                <>
                    <div className={classes.middle}>
                        {facts ? <Trend days={facts.days} /> : <Waiting title={t('home.chart')}
                            height={304} />}
                        {facts && <Checklist checklist={facts.checklist} />}
                    </div>
                    <div className={classes.halves}>
                        {facts ? <SegmentTable home={facts} />
                            : <Waiting title={t('home.segments')} height={200} />}
                        {facts ? <JourneyTable home={facts} />
                            : <Waiting title={t('home.journeys')} height={200} />}
                    </div>
                </>
            )}
        </Page>
    );
}

function Waiting({ title, height }: { title: string; height: number }) {
    return (
        <Card title={title}>
            <Skeleton>
                <Bone height={height} />
            </Skeleton>
        </Card>
    );
}

// What the stream says is newer than what was fetched.
function alive(home: Home, counts: ReturnType<typeof useCounts>): Home {
    if (!counts) return home;
    return {
        ...home,
        persons: counts.persons,
        on_site: counts.on_site,
        segments: home.segments.map((one) =>
            ({ ...one, count: counts.segments[one.id] ?? one.count })),
        journeys: home.journeys.map((one) => ({ ...one, ...counts.journeys[one.id] })),
    };
}

function CreateMenu() {
    const t = useT();
    const to = useTo();
    return (
        <Menu position="bottom-end" width={220}>
            <Menu.Target>
                <Button rightSection={<IconChevronDown size={16} stroke={1.75} />}>
                    {t('home.create')}
                </Button>
            </Menu.Target>
            <Menu.Dropdown>
                <Menu.Item
                    component={Link} to={to('/segments/new')}
                    leftSection={<IconFilter size={18} stroke={1.75} />}
                >
                    {t('search.newSegment')}
                </Menu.Item>
                <Menu.Item
                    component={Link} to={to('/journeys/new')}
                    leftSection={<IconRoute size={18} stroke={1.75} />}
                >
                    {t('search.newJourney')}
                </Menu.Item>
            </Menu.Dropdown>
        </Menu>
    );
}
