// The side panel: the chosen step, or the journey itself.
import { ActionIcon, Button, Menu, NativeSelect, TextInput, Textarea } from '@mantine/core';
import { IconBraces, IconCopy, IconTrash, IconX } from '@tabler/icons-react';
import { useRef } from 'react';
import { useApi } from '../api/context.ts';
import type { Entry, JourneyDefinition, LetterStep, Step } from '../api/contract.ts';
import { SpanField } from '../ui/condition/fields.tsx';
import { useKnown } from '../ui/condition/visual.tsx';
import { useT } from '../ui/words.ts';
import { ConditionField } from './condition-field.tsx';
import { kindText } from './describe.tsx';
import classes from './panel.module.css';
import { END, ENTRY, type Problem, findStep, replaceStep } from './steps.ts';

interface PanelProps {
    definition: JourneyDefinition;
    selected: string;
    problems: Problem[];
    onChange: (definition: JourneyDefinition) => void;
    onClose: () => void;
    onDuplicate: (id: string) => void;
    onDelete: (id: string) => void;
}

export function Panel(props: PanelProps) {
    const t = useT();
    const { definition, selected, problems } = props;
    const step = findStep(definition, selected);
    const kind = step ? step.type : selected === ENTRY ? 'entry' : selected === END ? 'end' : null;
    const title = kind === null ? t('journey.settings') : kindText(kind, definition, t);
    const here = problems.filter((one) => one.at === (kind === null ? '' : selected));
    return (
        <section className={classes.panel} aria-label={title}>
            <header className={classes.head}>
                <h2 className={classes.title}>{title}</h2>
                {step && (
                    <>
                        <ActionIcon variant="subtle" color="gray" size={32}
                            aria-label={t('journey.duplicate')}
                            onClick={() => props.onDuplicate(step.id)}>
                            <IconCopy size={18} stroke={1.75} />
                        </ActionIcon>
                        <ActionIcon variant="subtle" color="gray" size={32}
                            aria-label={t('journey.delete')}
                            onClick={() => props.onDelete(step.id)}>
                            <IconTrash size={18} stroke={1.75} />
                        </ActionIcon>
                    </>
                )}
                {kind !== null && (
                    <ActionIcon variant="subtle" color="gray" size={32}
                        aria-label={t('journey.close')} onClick={props.onClose}>
                        <IconX size={18} stroke={1.75} />
                    </ActionIcon>
                )}
            </header>
            {here.length > 0 && (
                <ul className={classes.problems}>
                    {here.map((one) => <li key={one.kind}>{t(`journey.problem.${one.kind}`)}</li>)}
                </ul>
            )}
            <div className={classes.fields} key={selected}>
                {step ? (
                    <StepFields step={step} onChange={(next) =>
                        props.onChange(replaceStep(definition, step.id, next))} />
                ) : kind === 'entry' ? (
                    <EntryFields entry={definition.entry} onChange={(entry) =>
                        props.onChange({ ...definition, entry })} />
                ) : <JourneyFields {...props} onlyGoal={kind === 'end'} />}
            </div>
        </section>
    );
}

function JourneyFields({ definition, onChange, onlyGoal }: PanelProps & { onlyGoal: boolean }) {
    const t = useT();
    return (
        <>
            {!onlyGoal && (
                <TextInput label={t('journey.name')} value={definition.name} maxLength={256}
                    onChange={(event) =>
                        onChange({ ...definition, name: event.currentTarget.value })} />
            )}
            <Wish
                label={t('journey.goal')} hint={t('journey.goalHint')} add={t('journey.addGoal')}
                value={definition.goal}
                onChange={(goal) => onChange({ ...definition, goal })}
                onRemove={() => {
                    const { goal, ...rest } = definition;
                    onChange(rest);
                }}
            />
            {!onlyGoal && (
                <Wish
                    label={t('journey.exit')} hint={t('journey.exitHint')}
                    add={t('journey.addExit')} value={definition.exit}
                    onChange={(exit) => onChange({ ...definition, exit })}
                    onRemove={() => {
                        const { exit, ...rest } = definition;
                        onChange(rest);
                    }}
                />
            )}
        </>
    );
}

// A condition that may be there or not.
function Wish({ label, hint, add, value, onChange, onRemove }: {
    label: string; hint: string; add: string; value: string | undefined;
    onChange: (value: string) => void; onRemove: () => void;
}) {
    const t = useT();
    return (
        <div className={classes.wish}>
            {value === undefined ? (
                <>
                    <span className={classes.label}>{label}</span>
                    <Button variant="default" size="xs" onClick={() => onChange('')}>{add}</Button>
                </>
            ) : (
                <>
                    <ConditionField label={label} value={value} onChange={onChange} />
                    <Button variant="subtle" color="gray" size="compact-xs" onClick={onRemove}>
                        {t('journey.removeCondition')}
                    </Button>
                </>
            )}
            <p className={classes.hint}>{hint}</p>
        </div>
    );
}

