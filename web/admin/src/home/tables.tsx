import { Button } from '@mantine/core';
import { IconFilter, IconRoute } from '@tabler/icons-react';
import { Link } from 'react-router';
import { useTo } from '../api/context.ts';
import type { Home } from '../api/contract.ts';
import { Card } from '../ui/card.tsx';
import { useFormat } from '../ui/format.ts';
import { Empty } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import classes from './home.module.css';
import { LiveNumber } from './tiles.tsx';

const SHOWN = 6;

export function SegmentTable({ home }: { home: Home }) {
    const t = useT();
    const to = useTo();
    const rows = [...home.segments].sort((a, b) => b.count - a.count).slice(0, SHOWN);
    const most = Math.max(1, ...rows.map((row) => row.count));
    if (rows.length === 0) {
        return (
            <Card title={t('home.segments')}>
                <Empty
                    icon={<IconFilter size={22} stroke={1.75} />} text={t('home.segmentsEmpty')}
                    action={(
                        <Button variant="default" component={Link} to={to('/segments/new')}>
                            {t('home.newSegment')}
                        </Button>
                    )}
                />
            </Card>
        );
    }
    return (
        <Card title={t('home.segments')} flush
            aside={<Link to={to('/segments')}>{t('home.all')}</Link>}>
            <table className={classes.list}>
                <thead className="visually-hidden">
                    <tr>
                        <th scope="col">{t('home.name')}</th>
                        <th scope="col">{t('home.count')}</th>
                    </tr>
                </thead>
                <tbody>
                    {rows.map((row) => (
                        <tr key={row.id}>
                            <th scope="row">
                                <Link to={to(`/segments/${row.id}`)}>{row.name}</Link>
                                <span className={classes.barTrack} aria-hidden>
                                    <span
                                        className={classes.barFill}
                                        style={{ width: `${(row.count / most) * 100}%` }}
                                    />
                                </span>
                            </th>
                            <td><LiveNumber value={row.count} /></td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </Card>
    );
}

export function JourneyTable({ home }: { home: Home }) {
    const t = useT();
    const to = useTo();
    const format = useFormat();
    const rows = home.journeys.slice(0, SHOWN);
    if (rows.length === 0) {
        return (
            <Card title={t('home.journeys')}>
                <Empty
                    icon={<IconRoute size={22} stroke={1.75} />} text={t('home.journeysEmpty')}
                    action={(
                        <Button variant="default" component={Link} to={to('/journeys/new')}>
                            {t('home.newJourney')}
                        </Button>
                    )}
                />
            </Card>
        );
    }
    return (
        <Card title={t('home.journeys')} flush
            aside={<Link to={to('/journeys')}>{t('home.all')}</Link>}>
            <table className={classes.list}>
                <thead>
                    <tr>
                        <th scope="col">{t('home.name')}</th>
                        <th scope="col">{t('home.inIt')}</th>
                        <th scope="col">{t('home.sent')}</th>
                        <th scope="col">{t('home.goal')}</th>
                    </tr>
                </thead>
                <tbody>
                    {rows.map((row) => (
                        <tr key={row.id}>
                            <th scope="row">
                                <Link to={to(`/journeys/${row.id}`)}>{row.name}</Link>
                            </th>
                            <td><LiveNumber value={row.in_it} /></td>
                            <td>{format.number(row.sent)}</td>
                            <td>{format.number(row.goal)}</td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </Card>
    );
}
