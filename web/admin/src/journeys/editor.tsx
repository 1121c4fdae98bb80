// A journey being built: canvas, outline or text, the panel beside it, the draft that saves itself.
import { ActionIcon, Button, Menu, SegmentedControl } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Suspense, lazy, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { useApi, useCounts, useDesk, useTo } from '../api/context.ts';
import type { Journey, JourneyDefinition, Step } from '../api/contract.ts';
import { Ask } from '../ui/ask.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { useFormat } from '../ui/format.ts';
import { useKeys } from '../ui/keys.ts';
import { useNotice } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';
import { useErrorText } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import classes from './editor.module.css';
import { JourneyState } from './journeys.tsx';
import { Outline } from './outline.tsx';
import { Panel } from './panel.tsx';
import { PublishSheet } from './publish-sheet.tsx';
import {
    type Place, duplicateStep, insertStep, moveStep, newStep, problemsOf, replaceStep, tidied,
} from './steps.ts';
import { TextMode } from './text-mode.tsx';

const Canvas = lazy(() => import('./canvas.tsx'));

const REST_MS = 2000;
const HISTORY_MAX = 100;
const blank: JourneyDefinition = { name: '', entry: { event: '' }, steps: [] };

type Mode = 'build' | 'outline' | 'text';

export function Editor({ journey, isPhone }: { journey: Journey | null; isPhone: boolean }) {
    const t = useT();
    const { workspace, teammate } = useDesk();
    const format = useFormat();
    const notice = useNotice();
    const [address, setAddress] = useSearchParams();
    const mode = (address.get('mode') ?? 'build') as Mode;
    const selected = address.get('step') ?? (journey ? '' : 'entry');
    const [definition, setDefinition] = useState(journey?.definition ?? blank);
    const [history, setHistory] = useState<JourneyDefinition[]>([]);
    const [sheet, setSheet] = useState<'publish' | 'stop' | null>(null);
    const problems = useMemo(() => problemsOf(definition), [definition]);
    const draft = useDraft(journey, definition, problems.length);
    const saved = draft.journey;
    const set = (name: string, value: string) => setAddress((now) => {
        const next = new URLSearchParams(now);
        // A new journey opens at its entry: that nothing is chosen must be said.
        if (value === '' && name === 'step' && !journey) next.set(name, 'none');
        else if (value === '') next.delete(name);
        else next.set(name, value);
        return next;
    }, { replace: true });
    const change = useCallback((next: JourneyDefinition) => {
        setDefinition((before) => {
            setHistory((list) => [...list, before].slice(-HISTORY_MAX));
            return next;
        });
    }, []);
    const undo = () => {
        const before = history.at(-1);
        if (!before) return;
        setHistory(history.slice(0, -1));
        setDefinition(before);
    };
    const add = (place: Place, type: Step['type']) => {
        const step = newStep(definition, type);
        change(insertStep(definition, place, step));
        set('step', step.id);
    };
    const remove = (id: string) => {
        const before = definition;
        change(replaceStep(definition, id, null));
        set('step', '');
        notice({ text: t('journey.deleted'), undo: () => change(before) });
    };
    const canPublish = saved !== null && problems.length === 0 && !draft.isWaiting
        && (saved.state !== 'running' || saved.published_version !== saved.version);
    useKeys({
        'mod+s': draft.saveNow, 'mod+z': undo,
        'mod+Enter': () => canPublish && setSheet('publish'),
        Escape: () => set('step', ''),
    });
    const name = definition.name || t('journey.newTitle');
    const outline = {
        definition, problems, selected, onAdd: add, onDelete: remove,
        onSelect: (id: string) => set('step', id),
        onMove: (id: string, by: number) => change(moveStep(definition, id, by)),
    };
    if (isPhone) {
        return (
            <Page title={name} screen={`journey ${saved?.id}`}
                meta={saved && <JourneyState journey={saved} />}>
                <p className={classes.phone}>{t('journey.phone')}</p>
                <div><CopyButton text={location.href} label={t('journey.copyLink')} primary /></div>
                <Outline {...outline} readOnly />
            </Page>
        );
    }
    return (
        <Page
            title={name} screen={`journey ${saved?.id}`} wide
            meta={(
                <span className={classes.meta}>
                    {saved && <JourneyState journey={saved} />}
                    <span aria-live="polite">{draft.text}</span>
                </span>
            )}
            actions={(
                <>
                    <SegmentedControl
                        size="sm" value={mode} aria-label={t('journey.modes')}
                        onChange={(value) => set('mode', value === 'build' ? '' : value)}
                        data={(['build', 'outline', 'text'] as const).map((value) =>
                            ({ value, label: t(`journey.mode.${value}`) }))}
                    />
                    <Button disabled={!canPublish} onClick={() => setSheet('publish')}>
                        {t('journey.publish')}
                    </Button>
                    {saved?.state === 'running' && (
                        <Menu position="bottom-end" width={200}>
                            <Menu.Target>
                                <ActionIcon variant="default" size={36} aria-label={t('act.more')}>
                                    <IconDots size={18} stroke={1.75} />
                                </ActionIcon>
                            </Menu.Target>
                            <Menu.Dropdown>
                                <Menu.Item color="red" onClick={() => setSheet('stop')}>
                                    {t('journey.stop')}
                                </Menu.Item>
                            </Menu.Dropdown>
                        </Menu>
                    )}
                </>
            )}
        >
            <div className={classes.desk} data-panel={mode !== 'text'}>
                <div className={classes.stage}>
                    {mode === 'build' && (
                        <Suspense fallback={null}>
                            <Canvas
                                definition={definition} problems={problems} selected={selected}
                                viewKey={`ripen.view.${teammate.id}.${workspace.id}.${saved?.id}`}
                                onSelect={(id) => set('step', id)} onAdd={add}
                            />
                        </Suspense>
                    )}
                    {mode === 'outline' && <Outline {...outline} readOnly={false} />}
                    {mode === 'text' && <TextMode definition={definition} onChange={change} />}
                </div>
                {mode !== 'text' && (
                    <Panel
                        definition={definition} selected={selected} problems={problems}
                        onChange={change} onClose={() => set('step', '')} onDelete={remove}
                        onDuplicate={(id) => change(duplicateStep(definition, id))}
                    />
                )}
            </div>
            <Numbers journey={saved} problems={problems.length} />
            {saved && (
                <PublishSheet journey={saved} definition={definition} opened={sheet === 'publish'}
                    onClose={() => setSheet(null)} onDone={draft.take} />
            )}
            {saved && (
                <StopSheet journey={saved} opened={sheet === 'stop'} onClose={() => setSheet(null)}
                    onDone={draft.take} format={format.number} />
            )}
        </Page>
    );
}

