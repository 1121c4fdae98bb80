import { Button } from '@mantine/core';
import { IconPencil, IconPlayerStop, IconPlus, IconPointFilled, IconRoute }
    from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { Link, useNavigate } from 'react-router';
import { useApi, useCounts, useTo } from '../api/context.ts';
import type { Journey } from '../api/contract.ts';
import { Card, Chip } from '../ui/card.tsx';
import { useFormat } from '../ui/format.ts';
import { useKeys } from '../ui/keys.ts';
import { Page } from '../ui/page.tsx';
import { type Column, Rows } from '../ui/rows.tsx';
import { Empty, Part, Skeleton } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import { When } from '../ui/when.tsx';
import { entryText } from './describe.tsx';
import classes from './journeys.module.css';

export function JourneyState({ journey }: { journey: Journey }) {
    const t = useT();
    const live = journey.published_version;
    const hasDraft = live !== null && live !== journey.version;
    return (
        <span className={classes.state}>
            {journey.state === 'running' && (
                <Chip tone="ok" icon={<IconPointFilled aria-hidden />}>
                    {t('journey.live', { n: live ?? journey.version })}
                </Chip>
            )}
            {journey.state === 'idle' && live !== null && (
                <Chip tone="warn" icon={<IconPlayerStop aria-hidden />}>
                    {t('journey.stopped')}
                </Chip>
            )}
            {journey.state === 'idle' && live === null && (
                <Chip icon={<IconPencil aria-hidden />}>{t('journey.idle')}</Chip>
            )}
            {hasDraft && (
                <Chip icon={<IconPencil aria-hidden />}>
                    {t('journey.draft', { n: journey.version })}
                </Chip>
            )}
        </span>
    );
}

export default function JourneysScreen() {
    const t = useT();
    const to = useTo();
    const api = useApi();
    const format = useFormat();
    const navigate = useNavigate();
    const counts = useCounts();
    const journeys = useQuery({
        queryKey: ['journeys'], queryFn: ({ signal }) => api.journeys({}, signal),
    });
    useKeys({ c: () => navigate(to('/journeys/new')) });
    const columns = useMemo<Column<Journey>[]>(() => {
        const number = (one: Journey, name: 'in_it' | 'sent' | 'goal') => {
            const value = counts?.journeys[one.id]?.[name];
            return value === undefined ? '-' : format.number(value);
        };
        return [
            {
                id: 'name', head: t('journeys.name'), width: 'minmax(200px, 2fr)', isPhone: true,
                cell: (one) => (
                    <Link to={to(`/journeys/${one.id}`)} className={classes.name}>{one.name}</Link>
                ),
            },
            {
                id: 'state', head: t('journeys.state'), width: 'minmax(184px, 1fr)', isPhone: true,
                cell: (one) => <JourneyState journey={one} />,
            },
            {
                id: 'entry', head: t('journeys.entry'), width: 'minmax(160px, 1.4fr)',
                cell: (one) => entryText(one.definition.entry, t),
            },
            {
                id: 'in', head: t('home.inIt'), width: '88px', isNumber: true,
                cell: (one) => number(one, 'in_it'),
            },
            {
                id: 'sent', head: t('home.sent'), width: '88px', isNumber: true,
                cell: (one) => number(one, 'sent'),
            },
            {
                id: 'goal', head: t('home.goal'), width: '104px', isNumber: true,
                cell: (one) => number(one, 'goal'),
            },
            {
                id: 'changed', head: t('journeys.changed'), width: '136px',
                cell: (one) => <When time={one.changed} />,
            },
        ];
    }, [t, to, counts, format]);
    const create = (
        <Button component={Link} to={to('/journeys/new')}
            leftSection={<IconPlus size={16} stroke={1.75} />}>
            {t('journeys.new')}
        </Button>
    );
    return (
        <Page
            title={t('journeys.title')} actions={create}
            meta={journeys.data && t('journeys.count', { count: journeys.data.journeys.length })}
        >
            <Card flush>
                <Part query={journeys} skeleton={<Skeleton rows={6} height={44} />}>
                    {({ journeys: all }) => (all.length === 0 ? (
                        <Empty
                            icon={<IconRoute size={22} stroke={1.75} />}
                            title={t('journeys.empty')} text={t('journeys.emptyText')}
                            action={(
                                <Button component={Link} to={to('/journeys/new')}>
                                    {t('home.newJourney')}
                                </Button>
                            )}
                        />
                    ) : (
                        <Rows
                            label={t('journeys.title')} columns={columns} rows={all}
                            idOf={(one) => one.id}
                            onOpen={(one) => navigate(to(`/journeys/${one.id}`))}
                        />
                    ))}
                </Part>
            </Card>
        </Page>
    );
}
