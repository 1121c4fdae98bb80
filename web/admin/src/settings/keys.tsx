import { ActionIcon, Button, Checkbox, Group, Modal, Radio, Stack, TextInput, Tooltip }
    from '@mantine/core';
import { IconKey, IconPlus, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../api/context.ts';
import type { Key as ApiKey } from '../api/contract.ts';
import { Ask } from '../ui/ask.tsx';
import { Card } from '../ui/card.tsx';
import { Code, CopyIcon } from '../ui/copy.tsx';
import { useNotice } from '../ui/notice.tsx';
import { Part, Skeleton, useErrorText } from '../ui/states.tsx';
import { type Key, useT } from '../ui/words.ts';
import { When } from '../ui/when.tsx';
import classes from './settings.module.css';

const scopes = ['ingest', 'read', 'write'];

export function KeysPart() {
    const t = useT();
    const api = useApi();
    const notice = useNotice();
    const queries = useQueryClient();
    const [creates, setCreates] = useState(false);
    const [revoked, setRevoked] = useState<ApiKey | null>(null);
    const keys = useQuery({ queryKey: ['keys'], queryFn: ({ signal }) => api.keys(signal) });
    const scopeText = (key: ApiKey) =>
        key.scopes.map((one) => t(`keysPage.scope.${one}` as Key)).join(', ');
    return (
        <>
            <Card
                title={t('keysPage.list')} flush
                aside={(
                    <Button leftSection={<IconPlus size={16} stroke={1.75} />}
                        onClick={() => setCreates(true)}>
                        {t('keysPage.new')}
                    </Button>
                )}
            >
                <p className={classes.inset}>{t('keysPage.text')}</p>
                <Part query={keys} skeleton={<Skeleton rows={3} height={64} />}>
                    {({ keys: all }) => (
                        <ul className={classes.keys}>
                            {all.map((key) => (
                                <li key={key.id} className={classes.key}>
                                    <IconKey size={18} stroke={1.75} aria-hidden />
                                    <div className={classes.keyWhat}>
                                        <strong>{key.name}</strong>
                                        <span className={classes.quiet}>
                                            {`${t(`keysPage.kind.${key.kind}`)} · `}
                                            {scopeText(key)}
                                        </span>
                                    </div>
                                    <div className={classes.keyText}>
                                        {key.text ? (
                                            <>
                                                <code>{key.text}</code>
                                                <CopyIcon text={key.text} what={key.name} />
                                            </>
                                        ) : (
                                            <span className={classes.quiet}>
                                                {t('keysPage.hidden')}
                                            </span>
                                        )}
                                    </div>
                                    <div className={classes.keyUsed}>
                                        <span className={classes.quiet}>{t('keysPage.used')}</span>
                                        {' '}
                                        {key.last_used ? <When time={key.last_used} />
                                            : t('keysPage.never')}
                                    </div>
                                    <Tooltip label={t('keysPage.revoke')}>
                                        <ActionIcon
                                            variant="subtle" color="gray" size={32}
                                            aria-label={`${t('keysPage.revoke')} ${key.name}`}
                                            onClick={() => setRevoked(key)}
                                        >
                                            <IconTrash size={18} stroke={1.75} />
                                        </ActionIcon>
                                    </Tooltip>
                                </li>
                            ))}
                        </ul>
                    )}
                </Part>
            </Card>
            {creates && <CreateKey onClose={() => setCreates(false)} />}
            <Ask
                opened={revoked !== null} onClose={() => setRevoked(null)} danger
                title={t('keysPage.revokeTitle', { name: revoked?.name ?? '' })}
                verb={t('keysPage.revoke')}
                act={async () => {
                    if (!revoked) return;
                    await api.revokeKey(revoked.id);
                    notice({ text: t('keysPage.revoked', { name: revoked.name }) });
                    await queries.invalidateQueries({ queryKey: ['keys'] });
                }}
            >
                {t('keysPage.revokeText')}
            </Ask>
        </>
    );
}

function CreateKey({ onClose }: { onClose: () => void }) {
    const t = useT();
    const api = useApi();
    const queries = useQueryClient();
    const textOf = useErrorText();
    const [name, setName] = useState('');
    const [kind, setKind] = useState<'write' | 'secret'>('write');
    const [chosen, setChosen] = useState(scopes);
    const create = useMutation({
        mutationFn: () => api.createKey({
            name: name.trim(), kind, ...(kind === 'secret' ? { scopes: chosen } : {}),
        }),
        onSuccess: () => queries.invalidateQueries({ queryKey: ['keys'] }),
    });
    const isReady = name.trim() !== '' && (kind === 'write' || chosen.length > 0);
    return (
        <Modal
            opened onClose={onClose} closeButtonProps={{ 'aria-label': t('act.close') }}
            title={create.data ? t('keysPage.created') : t('keysPage.new')}
        >
            {create.data ? (
                <Stack gap={12}>
                    <Code text={create.data.text ?? ''} label={t('keysPage.key')} />
                    {kind === 'secret' && <p className={classes.lead}>{t('keysPage.once')}</p>}
                    <Group justify="flex-end">
                        <Button onClick={onClose}>{t('keysPage.done')}</Button>
                    </Group>
                </Stack>
            ) : (
                <form
                    onSubmit={(event) => {
                        event.preventDefault();
                        if (isReady) create.mutate();
                    }}
                >
                    <Stack gap={16}>
                        <TextInput label={t('keysPage.name')} value={name} data-autofocus
                            onChange={(event) => setName(event.currentTarget.value)} />
                        <Radio.Group label={t('keysPage.kind')} value={kind}
                            onChange={(value) => setKind(value as typeof kind)}>
                            <Stack gap={8} mt={4}>
                                <Radio value="write" label={t('keysPage.kind.write')} />
                                <Radio value="secret" label={t('keysPage.kind.secret')} />
                            </Stack>
                        </Radio.Group>
                        {kind === 'secret' && (
                            <Checkbox.Group label={t('keysPage.scopes')} value={chosen}
                                onChange={setChosen}>
                                <Group gap={16} mt={4}>
                                    {scopes.map((one) => (
                                        <Checkbox key={one} value={one}
                                            label={t(`keysPage.scope.${one}` as Key)} />
                                    ))}
                                </Group>
                            </Checkbox.Group>
                        )}
                        {create.isError && (
                            <p role="alert" className={classes.wrong}>{textOf(create.error)}</p>
                        )}
                        <Group justify="flex-end" gap={8}>
                            <Button variant="default" onClick={onClose}>{t('act.cancel')}</Button>
                            <Button type="submit" disabled={!isReady} loading={create.isPending}>
                                {t('keysPage.create')}
                            </Button>
                        </Group>
                    </Stack>
                </form>
            )}
        </Modal>
    );
}
