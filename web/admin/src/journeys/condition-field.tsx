// A condition inside of a journey: rows and text of the same, one above the other.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useApi } from '../api/context.ts';
import { useEditing } from '../ui/condition/editing.ts';
import { TextSide } from '../ui/condition/text-side.tsx';
import { Visual, useKnown } from '../ui/condition/visual.tsx';
import { Part } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import classes from './panel.module.css';

export function ConditionField({ label, value, onChange }: {
    label: string; value: string; onChange: (text: string) => void;
}) {
    const t = useT();
    const api = useApi();
    const known = useKnown(api, true);
    const editing = useEditing(api.condition);
    const [asText, setAsText] = useState(false);
    const given = useRef<string | null>(null);
    const forms = useQuery({
        queryKey: ['condition', value],
        queryFn: ({ signal }) => (value === ''
            ? { text: '', tree: { everyone: true as const } }
            : api.condition({ text: value }, signal)),
        retry: false,
        staleTime: Infinity,
    });
    const { load } = editing;
    useEffect(() => {
        if (forms.data && given.current !== value) {
            given.current = value;
            load(forms.data);
        }
    }, [forms.data, value, load]);
    const text = editing.group.rows.length === 0 && !asText ? '' : editing.text;
    useEffect(() => {
        if (!editing.isChanged || editing.isWaiting || editing.error || text === value) return;
        given.current = text;
        onChange(text);
    }, [editing.isChanged, editing.isWaiting, editing.error, text, value, onChange]);
    return (
        <fieldset className={classes.condition}>
            <legend className={classes.legend}>
                {label}
                <Button variant="subtle" color="gray" size="compact-xs"
                    onClick={() => setAsText(!asText)}>
                    {t(asText ? 'journey.visual' : 'journey.mode.text')}
                </Button>
            </legend>
            {asText ? <TextSide editing={editing} /> : (
                <Part query={forms}>
                    {() => (
                        <Visual group={editing.group} known={known} frozen={editing.error !== null}
                            onChange={editing.changeGroup} />
                    )}
                </Part>
            )}
        </fieldset>
    );
}
