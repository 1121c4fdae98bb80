// Bars over a screen: something about the whole server or workspace that one should know now.
import { Button } from '@mantine/core';
import { IconAlertTriangle, IconBuildingStore, IconPlugConnectedX } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { useApi, useDesk, useLight, useTo } from '../api/context.ts';
import { Ask } from '../ui/ask.tsx';
import { useFormat } from '../ui/format.ts';
import { useNotice } from '../ui/notice.tsx';
import { useLasted } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import classes from './bars.module.css';

const STALE_MS = 30_000;
const BEAT_MS = 5000;

export function Bars() {
    const t = useT();
    const { session, workspace } = useDesk();
    return (
        <>
            {session.insecure && (
                <section className={classes.bar} data-tone="warn" aria-label={t('top.notice')}>
                    <IconAlertTriangle size={18} stroke={1.75} aria-hidden />
                    <span>{t('top.insecure')}</span>
                </section>
            )}
            <StaleBar />
            {workspace.demo && <DemoBar />}
        </>
    );
}

function StaleBar() {
    const t = useT();
    const light = useLight();
    const format = useFormat();
    const lasted = useLasted(STALE_MS, light.since);
    const [now, setNow] = useState(Date.now);
    useEffect(() => {
        if (light.open) return undefined;
        const timer = setInterval(() => setNow(Date.now()), BEAT_MS);
        return () => clearInterval(timer);
    }, [light.open]);
    if (light.open || !lasted) return null;
    return (
        <section className={classes.bar} data-tone="warn" aria-label={t('top.notice')}>
            <IconPlugConnectedX size={18} stroke={1.75} aria-hidden />
            <span role="status">{t('top.stale', { span: format.span(now - light.since) })}</span>
        </section>
    );
}

function DemoBar() {
    const t = useT();
    const to = useTo();
    const api = useApi();
    const format = useFormat();
    const navigate = useNavigate();
    const notice = useNotice();
    const queries = useQueryClient();
    const { workspace, workspaces, session } = useDesk();
    const [asks, setAsks] = useState(false);
    const home = useQuery({
        queryKey: ['home'], queryFn: ({ signal }) => api.home(signal), enabled: asks,
    });
    const other = workspaces.find((one) => !one.demo);
    const leave = async () => {
        await api.deleteWorkspace(workspace.id);
        notice({ text: t('demo.deleted') });
        await queries.invalidateQueries({ queryKey: ['session'] });
        navigate('/');
    };
    const count = home.data?.persons;
    return (
        <section className={classes.bar} aria-label={t('nav.demo')}>
            <IconBuildingStore size={18} stroke={1.75} aria-hidden />
            <span>{t('demo.bar')}</span>
            <span className={classes.acts}>
                <Button
                    size="compact-sm" variant="default" component="a" target="_blank"
                    rel="noopener" href={`${session.public_url}/demo/`}
                >
                    {t('demo.open')}
                </Button>
                <Button
                    size="compact-sm" variant="default" component={Link}
                    to={other ? `/w/${other.id}/settings/site`
                        : to('/settings/workspace?new=yes')}
                >
                    {t('demo.connect')}
                </Button>
                <Button size="compact-sm" variant="subtle" onClick={() => setAsks(true)}>
                    {t('demo.delete')}
                </Button>
            </span>
            <Ask
                opened={asks} onClose={() => setAsks(false)} danger act={leave}
                title={t('demo.deleteTitle')} verb={t('demo.deleteVerb')}
            >
                <p className={classes.text}>{t('demo.deleteText', { name: workspace.name })}</p>
                {count !== undefined && (
                    <p className={classes.text}>
                        {t('demo.deleteCount', { count }).replace(
                            String(count), format.number(count))}
                    </p>
                )}
            </Ask>
        </section>
    );
}
