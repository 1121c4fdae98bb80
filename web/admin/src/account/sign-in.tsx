import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { door } from '../api/client.ts';
import { useErrorText } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import { Door } from './door.tsx';
import classes from './door.module.css';

export default function SignIn() {
    const t = useT();
    const textOf = useErrorText();
    const queries = useQueryClient();
    const [email, setEmail] = useState('');
    const [password, setPassword] = useState('');
    const enter = useMutation({
        mutationFn: () => door.signIn({ email: email.trim(), password }),
        onSuccess: (session) => queries.setQueryData(['session'], session),
    });
    return (
        <Door title={t('signIn.title')}>
            <form
                className={classes.form}
                onSubmit={(event) => {
                    event.preventDefault();
                    enter.mutate();
                }}
            >
                <TextInput
                    label={t('start.email')} type="email" autoComplete="username" required
                    withAsterisk={false} value={email} size="md"
                    onChange={(event) => setEmail(event.currentTarget.value)}
                />
                <PasswordInput
                    label={t('start.password')} autoComplete="current-password" required
                    withAsterisk={false} value={password} size="md"
                    visibilityToggleButtonProps={{ 'aria-label': t('account.showPassword') }}
                    onChange={(event) => setPassword(event.currentTarget.value)}
                />
                {enter.isError && (
                    <p className={classes.wrong} role="alert">{textOf(enter.error)}</p>
                )}
                <Button type="submit" size="md" loading={enter.isPending} fullWidth>
                    {t('signIn.submit')}
                </Button>
            </form>
        </Door>
    );
}
