// The first teammate of a server, then what to do first. Signed in already: only the second part.
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { IconBuildingStore, IconCode } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Navigate, useNavigate } from 'react-router';
import { createApi, door } from '../api/client.ts';
import type { Session } from '../api/contract.ts';
import { useErrorText } from '../ui/states.tsx';
import { useWords } from '../ui/words.ts';
import { Door } from './door.tsx';
import classes from './door.module.css';

const PASSWORD_MIN = 10;

export default function Start({ session }: { session?: Session }) {
    const [made, setMade] = useState<Session | null>(session ?? null);
    if (made?.state === 'signed_in') return <First session={made} />;
    return <Create onMade={setMade} />;
}

function Create({ onMade }: { onMade: (session: Session) => void }) {
    const { t, language } = useWords();
    const textOf = useErrorText();
    const [name, setName] = useState('');
    const [email, setEmail] = useState('');
    const [password, setPassword] = useState('');
    const [tried, setTried] = useState(false);
    const create = useMutation({
        mutationFn: () =>
            door.start({ name: name.trim(), email: email.trim(), password, language }),
        onSuccess: onMade,
    });
    const wrong = {
        name: name.trim() === '' ? t('start.needName') : null,
        email: /^\S+@\S+$/.test(email.trim()) ? null : t('start.needEmail'),
        password: password.length < PASSWORD_MIN
            ? t('start.short', { count: password.length }) : null,
    };
    const submit = (event: FormEvent) => {
        event.preventDefault();
        setTried(true);
        if (!wrong.name && !wrong.email && !wrong.password) create.mutate();
    };
    return (
        <Door title={t('start.title')} lead={t('start.lead')}>
            <form className={classes.form} onSubmit={submit} noValidate>
                <TextInput
                    label={t('start.name')} autoComplete="name" value={name} size="md"
                    error={tried && wrong.name}
                    onChange={(event) => setName(event.currentTarget.value)}
                />
                <TextInput
                    label={t('start.email')} type="email" autoComplete="username" value={email}
                    size="md" error={tried && wrong.email}
                    onChange={(event) => setEmail(event.currentTarget.value)}
                />
                <PasswordInput
                    label={t('start.password')} description={t('start.passwordHint')}
                    autoComplete="new-password" value={password} size="md"
                    error={tried && wrong.password}
                    visibilityToggleButtonProps={{ 'aria-label': t('account.showPassword') }}
                    onChange={(event) => setPassword(event.currentTarget.value)}
                />
                {create.isError && (
                    <p className={classes.wrong} role="alert">{textOf(create.error)}</p>
                )}
                <Button type="submit" size="md" loading={create.isPending} fullWidth>
                    {t('start.submit')}
                </Button>
            </form>
        </Door>
    );
}

function First({ session }: { session: Session }) {
    const { t } = useWords();
    const navigate = useNavigate();
    const queries = useQueryClient();
    const textOf = useErrorText();
    const workspaces = session.workspaces ?? [];
    const demo = workspaces.find((one) => one.demo);
    const go = async (path: string) => {
        await queries.invalidateQueries({ queryKey: ['session'] });
        navigate(path);
    };
    const connect = useMutation({
        mutationFn: async () => {
            const own = workspaces.find((one) => !one.demo);
            if (own) return own.id;
            const api = createApi(session.csrf ?? '', demo?.id ?? 1);
            return (await api.createWorkspace(t('signIn.workspaceName'))).id;
        },
        onSuccess: (id) => go(`/w/${id}/settings/site`),
    });
    if (!demo && workspaces[0]) return <Navigate to={`/w/${workspaces[0].id}/settings/site`} />;
    return (
        <Door title={t('start.next')} lead={t('start.nextLead')} wide>
            <div className={classes.ways}>
                <Way
                    icon={<IconBuildingStore size={24} stroke={1.75} />} title={t('start.demo')}
                    text={t('start.demoText')} onClick={() => void go(`/w/${demo?.id ?? 1}/home`)}
                />
                <Way
                    icon={<IconCode size={24} stroke={1.75} />} title={t('start.site')}
                    text={t('start.siteText')} onClick={() => connect.mutate()}
                />
            </div>
            {connect.isError && (
                <p className={classes.wrong} role="alert">{textOf(connect.error)}</p>
            )}
        </Door>
    );
}

function Way(props: {
    icon: React.ReactNode; title: string; text: string; onClick: () => void;
}) {
    return (
        <button type="button" className={classes.way} onClick={props.onClick}
            style={{ background: 'none', font: 'inherit', cursor: 'pointer' }}>
            {props.icon}
            <strong>{props.title}</strong>
            <span>{props.text}</span>
        </button>
    );
}
