import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import classes from './copy.module.css';
import { useT } from './words.ts';

const THANKS_MS = 2000;

function useCopy(): [boolean, (text: string) => void] {
    const [done, setDone] = useState(false);
    useEffect(() => {
        if (!done) return undefined;
        const timer = setTimeout(() => setDone(false), THANKS_MS);
        return () => clearTimeout(timer);
    }, [done]);
    return [done, (text) => void write(text).then(() => setDone(true))];
}

// Plain http beyond loopback has no clipboard; a selected field copies everywhere.
async function write(text: string): Promise<void> {
    if (navigator.clipboard !== undefined) {
        await navigator.clipboard.writeText(text);
        return;
    }
    const field = document.createElement('textarea');
    field.value = text;
    field.style.position = 'fixed';
    field.style.opacity = '0';
    document.body.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
}

export function CopyIcon({ text, what }: { text: string; what: string }) {
    const t = useT();
    const [done, copy] = useCopy();
    const label = done ? t('act.copied') : t('act.copyWhat', { what });
    return (
        <Tooltip label={label}>
            <ActionIcon
                variant="subtle" color="gray" size={28} aria-label={label}
                onClick={() => copy(text)}
            >
                {done
                    ? <IconCheck size={16} stroke={1.75} />
                    : <IconCopy size={16} stroke={1.75} />}
            </ActionIcon>
        </Tooltip>
    );
}

export function CopyButton({ text, label, primary }: {
    text: string; label?: string; primary?: boolean;
}) {
    const t = useT();
    const [done, copy] = useCopy();
    return (
        <Button
            variant={primary ? 'filled' : 'default'} onClick={() => copy(text)}
            leftSection={done
                ? <IconCheck size={16} stroke={1.75} />
                : <IconCopy size={16} stroke={1.75} />}
        >
            <span aria-live="polite">{done ? t('act.copied') : label ?? t('act.copy')}</span>
        </Button>
    );
}

export function Code({ text, label }: { text: string; label: string }) {
    return (
        <div className={classes.box}>
            <pre className={classes.code} tabIndex={0} aria-label={label} role="group">
                {text}
            </pre>
            <div className={classes.corner}>
                <CopyIcon text={text} what={label} />
            </div>
        </div>
    );
}
