// A step in one line, its icon and its name.
import {
    IconArrowsSplit2, IconClock, IconDoorExit, IconFlag, IconLogin2, IconMail, type TablerIcon,
} from '@tabler/icons-react';
import type { Entry, JourneyDefinition } from '../api/contract.ts';
import { readSpan } from '../ui/condition/rows.ts';
import type { Words } from '../ui/words.ts';
import { type GraphNode, type NodeKind, hasEntry } from './steps.ts';

export const icons: Record<NodeKind, TablerIcon> = {
    entry: IconLogin2, wait: IconClock, branch: IconArrowsSplit2, letter: IconMail,
    exit: IconDoorExit, end: IconFlag,
};

export function spanText(span: string, t: Words['t']): string {
    const { count, unit } = readSpan(span);
    return t(`cond.spanOf.${unit}`, { count });
}

export function entryText(entry: Entry, t: Words['t']): string {
    if (!hasEntry(entry)) return t('journey.entry.choose');
    if ('event' in entry) return t('journey.say.event', { name: entry.event });
    return t(entry.on === 'leave' ? 'journey.say.leave' : 'journey.say.enter',
        { name: entry.segment });
}

export function nodeText(
    node: GraphNode, definition: JourneyDefinition, t: Words['t'],
): string {
    const { step } = node;
    if (node.kind === 'entry') return entryText(definition.entry, t);
    if (node.kind === 'end' || step === null) {
        return definition.goal ? definition.goal : t('journey.endText');
    }
    switch (step.type) {
        case 'wait': return spanText(step.for, t);
        case 'branch': return step.if === '' ? t('journey.problem.noCondition') : step.if;
        case 'letter': return step.subject === '' ? t('journey.problem.noSubject') : step.subject;
        case 'exit': return t('journey.kind.exit');
    }
}

export function kindText(kind: NodeKind, definition: JourneyDefinition, t: Words['t']): string {
    if (kind === 'end') return t(definition.goal ? 'journey.kind.goal' : 'journey.kind.end');
    return t(`journey.kind.${kind}`);
}
