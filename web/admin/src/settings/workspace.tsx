import { Button, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { useApi, useDesk } from '../api/context.ts';
import { Ask } from '../ui/ask.tsx';
import { Card, Facts } from '../ui/card.tsx';
import { useNotice } from '../ui/notice.tsx';
import { Part, Skeleton, useErrorText } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import classes from './settings.module.css';

export function WorkspacePart() {
    const t = useT();
    const api = useApi();
    const { session } = useDesk();
    const facts = useQuery({
        queryKey: ['workspace'], queryFn: ({ signal }) => api.workspace(signal),
    });
    return (
        <div className={classes.stack}>
            <Rename />
            <Create />
            <Card title={t('ws.facts')}>
                <Part query={facts} skeleton={<Skeleton rows={3} />}>
                    {(found) => (
                        <Facts rows={[
                            { term: t('ws.version'), value: session.version },
                            { term: t('ws.clock'), value: t(`ws.clock.${found.clock}`) },
                            { term: t('ws.letters'), value: t(`ws.letters.${found.letters}`) },
                        ]} />
                    )}
                </Part>
            </Card>
            <Delete />
        </div>
    );
}

function Rename() {
    const t = useT();
    const api = useApi();
    const notice = useNotice();
    const queries = useQueryClient();
    const textOf = useErrorText();
    const { workspace } = useDesk();
    const [name, setName] = useState(workspace.name);
    const rename = useMutation({
        mutationFn: async (next: string) => {
            const before = workspace.name;
            await api.renameWorkspace(workspace.id, next);
            return before;
        },
        onSuccess: (before, next) => {
            void queries.invalidateQueries({ queryKey: ['session'] });
            notice({
                text: t('ws.renamed', { name: next }),
                undo: () => {
                    setName(before);
                    rename.mutate(before);
                },
            });
        },
    });
    const save = () => {
        const next = name.trim();
        if (next !== '' && next !== workspace.name) rename.mutate(next);
    };
    return (
        <Card title={t('settings.workspace')}>
            <form
                className={classes.form}
                onSubmit={(event) => {
                    event.preventDefault();
                    save();
                }}
            >
                <TextInput
                    label={t('ws.name')} value={name} maxLength={256} onBlur={save}
                    error={rename.isError && textOf(rename.error)}
                    onChange={(event) => setName(event.currentTarget.value)}
                />
            </form>
        </Card>
    );
}

function Create() {
    const t = useT();
    const api = useApi();
    const navigate = useNavigate();
    const queries = useQueryClient();
    const textOf = useErrorText();
    const [address] = useSearchParams();
    const [name, setName] = useState('');
    const create = useMutation({
        mutationFn: () => api.createWorkspace(name.trim()),
        onSuccess: async (made) => {
            await queries.invalidateQueries({ queryKey: ['session'] });
            navigate(`/w/${made.id}/settings/site`);
        },
    });
    return (
        <Card title={t('ws.new')}>
            <p className={classes.lead}>{t('ws.newText')}</p>
            <form
                className={classes.line}
                onSubmit={(event) => {
                    event.preventDefault();
                    if (name.trim() !== '') create.mutate();
                }}
            >
                <TextInput
                    label={t('ws.name')} value={name} maxLength={256} style={{ flex: '1 1 200px' }}
                    autoFocus={address.get('new') === 'yes'}
                    error={create.isError && textOf(create.error)}
                    onChange={(event) => setName(event.currentTarget.value)}
                />
                <Button type="submit" variant="default" loading={create.isPending}
                    disabled={name.trim() === ''}>
                    {t('ws.create')}
                </Button>
            </form>
        </Card>
    );
}

function Delete() {
    const t = useT();
    const api = useApi();
    const notice = useNotice();
    const navigate = useNavigate();
    const queries = useQueryClient();
    const { workspace, workspaces } = useDesk();
    const [asks, setAsks] = useState(false);
    const isLast = workspaces.length < 2;
    return (
        <Card title={t('ws.delete')}>
            <p className={classes.lead}>{isLast ? t('ws.last') : t('ws.deleteText')}</p>
            {!isLast && (
                <Button color="red" variant="outline" onClick={() => setAsks(true)}>
                    {t('demo.deleteVerb')}
                </Button>
            )}
            <Ask
                opened={asks} onClose={() => setAsks(false)} danger verb={t('demo.deleteVerb')}
                title={t('ws.deleteTitle', { name: workspace.name })}
                {...(workspace.demo ? {} : { mustType: workspace.name })}
                act={async () => {
                    await api.deleteWorkspace(workspace.id);
                    notice({ text: t('ws.deleted', { name: workspace.name }) });
                    await queries.invalidateQueries({ queryKey: ['session'] });
                    navigate('/');
                }}
            >
                {t('ws.deleteText')}
            </Ask>
        </Card>
    );
}
