import { IconAlertTriangle, IconCircleCheck, IconCircleDashed } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Link } from 'react-router';
import { useApi, useDesk, useTo, useTopic } from '../api/context.ts';
import type { RecentEvent } from '../api/contract.ts';
import { Card } from '../ui/card.tsx';
import { Code, CopyButton } from '../ui/copy.tsx';
import { Part, Skeleton, useLasted } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import { When } from '../ui/when.tsx';
import classes from './settings.module.css';

const SILENT_MS = 60_000;

export function SitePart() {
    const t = useT();
    const api = useApi();
    const { session } = useDesk();
    const keys = useQuery({ queryKey: ['keys'], queryFn: ({ signal }) => api.keys(signal) });
    return (
        <Part query={keys} skeleton={(
            <Card title={t('site.snippet')}><Skeleton rows={3} /></Card>
        )}>
            {({ keys: all }) => {
                const key = all.find((one) => one.kind === 'write' && one.text)?.text ?? null;
                const snippet = `<script async src="${session.public_url}/ripen.js" `
                    + `data-key="${key ?? 'WRITE_KEY'}"></script>`;
                return (
                    <div className={classes.stack}>
                        <Card
                            title={t('site.snippet')}
                            aside={<CopyButton text={snippet} label={t('site.copy')} primary />}
                        >
                            <p className={classes.lead}>{t('site.snippetText')}</p>
                            <Code text={snippet} label={t('site.snippet')} />
                        </Card>
                        <Check writeKey={key} />
                        <Card title={t('site.identify')}>
                            <p className={classes.lead}>{t('site.identifyText')}</p>
                            <Code
                                text={"ripen.identify('u42', { email: 'aya@example.com' });"}
                                label={t('site.identify')}
                            />
                        </Card>
                    </div>
                );
            }}
        </Part>
    );
}

function hostOf(event: RecentEvent): string {
    const { url, path } = event.properties;
    try {
        return new URL(typeof url === 'string' ? url : '').host;
    } catch {
        return typeof path === 'string' ? path : '';
    }
}

function Check({ writeKey }: { writeKey: string | null }) {
    const t = useT();
    const to = useTo();
    const api = useApi();
    const [newest, setNewest] = useState<RecentEvent | null>(null);
    const recent = useQuery({
        queryKey: ['events', 'last'], queryFn: ({ signal }) => api.recentEvents(20, signal),
    });
    const refused = useQuery({
        queryKey: ['refused', 'site'],
        queryFn: ({ signal }) => api.refused({ limit: 100 }, signal), refetchInterval: 5000,
    });
    useTopic('events', (frame) => {
        if ('topic' in frame && frame.topic === 'events' && frame.data[0]) setNewest(frame.data[0]);
    });
    const last = newest ?? recent.data?.events[0] ?? null;
    const isPage = last !== null && (last.type === 'page' || last.name.toLowerCase() === 'page');
    const isSilent = useLasted(SILENT_MS) && last === null;
    const refusals = refused.data?.refused.length ?? 0;
    return (
        <Card title={t('site.check')}>
            <ul className={classes.checks} aria-live="polite">
                <Line state={writeKey === null ? 'fix' : 'ok'}>
                    {writeKey === null
                        ? <Link to={to('/settings/keys')}>{t('site.checkNoKey')}</Link>
                        : t('site.checkKey')}
                </Line>
                <Line state={last === null ? 'wait' : 'ok'}>
                    {last === null ? t('site.checkWaiting') : (
                        <>
                            {isPage ? t('site.checkOk', { host: hostOf(last) })
                                : t('site.checkAny', { name: last.name })}
                            {' '}
                            <When time={last.received} />
                        </>
                    )}
                </Line>
                <Line state={refusals > 0 ? 'fix' : 'ok'}>
                    {refusals > 0
                        ? (
                            <Link to={to('/events?tab=refused')}>
                                {t('site.checkRefused', { count: refusals })}
                            </Link>
                        ) : t('site.checkNoneRefused')}
                </Line>
            </ul>
            {(isSilent || last === null) && <Causes writeKey={writeKey} open={isSilent} />}
        </Card>
    );
}

function Line({ state, children }: { state: 'ok' | 'wait' | 'fix'; children: ReactNode }) {
    const t = useT();
    const Icon = { ok: IconCircleCheck, wait: IconCircleDashed, fix: IconAlertTriangle }[state];
    return (
        <li className={classes.check} data-state={state}>
            <Icon size={18} stroke={1.75} aria-hidden />
            <span>{children}</span>
            <span className={classes.checkWord}>{t(`site.${state}`)}</span>
        </li>
    );
}

function Causes({ writeKey, open }: { writeKey: string | null; open: boolean }) {
    const t = useT();
    const { session } = useDesk();
    const policy = `script-src ${session.public_url}; connect-src ${session.public_url}`;
    return (
        <details className={classes.causes} open={open}>
            <summary>{t('site.silent')}</summary>
            <dl>
                <dt>{t('site.cause.key')}</dt>
                <dd>{t('site.cause.keyText', { key: writeKey ?? 'WRITE_KEY' })}</dd>
                <dt>{t('site.cause.csp')}</dt>
                <dd>
                    {t('site.cause.cspText')}
                    <Code text={policy} label={t('site.cause.csp')} />
                </dd>
                <dt>{t('site.cause.publish')}</dt>
                <dd>{t('site.cause.publishText')}</dd>
            </dl>
        </details>
    );
}
