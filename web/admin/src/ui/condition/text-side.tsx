import { IconAlertTriangle } from '@tabler/icons-react';
import { useRef } from 'react';
import { useErrorText } from '../states.tsx';
import { useT } from '../words.ts';
import type { Editing } from './editing.ts';
import classes from './text-side.module.css';

const KEYWORDS = /\b(and|or|not|did|where|within|last|first|in|is|segment|since|entry|times?)\b/g;

// The words of the language stand out: a coloured copy lies under the field, letter over letter.
function Painted({ text, line }: { text: string; line: number | null }) {
    const lines = text.split('\n');
    return (
        <pre className={classes.paint} aria-hidden>
            {lines.map((one, i) => (
                <span key={i} className={i + 1 === line ? classes.wrongLine : undefined}>
                    {pieces(one)}
                    {'\n'}
                </span>
            ))}
        </pre>
    );
}

function pieces(line: string) {
    return line.split(/("(?:[^"\\]|\\.)*"?)/).map((part, i) => (part.startsWith('"')
        ? <span key={i} className={classes.quoted}>{part}</span>
        : part.split(KEYWORDS).map((word, k) => (k % 2 === 1
            ? <b key={k} className={classes.keyword}>{word}</b> : word))));
}

export function TextSide({ editing }: { editing: Editing }) {
    const t = useT();
    const textOf = useErrorText();
    const field = useRef<HTMLTextAreaElement>(null);
    const { place, error } = editing;
    return (
        <div className={classes.side}>
            <div className={classes.stack}>
                <Painted text={editing.text} line={place?.line ?? null} />
                <textarea
                    ref={field} className={classes.field} value={editing.text} spellCheck={false}
                    aria-label={t('builder.textLabel')} autoCapitalize="off" autoCorrect="off"
                    aria-invalid={error !== null} aria-describedby="condition-error"
                    onChange={(event) => editing.changeText(event.currentTarget.value)}
                />
            </div>
            <div id="condition-error" aria-live="polite" className={classes.error}>
                {error && (
                    <>
                        <IconAlertTriangle size={16} stroke={1.75} aria-hidden />
                        <span>
                            {place && `${t('builder.errorAt', { ...place })} `}
                            {textOf(error)}
                        </span>
                    </>
                )}
            </div>
        </div>
    );
}
