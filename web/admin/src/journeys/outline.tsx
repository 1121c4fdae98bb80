// The same journey as an indented list: every step can be added, moved and deleted without a mouse.
import { ActionIcon, Button } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconPlus, IconTrash } from '@tabler/icons-react';
import type { JourneyDefinition, Step } from '../api/contract.ts';
import { useT } from '../ui/words.ts';
import { AddMenu } from './add-menu.tsx';
import { icons, kindText, nodeText } from './describe.tsx';
import classes from './outline.module.css';
import { END, ENTRY, type GraphNode, type Place, type Problem } from './steps.ts';

interface OutlineProps {
    definition: JourneyDefinition;
    problems: Problem[];
    selected: string;
    readOnly: boolean;
    onSelect: (id: string) => void;
    onAdd: (place: Place, type: Step['type']) => void;
    onMove: (id: string, by: number) => void;
    onDelete: (id: string) => void;
}

export function Outline(props: OutlineProps) {
    const t = useT();
    const { definition } = props;
    return (
        <div className={classes.outline}>
            <ol className={classes.list} aria-label={t('journey.outline')}>
                <Item {...props} node={{ id: ENTRY, kind: 'entry', step: null }} />
                <Steps {...props} steps={definition.steps} list="" />
                <Item {...props} node={{ id: END, kind: 'end', step: null }} />
            </ol>
        </div>
    );
}

function Steps(props: OutlineProps & { steps: Step[]; list: string }) {
    const t = useT();
    const { steps, list, onAdd } = props;
    return (
        <>
            {steps.map((step) => (
                <Item key={step.id} {...props} node={{ id: step.id, kind: step.type, step }} />
            ))}
            {!props.readOnly && (
                <li className={classes.add}>
                    <AddMenu onAdd={(type) => onAdd({ list, index: steps.length }, type)}>
                        <Button variant="subtle" color="gray" size="compact-sm"
                            leftSection={<IconPlus size={14} stroke={1.75} />}>
                            {t('journey.addStep')}
                        </Button>
                    </AddMenu>
                </li>
            )}
        </>
    );
}

function Item(props: OutlineProps & { node: GraphNode }) {
    const t = useT();
    const { definition, node, problems, selected, onMove, onDelete } = props;
    const Icon = icons[node.kind];
    const text = nodeText(node, definition, t);
    const kind = kindText(node.kind, definition, t);
    const here = problems.filter((one) => one.at === node.id);
    const { step } = node;
    return (
        <li>
            <div className={classes.row} data-selected={selected === node.id}>
                <button type="button" className={classes.open} aria-pressed={selected === node.id}
                    onClick={() => props.onSelect(node.id)} disabled={props.readOnly}>
                    <Icon size={18} stroke={1.75} aria-hidden />
                    <span className={classes.kind}>{kind}</span>
                    <span className={classes.text}>{text}</span>
                </button>
                {here.map((one) => (
                    <span key={one.kind} className={classes.problem}>
                        {t(`journey.problem.${one.kind}`)}
                    </span>
                ))}
                {step && !props.readOnly && (
                    <span className={classes.acts}>
                        <Act label={`${t('journey.up')}: ${text}`} icon={IconArrowUp}
                            onClick={() => onMove(step.id, -1)} />
                        <Act label={`${t('journey.down')}: ${text}`} icon={IconArrowDown}
                            onClick={() => onMove(step.id, 1)} />
                        <Act label={`${t('journey.delete')}: ${text}`} icon={IconTrash}
                            onClick={() => onDelete(step.id)} />
                    </span>
                )}
            </div>
            {step?.type === 'branch' && (
                <ul className={classes.arms}>
                    {(['then', 'else'] as const).map((arm) => (
                        <li key={arm}>
                            <span className={classes.arm}>{t(`journey.${arm}`)}</span>
                            <ol className={classes.list}>
                                <Steps {...props} steps={step[arm]} list={`${step.id}.${arm}`} />
                            </ol>
                        </li>
                    ))}
                </ul>
            )}
        </li>
    );
}

function Act({ label, icon: Icon, onClick }: {
    label: string; icon: typeof IconTrash; onClick: () => void;
}) {
    return (
        <ActionIcon variant="subtle" color="gray" size={28} aria-label={label} onClick={onClick}>
            <Icon size={16} stroke={1.75} />
        </ActionIcon>
    );
}
