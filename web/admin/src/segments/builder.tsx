// The builder: name, one sentence, rows and text side by side, and who fits now.
import { ActionIcon, Button, TextInput, Tooltip } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { useApi, useDesk, useTo } from '../api/context.ts';
import type { ConditionForms, Segment } from '../api/contract.ts';
import { Card } from '../ui/card.tsx';
import { useEditing } from '../ui/condition/editing.ts';
import { sentenceOf } from '../ui/condition/sentence.ts';
import { TextSide } from '../ui/condition/text-side.tsx';
import { Visual, useKnown } from '../ui/condition/visual.tsx';
import { useKeys } from '../ui/keys.ts';
import { useNotice } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';
import { Bone, Failed, Skeleton, useErrorText } from '../ui/states.tsx';
import { type Key, useT } from '../ui/words.ts';
import { NowSide, RowCount } from './now-side.tsx';
import classes from './segments.module.css';

interface Draft {
    name: string;
    text: string;
}

const starters: { name: Key; text: string }[] = [
    { name: 'starter.active', text: 'did "Page" within 7d' },
    { name: 'starter.known', text: 'email is known' },
    { name: 'starter.silent', text: 'not did "Page" within 30d' },
];
const DRAFT_REST_MS = 2000;

function readDraft(key: string): Draft | null {
    try {
        return JSON.parse(localStorage.getItem(key) ?? 'null') as Draft | null;
    } catch {
        return null;
    }
}

export default function BuilderScreen() {
    const t = useT();
    const api = useApi();
    const { id } = useParams();
    const [address] = useSearchParams();
    const given = address.get('condition');
    const { workspace } = useDesk();
    const draftKey = `ripen.draft.${workspace.id}.${id ?? 'new'}`;
    const segment = useQuery({
        queryKey: ['segments', id], queryFn: ({ signal }) => api.segment(id ?? '', signal),
        enabled: id !== undefined,
    });
    const [draft] = useState(() => readDraft(draftKey));
    const wanted = given ?? draft?.text ?? null;
    const form = useQuery({
        queryKey: ['condition', wanted ?? ''],
        queryFn: ({ signal }) => api.condition({ text: wanted ?? '' }, signal),
        enabled: wanted !== null && wanted !== '', retry: false,
    });
    const title = id === undefined ? t('builder.newTitle')
        : segment.data ? t('builder.editTitle', { name: segment.data.name }) : t('segment.edit');
    if (id !== undefined && !segment.data) {
        return (
            <Page title={title} screen={`builder ${id}`}>
                <Card>
                    {segment.isError
                        ? <Failed error={segment.error} onRetry={() => void segment.refetch()} />
                        : (
                            <Skeleton>
                                <Bone height={320} />
                            </Skeleton>
                        )}
                </Card>
            </Page>
        );
    }
    const waits = wanted !== null && wanted !== '' && form.isPending;
    const start: ConditionForms = form.data ?? (segment.data
        ? { text: segment.data.condition, tree: segment.data.condition_tree }
        : { text: wanted ?? 'everyone', tree: { everyone: true } });
    if (waits) {
        return (
            <Page title={title} screen={`builder ${id ?? 'new'}`}>
                <Card><Skeleton><Bone height={320} /></Skeleton></Card>
            </Page>
        );
    }
    return (
        <Builder
            key={id ?? 'new'} title={title} segment={segment.data ?? null} start={start}
            name={draft?.name ?? segment.data?.name ?? ''} draftKey={draftKey}
            restored={draft !== null && given === null}
        />
    );
}

