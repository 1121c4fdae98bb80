// The sheet before something that cannot be undone: what happens, to how many; the button is a
// verb.
import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useErrorText } from './states.tsx';
import { useT } from './words.ts';

interface AskProps {
    opened: boolean;
    onClose: () => void;
    title: string;
    verb: string;
    danger?: boolean;
    mustType?: string; // The word that has to be typed first.
    act: () => Promise<unknown>;
    size?: string;
    children: ReactNode;
}

export function Ask({ opened, onClose, title, verb, danger, mustType, act, ...more }: AskProps) {
    const t = useT();
    const textOf = useErrorText();
    const [typed, setTyped] = useState('');
    const [busy, setBusy] = useState(false);
    const [failure, setFailure] = useState<unknown>(null);
    const isReady = mustType === undefined || typed.trim() === mustType;
    const close = () => {
        setTyped('');
        setFailure(null);
        onClose();
    };
    const run = async () => {
        setBusy(true);
        setFailure(null);
        try {
            await act();
            close();
        } catch (error) {
            setFailure(error);
        } finally {
            setBusy(false);
        }
    };
    return (
        <Modal
            opened={opened} onClose={close} title={title} size={more.size ?? 'md'}
            closeButtonProps={{ 'aria-label': t('act.close') }}
            styles={{ title: { fontSize: 16, lineHeight: '24px', fontWeight: 600 } }}
        >
            <form
                onSubmit={(event) => {
                    event.preventDefault();
                    if (isReady) void run();
                }}
            >
                <Stack gap={16}>
                    <div>{more.children}</div>
                    {mustType !== undefined && (
                        <TextInput
                            label={t('ask.type', { word: mustType })} value={typed}
                            autoComplete="off" data-autofocus
                            onChange={(event) => setTyped(event.currentTarget.value)}
                        />
                    )}
                    {failure !== null && (
                        <p role="alert" style={{ margin: 0, color: 'var(--danger)' }}>
                            {textOf(failure)}
                        </p>
                    )}
                    <Group justify="flex-end" gap={8}>
                        <Button variant="default" onClick={close}>{t('act.cancel')}</Button>
                        <Button
                            type="submit" loading={busy} disabled={!isReady}
                            {...(danger ? { color: 'red' } : {})}
                        >
                            {verb}
                        </Button>
                    </Group>
                </Stack>
            </form>
        </Modal>
    );
}
