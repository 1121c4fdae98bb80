import { IconMail } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useApi, useTo } from '../api/context.ts';
import type { Message } from '../api/contract.ts';
import { Card, Chip, type Tone } from '../ui/card.tsx';
import { Empty, Part, Skeleton } from '../ui/states.tsx';
import { type Key, useT } from '../ui/words.ts';
import { When } from '../ui/when.tsx';
import classes from './person.module.css';

const tones: Record<Message['state'], Tone> = {
    waiting: 'info', claimed: 'info', sent: 'ok', ambiguous: 'warn', failed: 'danger',
    skipped: 'warn',
};

function outcome(message: Message): Key {
    if (message.clicked) return 'message.clicked';
    if (message.opened) return 'message.opened';
    return `message.${message.state}`;
}

export function Messages({ id }: { id: string }) {
    const t = useT();
    const to = useTo();
    const api = useApi();
    const messages = useQuery({
        queryKey: ['person', id, 'messages'],
        queryFn: ({ signal }) => api.messages({ person_id: id, limit: 200 }, signal),
    });
    const journeys = useQuery({
        queryKey: ['journeys'], queryFn: ({ signal }) => api.journeys({}, signal),
    });
    const nameOf = (journey: string) =>
        journeys.data?.journeys.find((one) => one.id === journey)?.name ?? journey;
    return (
        <Card flush>
            <Part query={messages} skeleton={<Skeleton rows={4} height={48} />}>
                {({ messages: all }) => (all.length === 0 ? (
                    <Empty
                        icon={<IconMail size={22} stroke={1.75} />} title={t('person.noMessages')}
                        text={t('person.noMessagesText')}
                    />
                ) : (
                    <table className={classes.table}>
                        <thead>
                            <tr>
                                <th scope="col">{t('person.msg.state')}</th>
                                <th scope="col">{t('person.msg.journey')}</th>
                                <th scope="col">{t('person.msg.reason')}</th>
                                <th scope="col">{t('person.msg.time')}</th>
                            </tr>
                        </thead>
                        <tbody>
                            {all.map((message) => (
                                <tr key={message.id}>
                                    <td>
                                        <Chip tone={tones[message.state]}>
                                            {t(outcome(message))}
                                        </Chip>
                                    </td>
                                    <td>
                                        <Link to={to(`/journeys/${message.journey_id}`
                                            + `?step=${message.step}`)}>
                                            {nameOf(message.journey_id)}
                                        </Link>
                                        {' '}
                                        <span className={classes.quiet}>{message.step}</span>
                                    </td>
                                    <td>{message.reason ?? '-'}</td>
                                    <td><When time={message.time} /></td>
                                </tr>
                            ))}
                        </tbody>
                    </table>
                ))}
            </Part>
        </Card>
    );
}
