import { Button, Group, Modal, Stack, TextInput, Textarea } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { useApi, useTo } from '../api/context.ts';
import type { Properties } from '../api/contract.ts';
import { useNotice } from '../ui/notice.tsx';
import { useErrorText } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';

function readProperties(text: string): Properties | null {
    try {
        const value: unknown = JSON.parse(text);
        const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
        return isObject ? value as Properties : null;
    } catch {
        return null;
    }
}

export function TestEvent({ opened, onClose }: { opened: boolean; onClose: () => void }) {
    const t = useT();
    const to = useTo();
    const api = useApi();
    const notice = useNotice();
    const textOf = useErrorText();
    const [name, setName] = useState('Test Event');
    const [user, setUser] = useState('test-person');
    const [text, setText] = useState('{"path": "/test"}');
    const keys = useQuery({
        queryKey: ['keys'], queryFn: ({ signal }) => api.keys(signal), enabled: opened,
    });
    const key = keys.data?.keys.find((one) => one.kind === 'write' && one.text)?.text;
    const properties = readProperties(text);
    const send = useMutation({
        mutationFn: () => api.track(key ?? '', name.trim(), user.trim(), properties ?? {}),
        onSuccess: () => {
            notice({ text: t('events.testSent') });
            onClose();
        },
    });
    return (
        <Modal opened={opened} onClose={onClose} title={t('events.testTitle')}
            closeButtonProps={{ 'aria-label': t('act.close') }}>
            <form
                onSubmit={(event) => {
                    event.preventDefault();
                    if (key && properties) send.mutate();
                }}
            >
                <Stack gap={12}>
                    <p style={{ margin: 0 }}>{t('events.testText')}</p>
                    <TextInput label={t('events.testName')} value={name} required
                        withAsterisk={false} data-autofocus
                        onChange={(event) => setName(event.currentTarget.value)} />
                    <TextInput label={t('events.testUser')} value={user} required
                        withAsterisk={false}
                        onChange={(event) => setUser(event.currentTarget.value)} />
                    <Textarea label={t('events.testProperties')} value={text} autosize minRows={3}
                        error={properties === null && t('events.testBad')}
                        onChange={(event) => setText(event.currentTarget.value)} />
                    {keys.isSuccess && !key && (
                        <p style={{ margin: 0 }}>
                            <Link to={to('/settings/keys')}>{t('events.noKey')}</Link>
                        </p>
                    )}
                    {send.isError && (
                        <p role="alert" style={{ margin: 0, color: 'var(--danger)' }}>
                            {textOf(send.error)}
                        </p>
                    )}
                    <Group justify="flex-end" gap={8}>
                        <Button variant="default" onClick={onClose}>{t('act.cancel')}</Button>
                        <Button type="submit" loading={send.isPending}
                            disabled={!key || properties === null}>
                            {t('events.test')}
                        </Button>
                    </Group>
                </Stack>
            </form>
        </Modal>
    );
}
