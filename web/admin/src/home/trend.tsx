import { Button } from '@mantine/core';
import { useMemo } from 'react';
import { Link } from 'react-router';
import { useTo } from '../api/context.ts';
import type { Day } from '../api/contract.ts';
import { Card } from '../ui/card.tsx';
import { Chart } from '../ui/chart.tsx';
import { useFormat } from '../ui/format.ts';
import { Empty } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import classes from './home.module.css';

export function Trend({ days }: { days: Day[] }) {
    const t = useT();
    const to = useTo();
    const format = useFormat();
    const names = useMemo(() => days.map((day) => format.day(day.day)), [days, format]);
    const lines = useMemo(() => [
        { name: t('home.visitors'), values: days.map((day) => day.visitors) },
        { name: t('home.newPersons'), values: days.map((day) => day.new_persons) },
        { name: t('home.lettersLine'), values: days.map((day) => day.letters) },
    ], [days, t]);
    if (!days.some((day) => day.events > 0)) {
        return (
            <Card title={t('home.chart')}>
                <Empty
                    title={t('home.noEvents')} text={t('home.noEventsText')}
                    action={(
                        <Button component={Link} to={to('/settings/site')}>
                            {t('home.install')}
                        </Button>
                    )}
                />
            </Card>
        );
    }
    return (
        <Card title={t('home.chart')}>
            <Chart
                label={t('home.chartLabel')} days={names} lines={lines} isLastUnfinished
                twin={(
                    <table className={classes.table}>
                        <caption className="visually-hidden">{t('home.chartLabel')}</caption>
                        <thead>
                            <tr>
                                <th scope="col">{t('home.day')}</th>
                                <th scope="col">{t('home.visitors')}</th>
                                <th scope="col">{t('home.newPersons')}</th>
                                <th scope="col">{t('home.lettersLine')}</th>
                                <th scope="col">{t('home.eventsLine')}</th>
                            </tr>
                        </thead>
                        <tbody>
                            {days.map((day, i) => (
                                <tr key={day.day}>
                                    <th scope="row">{names[i]}</th>
                                    <td>{format.number(day.visitors)}</td>
                                    <td>{format.number(day.new_persons)}</td>
                                    <td>{format.number(day.letters)}</td>
                                    <td>{format.number(day.events)}</td>
                                </tr>
                            ))}
                        </tbody>
                    </table>
                )}
            />
        </Card>
    );
}
