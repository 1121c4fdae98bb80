import { useApi, useCounts } from '../api/context.ts';
import type { Journey, JourneyDefinition } from '../api/contract.ts';
import { Ask } from '../ui/ask.tsx';
import { Facts } from '../ui/card.tsx';
import { useFormat } from '../ui/format.ts';
import { useNotice } from '../ui/notice.tsx';
import { useT } from '../ui/words.ts';
import { entryText } from './describe.tsx';
import classes from './editor.module.css';
import { allSteps } from './steps.ts';

export function PublishSheet({ journey, definition, opened, onClose, onDone }: {
    journey: Journey; definition: JourneyDefinition; opened: boolean; onClose: () => void;
    onDone: (journey: Journey) => void;
}) {
    const t = useT();
    const api = useApi();
    const format = useFormat();
    const notice = useNotice();
    const inIt = useCounts()?.journeys[journey.id]?.in_it ?? 0;
    const steps = allSteps(definition.steps);
    const old = journey.state === 'running' ? journey.published_version : null;
    return (
        <Ask
            opened={opened} onClose={onClose} verb={t('journey.publishVerb')} size="lg"
            title={t('journey.publishTitle', { name: journey.name })}
            act={async () => {
                onDone(await api.publishJourney(journey.id));
                notice({ text: t('journey.published', { name: journey.name }) });
            }}
        >
            <p className={classes.line}>
                {old === null ? t('journey.publishNew', { n: journey.version })
                    : t('journey.publishReplace', { n: journey.version, old })}
            </p>
            <Facts rows={[
                { term: t('journey.kind.entry'), value: entryText(definition.entry, t) },
                {
                    term: t('journey.outline'),
                    value: t('journey.publishSteps', { count: steps.length }),
                },
                {
                    term: t('journey.kind.letter'),
                    value: steps.filter((step) => step.type === 'letter')
                        .map((step) => (step.type === 'letter' ? step.subject : '')).join(' · ')
                        || '-',
                },
                { term: t('journey.goal'), value: definition.goal ?? t('journey.noGoal') },
            ]} />
            {inIt > 0 && (
                <p className={classes.line}>
                    {t('journey.publishIn', { count: inIt }).replace(
                        String(inIt), format.number(inIt))}
                </p>
            )}
        </Ask>
    );
}
