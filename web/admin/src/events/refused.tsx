import { IconShieldCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useApi } from '../api/context.ts';
import { Card } from '../ui/card.tsx';
import { Code } from '../ui/copy.tsx';
import { Empty, Part, Skeleton } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import { When } from '../ui/when.tsx';
import classes from './events.module.css';

export function RefusedList() {
    const t = useT();
    const api = useApi();
    const refused = useQuery({
        queryKey: ['refused'], queryFn: ({ signal }) => api.refused({ limit: 200 }, signal),
        refetchInterval: 3000,
    });
    return (
        <Card flush>
            <Part query={refused} skeleton={<Skeleton rows={4} height={96} />}>
                {({ refused: all }) => (all.length === 0 ? (
                    <Empty
                        icon={<IconShieldCheck size={22} stroke={1.75} />}
                        title={t('events.refusedEmpty')} text={t('events.refusedEmptyText')}
                    />
                ) : (
                    <ul className={classes.refused}>
                        {all.map((one) => (
                            <li key={one.id} className={classes.refusal}>
                                <p className={classes.reason}>{one.reason}</p>
                                <p className={classes.quiet}>
                                    <When time={one.time} />
                                    {' · '}
                                    <code>{one.path}</code>
                                    {' · '}
                                    {one.index === null ? t('events.whole')
                                        : t('events.index', { n: one.index + 1 })}
                                    {` · ${t('events.key')} `}
                                    <code>{one.key_id}</code>
                                </p>
                                <Code text={one.raw} label={t('events.body')} />
                            </li>
                        ))}
                    </ul>
                ))}
            </Part>
        </Card>
    );
}
