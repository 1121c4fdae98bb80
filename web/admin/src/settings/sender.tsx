import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../api/context.ts';
import type { Sender } from '../api/contract.ts';
import { Card } from '../ui/card.tsx';
import { useNotice } from '../ui/notice.tsx';
import { Part, Skeleton, useErrorText } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import classes from './settings.module.css';

export function SenderPart() {
    const t = useT();
    const api = useApi();
    const sender = useQuery({
        queryKey: ['sender'], queryFn: ({ signal }) => api.sender(signal),
    });
    return (
        <Card title={t('sender.title')}>
            <p className={classes.lead}>{t('sender.text')}</p>
            <Part query={sender} skeleton={<Skeleton rows={3} height={64} />}>
                {(found) => <SenderForm sender={found} />}
            </Part>
        </Card>
    );
}

function SenderForm({ sender }: { sender: Sender }) {
    const t = useT();
    const api = useApi();
    const notice = useNotice();
    const queries = useQueryClient();
    const textOf = useErrorText();
    const [next, setNext] = useState(sender);
    const save = useMutation({
        mutationFn: (value: Sender) => api.saveSender(value),
        onSuccess: (saved) => {
            queries.setQueryData(['sender'], saved);
            notice({
                text: t('sender.saved'),
                undo: () => {
                    setNext(sender);
                    save.mutate(sender);
                },
            });
        },
    });
    return (
        <form
            className={classes.form}
            onSubmit={(event) => {
                event.preventDefault();
                save.mutate(next);
            }}
        >
            <TextInput label={t('sender.name')} value={next.from_name ?? ''} maxLength={256}
                onChange={(event) => setNext({ ...next, from_name: event.currentTarget.value })} />
            <TextInput label={t('sender.address')} type="email" required withAsterisk={false}
                value={next.from_address}
                onChange={(event) =>
                    setNext({ ...next, from_address: event.currentTarget.value })} />
            <TextInput label={t('sender.postal')} description={t('sender.postalHint')}
                value={next.postal_address ?? ''} maxLength={256}
                onChange={(event) =>
                    setNext({ ...next, postal_address: event.currentTarget.value })} />
            {save.isError && <p role="alert" className={classes.wrong}>{textOf(save.error)}</p>}
            <div>
                <Button type="submit" loading={save.isPending}>{t('sender.save')}</Button>
            </div>
        </form>
    );
}
