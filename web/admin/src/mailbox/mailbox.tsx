import { Button } from '@mantine/core';
import { IconArrowLeft, IconMail } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { ApiError } from '../api/client.ts';
import { useApi, useDesk, useTo } from '../api/context.ts';
import type { Letter } from '../api/contract.ts';
import { Card, Facts } from '../ui/card.tsx';
import { Code } from '../ui/copy.tsx';
import { useKeys } from '../ui/keys.ts';
import { Page } from '../ui/page.tsx';
import { Empty, Failed, Part, Skeleton } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import { When } from '../ui/when.tsx';
import classes from './mailbox.module.css';

const PAGE = 50;

export default function MailboxScreen() {
    const t = useT();
    const to = useTo();
    const api = useApi();
    const navigate = useNavigate();
    const { id } = useParams();
    const letters = useInfiniteQuery({
        queryKey: ['mailbox'],
        queryFn: ({ pageParam, signal }) => api.letters(
            { limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) }, signal),
        initialPageParam: '',
        getNextPageParam: (page) => page.next_cursor,
        refetchInterval: 5000,
    });
    const all = letters.data?.pages.flatMap((page) => page.letters) ?? [];
    const at = all.findIndex((one) => one.id === id);
    const step = (by: number) => {
        const next = all[Math.max(0, Math.min(all.length - 1, at + by))];
        if (next) navigate(to(`/mailbox/${encodeURIComponent(next.id)}`), { replace: true });
    };
    useKeys({ j: () => step(1), k: () => step(-1) });
    const isSmtp = letters.error instanceof ApiError && letters.error.status === 404;
    if (isSmtp) {
        return (
            <Page title={t('mailbox.title')}>
                <Card><Empty title={t('mailbox.smtp')} text={t('mailbox.smtpText')} /></Card>
            </Page>
        );
    }
    if (letters.isSuccess && all.length === 0) {
        return (
            <Page title={t('mailbox.title')}>
                <Card>
                    <Empty
                        icon={<IconMail size={22} stroke={1.75} />} title={t('mailbox.empty')}
                        text={t('mailbox.emptyText')}
                        action={(
                            <Button component={Link} to={to('/journeys')}>
                                {t('home.newJourney')}
                            </Button>
                        )}
                    />
                </Card>
            </Page>
        );
    }
    return (
        <Page title={t('mailbox.title')} screen="mailbox" meta={t('mailbox.count')}>
            <div className={classes.halves} data-open={id !== undefined}>
                <Card flush className={classes.list ?? ''}>
                    {letters.isPending && <Skeleton rows={8} height={64} />}
                    {letters.isError && all.length === 0 && (
                        <Failed error={letters.error} onRetry={() => void letters.refetch()} />
                    )}
                    <ul className={classes.letters} aria-label={t('mailbox.list')}>
                        {all.map((letter) => (
                            <li key={letter.id}>
                                <Link
                                    to={to(`/mailbox/${encodeURIComponent(letter.id)}`)}
                                    className={classes.letter}
                                    aria-current={letter.id === id ? 'true' : undefined}
                                >
                                    <span className={classes.subject}>
                                        {letter.subject || t('mailbox.noSubject')}
                                    </span>
                                    <span className={classes.to}>{letter.to}</span>
                                    <span className={classes.time}>
                                        <When time={letter.time} />
                                    </span>
                                </Link>
                            </li>
                        ))}
                    </ul>
                    {letters.hasNextPage && (
                        <div className={classes.older}>
                            <Button variant="default" loading={letters.isFetchingNextPage}
                                onClick={() => void letters.fetchNextPage()}>
                                {t('person.older')}
                            </Button>
                        </div>
                    )}
                </Card>
                {id === undefined ? (
                    <div className={classes.choose}>
                        <IconMail size={22} stroke={1.75} aria-hidden />
                        {t('mailbox.choose')}
                    </div>
                ) : <Reader id={id} />}
            </div>
        </Page>
    );
}

function Reader({ id }: { id: string }) {
    const t = useT();
    const to = useTo();
    const api = useApi();
    const letter = useQuery({
        queryKey: ['mailbox', id], queryFn: ({ signal }) => api.letter(id, signal),
    });
    return (
        <div className={classes.reader}>
            <Link to={to('/mailbox')} className={classes.back}>
                <IconArrowLeft size={16} stroke={1.75} aria-hidden />
                {t('mailbox.back')}
            </Link>
            <Card className={classes.readerCard ?? ''}>
                <Part query={letter} skeleton={<Skeleton rows={4} />}>
                    {(found) => <Read letter={found} />}
                </Part>
            </Card>
        </div>
    );
}

type View = 'html' | 'plain' | 'source';

function Read({ letter }: { letter: Letter }) {
    const t = useT();
    const to = useTo();
    const { session } = useDesk();
    const [view, setView] = useState<View>('html');
    const subject = letter.subject || t('mailbox.noSubject');
    const views: { value: View; text: string }[] = [
        { value: 'html', text: t('mailbox.html') },
        { value: 'plain', text: t('mailbox.plain') },
        { value: 'source', text: t('mailbox.source') },
    ];
    return (
        <div className={classes.read}>
            <h2 className={classes.readSubject}>{subject}</h2>
            <Facts rows={[
                { term: t('mailbox.to'), value: letter.to },
                { term: t('mailbox.time'), value: <When time={letter.time} /> },
            ]} />
            <div className={classes.acts}>
                <div className={classes.views} role="group" aria-label={t('mailbox.views')}>
                    {views.map((one) => (
                        <button
                            key={one.value} type="button" className={classes.view}
                            aria-pressed={view === one.value} onClick={() => setView(one.value)}
                        >
                            {one.text}
                        </button>
                    ))}
                </div>
                <Button variant="default" size="xs" component={Link}
                    to={to(`/people/${letter.person_id}`)}>
                    {t('mailbox.person')}
                </Button>
            </div>
            {view === 'html' && (
                <iframe
                    className={classes.frame} sandbox="" title={t('mailbox.frame', { subject })}
                    src={`${session.sandbox_url}/mail/${encodeURIComponent(letter.id)}`}
                    referrerPolicy="no-referrer"
                />
            )}
            {view === 'plain' && <Code text={letter.text ?? ''} label={t('mailbox.plain')} />}
            {view === 'source' && <Code text={letter.raw ?? ''} label={t('mailbox.source')} />}
        </div>
    );
}
