import { Button, PasswordInput, TextInput } from '@mantine/core';
import { IconDeviceDesktop } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi, useDesk } from '../api/context.ts';
import { Card, Chip } from '../ui/card.tsx';
import { useNotice } from '../ui/notice.tsx';
import { Part, Skeleton, useErrorText } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import { When } from '../ui/when.tsx';
import classes from './settings.module.css';

const PASSWORD_MIN = 10;

export function AccountPart() {
    return (
        <div className={classes.stack}>
            <You />
            <Password />
            <Sessions />
        </div>
    );
}

function You() {
    const t = useT();
    const api = useApi();
    const notice = useNotice();
    const queries = useQueryClient();
    const textOf = useErrorText();
    const { teammate } = useDesk();
    const [name, setName] = useState(teammate.name);
    const save = useMutation({
        mutationFn: (next: string) => api.changeTeammate({ name: next }),
        onSuccess: () => {
            void queries.invalidateQueries({ queryKey: ['session'] });
            notice({ text: t('account.saved') });
        },
    });
    return (
        <Card title={t('account.you')}>
            <form
                className={classes.form}
                onSubmit={(event) => {
                    event.preventDefault();
                    if (name.trim() !== '' && name !== teammate.name) save.mutate(name.trim());
                }}
            >
                <TextInput
                    label={t('account.name')} value={name} autoComplete="name"
                    error={save.isError && textOf(save.error)}
                    onChange={(event) => setName(event.currentTarget.value)}
                />
                <TextInput label={t('account.email')} value={teammate.email} readOnly />
                <div>
                    <Button type="submit" variant="default" loading={save.isPending}>
                        {t('act.save')}
                    </Button>
                </div>
            </form>
        </Card>
    );
}

function Password() {
    const t = useT();
    const api = useApi();
    const notice = useNotice();
    const queries = useQueryClient();
    const textOf = useErrorText();
    const { teammate } = useDesk();
    const [old, setOld] = useState('');
    const [next, setNext] = useState('');
    const isShort = next !== '' && next.length < PASSWORD_MIN;
    const change = useMutation({
        mutationFn: () => api.changePassword({ old, new: next }),
        onSuccess: () => {
            setOld('');
            setNext('');
            notice({ text: t('account.changed') });
            void queries.invalidateQueries({ queryKey: ['sessions'] });
        },
    });
    const eye = { 'aria-label': t('account.showPassword') };
    return (
        <Card title={t('account.password')}>
            <form
                className={classes.form}
                onSubmit={(event) => {
                    event.preventDefault();
                    if (old !== '' && next.length >= PASSWORD_MIN) change.mutate();
                }}
            >
                <input type="hidden" autoComplete="username" value={teammate.email} readOnly />
                <PasswordInput label={t('account.old')} value={old}
                    autoComplete="current-password" visibilityToggleButtonProps={eye}
                    onChange={(event) => setOld(event.currentTarget.value)} />
                <PasswordInput label={t('account.new')} value={next} autoComplete="new-password"
                    description={t('start.passwordHint')} visibilityToggleButtonProps={eye}
                    error={isShort && t('start.short', { count: next.length })}
                    onChange={(event) => setNext(event.currentTarget.value)} />
                {change.isError && (
                    <p role="alert" className={classes.wrong}>{textOf(change.error)}</p>
                )}
                <div>
                    <Button type="submit" variant="default" loading={change.isPending}
                        disabled={old === '' || next.length < PASSWORD_MIN}>
                        {t('account.change')}
                    </Button>
                </div>
            </form>
        </Card>
    );
}

function Sessions() {
    const t = useT();
    const api = useApi();
    const notice = useNotice();
    const queries = useQueryClient();
    const sessions = useQuery({
        queryKey: ['sessions'], queryFn: ({ signal }) => api.sessions(signal),
    });
    const end = useMutation({
        mutationFn: (id: string) => api.endSession(id),
        onSuccess: () => {
            notice({ text: t('account.ended') });
            void queries.invalidateQueries({ queryKey: ['sessions'] });
        },
    });
    return (
        <Card title={t('account.sessions')} flush>
            <p className={classes.inset}>{t('account.sessionsText')}</p>
            <Part query={sessions} skeleton={<Skeleton rows={2} height={64} />}>
                {({ sessions: all }) => (
                    <ul className={classes.keys}>
                        {all.map((one) => (
                            <li key={one.id} className={classes.key}>
                                <IconDeviceDesktop size={18} stroke={1.75} aria-hidden />
                                <div className={classes.keyWhat}>
                                    <span>
                                        {one.address}
                                        {' '}
                                        {one.current && (
                                            <Chip tone="ok">{t('account.current')}</Chip>)}
                                    </span>
                                    <span className={classes.quiet}>{one.agent}</span>
                                </div>
                                <div className={classes.keyUsed}>
                                    <span className={classes.quiet}>{t('account.used')}</span>
                                    {' '}
                                    <When time={one.last_used} />
                                </div>
                                {!one.current && (
                                    <Button variant="default" size="xs"
                                        onClick={() => end.mutate(one.id)}>
                                        {t('account.end')}
                                    </Button>
                                )}
                            </li>
                        ))}
                    </ul>
                )}
            </Part>
        </Card>
    );
}