function EntryFields({ entry, onChange }: {
    entry: Entry; onChange: (entry: Entry) => void;
}) {
    const t = useT();
    const api = useApi();
    const known = useKnown(api);
    const isEvent = 'event' in entry;
    const again = (keys: ('once' | 'every_time' | 'once_per_key')[]) =>
        keys.map((value) => ({ value, label: t(`journey.entry.again.${value}`) }));
    return (
        <>
            <NativeSelect
                label={t('journey.entry.kind')} value={isEvent ? 'event' : 'segment'}
                data={[
                    { value: 'event', label: t('journey.entry.event') },
                    { value: 'segment', label: t('journey.entry.segment') },
                ]}
                onChange={(event) => onChange(event.currentTarget.value === 'event'
                    ? { event: '' } : { segment: '', on: 'enter' })}
            />
            {isEvent ? (
                <>
                    <TextInput
                        label={t('journey.entry.name')} value={entry.event} list="known-events"
                        autoComplete="off"
                        onChange={(event) => onChange({
                            ...entry, event: event.currentTarget.value,
                        })}
                    />
                    <datalist id="known-events">
                        {known.names.events.map((one) => (
                            <option key={one.name} value={one.name} />))}
                    </datalist>
                    <TextInput
                        label={t('journey.entry.where')} value={entry.where ?? ''}
                        onChange={(event) => onChange({
                            ...entry, where: event.currentTarget.value,
                        })}
                    />
                    <NativeSelect
                        label={t('journey.entry.again')} value={entry.again ?? 'once'}
                        data={again(['once', 'every_time', 'once_per_key'])}
                        onChange={(event) => onChange({
                            ...entry, again: event.currentTarget.value as 'once',
                        })}
                    />
                    {entry.again === 'once_per_key' && (
                        <TextInput
                            label={t('journey.entry.key')} description={t('journey.entry.keyHint')}
                            value={entry.key ?? ''}
                            onChange={(event) => onChange({
                                ...entry, key: event.currentTarget.value,
                            })}
                        />
                    )}
                </>
            ) : (
                <>
                    <NativeSelect
                        label={t('journey.entry.on')} value={entry.on ?? 'enter'}
                        data={[
                            { value: 'enter', label: t('journey.entry.on.enter') },
                            { value: 'leave', label: t('journey.entry.on.leave') },
                        ]}
                        onChange={(event) => onChange({
                            ...entry, on: event.currentTarget.value as 'enter',
                        })}
                    />
                    <NativeSelect
                        label={t('cond.segment')} value={entry.segment}
                        data={['', ...new Set([...known.segments, entry.segment])]
                            .filter((one, i) => i === 0 || one !== '')}
                        onChange={(event) => onChange({
                            ...entry, segment: event.currentTarget.value,
                        })}
                    />
                    <NativeSelect
                        label={t('journey.entry.again')} value={entry.again ?? 'once'}
                        data={again(['once', 'every_time'])}
                        onChange={(event) => onChange({
                            ...entry, again: event.currentTarget.value as 'once',
                        })}
                    />
                </>
            )}
        </>
    );
}

function StepFields({ step, onChange }: { step: Step; onChange: (step: Step) => void }) {
    const t = useT();
    switch (step.type) {
        case 'wait':
            return (
                <div>
                    <span className={classes.label}>{t('journey.wait.for')}</span>
                    <div className={classes.span}>
                        <SpanField value={step.for}
                            onChange={(next) => onChange({ ...step, for: next })} />
                    </div>
                </div>
            );
        case 'branch':
            return (
                <ConditionField label={t('journey.branch.if')} value={step.if}
                    onChange={(next) => onChange({ ...step, if: next })} />
            );
        case 'letter':
            return <LetterFields step={step} onChange={onChange} />;
        case 'exit':
            return <p className={classes.hint}>{t('journey.exitText')}</p>;
    }
}

function LetterFields({ step, onChange }: {
    step: LetterStep; onChange: (step: LetterStep) => void;
}) {
    const t = useT();
    const api = useApi();
    const known = useKnown(api);
    const text = useRef<HTMLTextAreaElement>(null);
    const insert = (name: string) => {
        const value = `{{ person.${name} | default: "${t('journey.letter.fallback')}" }}`;
        const before = step.text ?? '';
        const at = text.current?.selectionStart ?? before.length;
        onChange({ ...step, text: before.slice(0, at) + value + before.slice(at) });
        text.current?.focus();
    };
    const names = known.names.attributes.map((one) => one.name);
    return (
        <>
            <TextInput label={t('journey.letter.subject')} value={step.subject}
                onChange={(event) => onChange({ ...step, subject: event.currentTarget.value })} />
            <div>
                <div className={classes.withAct}>
                    <label htmlFor={`text-${step.id}`} className={classes.label}>
                        {t('journey.letter.text')}
                    </label>
                    <Menu position="bottom-end" width={220}>
                        <Menu.Target>
                            <Button variant="subtle" color="gray" size="compact-xs"
                                leftSection={<IconBraces size={14} stroke={1.75} />}>
                                {t('journey.letter.insert')}
                            </Button>
                        </Menu.Target>
                        <Menu.Dropdown>
                            {(names.length > 0 ? names : ['first_name', 'email']).map((name) => (
                                <Menu.Item key={name} onClick={() => insert(name)}>
                                    <code>{name}</code>
                                </Menu.Item>
                            ))}
                        </Menu.Dropdown>
                    </Menu>
                </div>
                <Textarea id={`text-${step.id}`} ref={text} value={step.text ?? ''} autosize
                    minRows={6} maxRows={16}
                    onChange={(event) => onChange({ ...step, text: event.currentTarget.value })} />
            </div>
            <Textarea label={t('journey.letter.html')} value={step.html ?? ''} autosize minRows={2}
                maxRows={10} styles={{ input: { fontFamily: 'var(--mono)' } }}
                onChange={(event) => onChange({ ...step, html: event.currentTarget.value })} />
            <TextInput label={t('journey.letter.from')} value={step.from ?? ''}
                onChange={(event) => onChange({ ...step, from: event.currentTarget.value })} />
            <TextInput label={t('journey.letter.replyTo')} value={step.reply_to ?? ''}
                onChange={(event) => onChange({ ...step, reply_to: event.currentTarget.value })} />
        </>
    );
}
