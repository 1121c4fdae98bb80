// One line of what waits for somebody; each item links to its fix.
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useApi, useTo } from '../api/context.ts';
import type { Home } from '../api/contract.ts';
import { useT } from '../ui/words.ts';
import classes from './home.module.css';

const LOOKED_AT = 100;

export function NeedsYou({ home }: { home: Home | undefined }) {
    const t = useT();
    const to = useTo();
    const api = useApi();
    const refused = useQuery({
        queryKey: ['refused', 'home'],
        queryFn: ({ signal }) => api.refused({ limit: LOOKED_AT }, signal),
    });
    const sender = useQuery({
        queryKey: ['sender'], queryFn: ({ signal }) => api.sender(signal), retry: false,
    });
    const failed = useQuery({
        queryKey: ['messages', 'home'],
        queryFn: ({ signal }) => api.messages({ limit: LOOKED_AT }, signal),
    });
    const refusals = refused.data?.refused.length ?? 0;
    const failures = failed.data?.messages.filter((one) => one.state === 'failed').length ?? 0;
    const items: { text: string; to: string }[] = [];
    if (home && !home.checklist.first_event) {
        items.push({ text: t('home.needs.install'), to: to('/settings/site') });
    }
    if (sender.data && !sender.data.from_address && home && home.journeys.length > 0) {
        items.push({ text: t('home.needs.sender'), to: to('/settings/senders') });
    }
    if (refusals > 0) {
        items.push({
            text: t('home.needs.refused', { count: refusals }), to: to('/events?tab=refused'),
        });
    }
    if (failures > 0) {
        items.push({ text: t('home.needs.failed', { count: failures }), to: to('/mailbox') });
    }
    return (
        <section className={classes.needs} aria-label={t('home.needs')}>
            <h2 className={classes.needsTitle}>{t('home.needs')}</h2>
            {items.length === 0 ? (
                <span className={classes.calm}>
                    <IconCircleCheck size={18} stroke={1.75} aria-hidden />
                    {t('home.needs.none')}
                </span>
            ) : (
                <ul className={classes.needsList}>
                    {items.map((item) => (
                        <li key={item.text}>
                            <IconAlertTriangle size={16} stroke={1.75} aria-hidden />
                            <Link to={item.to}>{item.text}</Link>
                        </li>
                    ))}
                </ul>
            )}
        </section>
    );
}