function Builder({ title, segment, start, name: firstName, draftKey, restored }: {
    title: string; segment: Segment | null; start: ConditionForms; name: string;
    draftKey: string; restored: boolean;
}) {
    const t = useT();
    const to = useTo();
    const api = useApi();
    const navigate = useNavigate();
    const notice = useNotice();
    const queries = useQueryClient();
    const textOf = useErrorText();
    const known = useKnown(api);
    const editing = useEditing(api.condition);
    const [name, setName] = useState(firstName);
    const [asOf, setAsOf] = useState('');
    const [tried, setTried] = useState(false);
    const nameField = useRef<HTMLInputElement>(null);
    const { load } = editing;
    const first = useRef(start);
    useEffect(() => load(first.current), [load]);
    const isChanged = editing.isChanged || name !== firstName;
    const [kept, setKept] = useState(restored);
    useEffect(() => {
        if (!isChanged) return undefined;
        const timer = setTimeout(() => {
            localStorage.setItem(draftKey, JSON.stringify({ name, text: editing.text }));
            setKept(true);
        }, DRAFT_REST_MS);
        return () => clearTimeout(timer);
    }, [isChanged, name, editing.text, draftKey]);
    const save = useMutation({
        mutationFn: () => {
            const body = { name: name.trim(), condition: editing.text };
            return segment ? api.saveSegment(segment.id, segment.version, body)
                : api.createSegment(body);
        },
        onSuccess: (saved) => {
            localStorage.removeItem(draftKey);
            queries.setQueryData(['segments', saved.id], saved);
            void queries.invalidateQueries({ queryKey: ['segments'] });
            notice({ text: t('builder.saved') });
            navigate(to(`/segments/${saved.id}`));
        },
    });
    const canSave = editing.isComplete && !editing.isWaiting && !editing.error;
    const trySave = () => {
        setTried(true);
        if (name.trim() === '') nameField.current?.focus();
        else if (canSave) save.mutate();
    };
    const discard = () => {
        localStorage.removeItem(draftKey);
        setKept(false);
        setName(segment?.name ?? '');
        load(segment ? { text: segment.condition, tree: segment.condition_tree }
            : { text: 'everyone', tree: { everyone: true } });
    };
    useKeys({
        'mod+s': () => {
            localStorage.setItem(draftKey, JSON.stringify({ name, text: editing.text }));
            setKept(true);
        },
        'mod+z': editing.undo,
        'mod+Enter': trySave,
    });
    const sentence = useMemo(() => sentenceOf(editing.tree, t), [editing.tree, t]);
    return (
        <Page
            title={title} screen={draftKey}
            meta={kept && (
                <span>
                    {t('builder.draft')}
                    {' · '}
                    <button type="button" className={classes.link} onClick={discard}>
                        {t('builder.discard')}
                    </button>
                </span>
            )}
            actions={(
                <>
                    <Tooltip label={t('builder.undo')}>
                        <ActionIcon
                            variant="default" size={36} aria-label={t('builder.undo')}
                            disabled={!editing.canUndo} onClick={editing.undo}
                        >
                            <IconArrowBackUp size={18} stroke={1.75} />
                        </ActionIcon>
                    </Tooltip>
                    <Button onClick={trySave} loading={save.isPending}>{t('builder.save')}</Button>
                </>
            )}
        >
            <div className={classes.nameRow}>
                <TextInput
                    ref={nameField} label={t('builder.name')} value={name} w={360} maw="100%"
                    placeholder={t('builder.namePlaceholder')} maxLength={256}
                    error={tried && name.trim() === '' && t('builder.needName')}
                    onChange={(event) => setName(event.currentTarget.value)}
                />
                <p className={classes.sentence} aria-live="polite">{sentence}</p>
            </div>
            {save.isError && (
                <p role="alert" className={classes.wrong}>{textOf(save.error)}</p>
            )}
            <div className={classes.builder}>
                <Card title={t('builder.visual')} className={classes.visual ?? ''}>
                    {editing.error && <p className={classes.frozen}>{t('builder.frozen')}</p>}
                    <Visual
                        group={editing.group} known={known} frozen={editing.error !== null}
                        onChange={editing.changeGroup}
                        count={(row) => <RowCount row={row} />}
                    />
                    {editing.group.rows.length === 0 && (
                        <div className={classes.starters}>
                            <span>{t('builder.starters')}</span>
                            {starters.map((one) => (
                                <Button
                                    key={one.name} variant="default" size="compact-sm"
                                    onClick={() => editing.changeText(one.text)}
                                >
                                    {t(one.name)}
                                </Button>
                            ))}
                        </div>
                    )}
                </Card>
                <Card title={t('builder.text')}><TextSide editing={editing} /></Card>
                <NowSide editing={editing} asOf={asOf} onAsOf={setAsOf} />
            </div>
        </Page>
    );
}
