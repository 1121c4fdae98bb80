import { Button } from '@mantine/core';
import { IconBroadcast } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { useDesk, useTo, useTopic } from '../api/context.ts';
import type { Visitor } from '../api/contract.ts';
import { Card } from '../ui/card.tsx';
import { useFormat } from '../ui/format.ts';
import { Mark } from '../ui/fruit.tsx';
import { Page } from '../ui/page.tsx';
import { Empty, Skeleton } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import { When } from '../ui/when.tsx';
import classes from './live.module.css';

export default function LiveScreen() {
    const t = useT();
    const to = useTo();
    const format = useFormat();
    const { session } = useDesk();
    const [visitors, setVisitors] = useState<Visitor[] | null>(null);
    const [held, setHeld] = useState<Visitor[] | null>(null);
    useTopic('visitors', (frame) => {
        if ('topic' in frame && frame.topic === 'visitors') setVisitors(frame.data);
    });
    const shown = held ?? visitors;
    const hold = () => setHeld(visitors);
    const release = () => setHeld(null);
    return (
        <Page
            title={t('live.title')}
            meta={visitors && t('live.count', { count: visitors.length }).replace(
                String(visitors.length), format.number(visitors.length))}
            actions={(
                <Button variant="default" component={Link} to={to('/events')}>
                    {t('live.toEvents')}
                </Button>
            )}
        >
            <Card flush>
                {shown === null && <Skeleton rows={6} height={56} />}
                {shown?.length === 0 && (
                    <Empty
                        icon={<IconBroadcast size={22} stroke={1.75} />} title={t('live.empty')}
                        text={t('live.emptyText')}
                        action={(
                            <Button
                                component="a" href={`${session.public_url}/demo/`}
                                target="_blank" rel="noopener"
                            >
                                {t('demo.open')}
                            </Button>
                        )}
                    />
                )}
                {shown !== null && shown.length > 0 && (
                    <ul className={classes.list} aria-label={t('live.whoLabel')}
                        onMouseEnter={hold} onMouseLeave={release}>
                        {shown.map((one) => <Row key={one.person_id} visitor={one} />)}
                    </ul>
                )}
            </Card>
        </Page>
    );
}

function Row({ visitor }: { visitor: Visitor }) {
    const t = useT();
    const to = useTo();
    const place = [visitor.city, visitor.country].filter(Boolean).join(', ');
    const name = visitor.name ?? [t('people.visitor'), visitor.city].filter(Boolean).join(', ');
    return (
        <li className={classes.row}>
            <Mark name={visitor.name ?? ''} size={32} />
            <div className={classes.who}>
                <Link to={to(`/people/${visitor.person_id}`)} className={classes.name}>{name}</Link>
                <span className={classes.page}>{visitor.page}</span>
            </div>
            <div className={classes.more}>
                <span>{place}</span>
                <span>
                    {visitor.source ? t('live.from', { source: visitor.source }) : t('live.direct')}
                </span>
            </div>
            <div className={classes.time}><When time={visitor.since} /></div>
        </li>
    );
}
