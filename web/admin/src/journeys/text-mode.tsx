import { useState } from 'react';
import type { JourneyDefinition } from '../api/contract.ts';
import { useT } from '../ui/words.ts';
import { readDefinition } from './steps.ts';
import classes from './text-mode.module.css';

function lineOf(text: string, error: unknown): number {
    const match = /position (\d+)|line (\d+)/.exec(String(error));
    if (match?.[2]) return Number(match[2]);
    return text.slice(0, Number(match?.[1] ?? 0)).split('\n').length;
}

export function TextMode({ definition, onChange }: {
    definition: JourneyDefinition; onChange: (definition: JourneyDefinition) => void;
}) {
    const t = useT();
    const [text, setText] = useState(() => JSON.stringify(definition, null, 2));
    const [wrong, setWrong] = useState('');
    const write = (next: string) => {
        setText(next);
        try {
            const read = readDefinition(next);
            setWrong(read ? '' : t('journey.textShape'));
            if (read) onChange(read);
        } catch (error) {
            const message = error instanceof Error ? error.message : '';
            setWrong(t('journey.textError', { line: lineOf(next, error), message }));
        }
    };
    return (
        <div className={classes.mode}>
            <p className={classes.hint}>{t('journey.textHint')}</p>
            <textarea
                className={classes.text} value={text} spellCheck={false}
                aria-label={t('journey.textLabel')} aria-invalid={wrong !== ''}
                onChange={(event) => write(event.currentTarget.value)}
            />
            <p className={classes.wrong} aria-live="polite">{wrong}</p>
        </div>
    );
}