// The draft saves itself after two seconds of rest, as soon as there is a name and an entry.
function useDraft(journey: Journey | null, definition: JourneyDefinition, problems: number) {
    const t = useT();
    const to = useTo();
    const api = useApi();
    const navigate = useNavigate();
    const format = useFormat();
    const textOf = useErrorText();
    const queries = useQueryClient();
    const [saved, setSaved] = useState(journey);
    const [savedAt, setSavedAt] = useState('');
    const body = useMemo(() => JSON.stringify(tidied(definition)), [definition]);
    const lastBody = useRef(journey ? JSON.stringify(tidied(journey.definition)) : '');
    const take = useCallback((next: Journey) => {
        setSaved(next);
        queries.setQueryData(['journeys', next.id], next);
        void queries.invalidateQueries({ queryKey: ['journeys'], exact: true });
    }, [queries]);
    const save = useMutation({
        mutationFn: (text: string) => {
            const wanted = JSON.parse(text) as JourneyDefinition;
            return saved ? api.saveJourney(saved.id, saved.version, wanted)
                : api.createJourney(wanted);
        },
        onSuccess: (next, text) => {
            lastBody.current = text;
            setSavedAt(new Date().toISOString());
            take(next);
            if (!saved) navigate(to(`/journeys/${next.id}`), { replace: true });
        },
    });
    const isChanged = body !== lastBody.current && body !== JSON.stringify(tidied(blank));
    const canSave = problems === 0;
    const { mutate, isPending } = save;
    useEffect(() => {
        if (!isChanged || !canSave || isPending) return undefined;
        const timer = setTimeout(() => mutate(body), REST_MS);
        return () => clearTimeout(timer);
    }, [isChanged, canSave, isPending, body, mutate]);
    const text = save.isError && isChanged
        ? `${t('journey.unsaved')} ${textOf(save.error)}`
        : isPending || (isChanged && canSave) ? t('journey.saving')
            : !saved && problems > 0 ? t('journey.needsEntry')
                : savedAt !== '' ? t('journey.saved', { time: format.clock(savedAt) }) : '';
    return {
        journey: saved, text, take,
        isWaiting: isChanged || isPending,
        saveNow: () => {
            if (isChanged && canSave && !isPending) mutate(body);
        },
    };
}

function Numbers({ journey, problems }: { journey: Journey | null; problems: number }) {
    const t = useT();
    const format = useFormat();
    const counts = useCounts();
    const numbers = journey ? counts?.journeys[journey.id] : undefined;
    const parts: [string, number][] = numbers
        ? [[t('journey.inIt'), numbers.in_it], [t('journey.sent'), numbers.sent],
            [t('journey.goalReached'), numbers.goal]] : [];
    return (
        <div className={classes.numbers}>
            {parts.map(([name, value]) => (
                <span key={name}><strong>{format.number(value)}</strong> {name}</span>
            ))}
            {problems > 0 && (
                <span className={classes.problems}>
                    {t('journey.problems', { count: problems })}
                </span>
            )}
        </div>
    );
}

function StopSheet({ journey, opened, onClose, onDone, format }: {
    journey: Journey; opened: boolean; onClose: () => void; onDone: (journey: Journey) => void;
    format: (value: number) => string;
}) {
    const t = useT();
    const api = useApi();
    const notice = useNotice();
    const inIt = useCounts()?.journeys[journey.id]?.in_it ?? 0;
    return (
        <Ask
            opened={opened} onClose={onClose} danger verb={t('journey.stop')}
            title={t('journey.stopTitle', { name: journey.name })}
            act={async () => {
                onDone(await api.stopJourney(journey.id));
                notice({ text: t('journey.stoppedNotice', { name: journey.name }) });
            }}
        >
            <p className={classes.line}>{t('journey.stopText')}</p>
            {inIt > 0 && (
                <p className={classes.line}>
                    {t('journey.publishIn', { count: inIt }).replace(String(inIt), format(inIt))}
                </p>
            )}
        </Ask>
    );
}
