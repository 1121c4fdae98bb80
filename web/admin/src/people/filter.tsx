// The filter of the list: the rows of the builder; the list follows when they are whole.
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useApi } from '../api/context.ts';
import { Card } from '../ui/card.tsx';
import { useEditing } from '../ui/condition/editing.ts';
import { Visual, useKnown } from '../ui/condition/visual.tsx';
import { Part } from '../ui/states.tsx';

export function Filter({ condition, onChange }: {
    condition: string; onChange: (condition: string) => void;
}) {
    const api = useApi();
    const known = useKnown(api);
    const editing = useEditing(api.condition);
    const given = useRef<string | null>(null);
    const forms = useQuery({
        queryKey: ['condition', condition],
        queryFn: ({ signal }) => (condition === ''
            ? { text: '', tree: { everyone: true as const } }
            : api.condition({ text: condition }, signal)),
        retry: false,
    });
    const { load } = editing;
    useEffect(() => {
        if (forms.data && given.current !== condition) {
            given.current = condition;
            load(forms.data);
        }
    }, [forms.data, condition, load]);
    const text = editing.group.rows.length === 0 ? '' : editing.text;
    useEffect(() => {
        if (!editing.isChanged || editing.isWaiting || editing.error) return;
        if (text === condition) return;
        given.current = text;
        onChange(text);
    }, [editing.isChanged, editing.isWaiting, editing.error, text, condition, onChange]);
    return (
        <Card>
            <Part query={forms}>
                {() => (
                    <Visual group={editing.group} known={known} onChange={editing.changeGroup} />
                )}
            </Part>
        </Card>
    );
}
