// Short notes at the foot of the screen. What can be undone runs at once and offers Undo for 10 s.
import { ActionIcon, Button } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from 'react';
import classes from './notice.module.css';
import { useT } from './words.ts';

const SHOWN_MS = 10_000;

export interface Notice {
    text: string;
    undo?: () => void;
}

const NoticeContext = createContext<(notice: Notice) => void>(() => undefined);

export function useNotice(): (notice: Notice) => void {
    return useContext(NoticeContext);
}

export function Notices({ children }: { children: ReactNode }) {
    const t = useT();
    const [notice, setNotice] = useState<Notice | null>(null);
    const [halted, setHalted] = useState(false);
    const show = useCallback((next: Notice) => setNotice(next), []);
    useEffect(() => {
        if (!notice || halted) return undefined;
        const timer = setTimeout(() => setNotice(null), SHOWN_MS);
        return () => clearTimeout(timer);
    }, [notice, halted]);
    return (
        <NoticeContext value={show}>
            {children}
            <div
                className={classes.place} role="status"
                onMouseEnter={() => setHalted(true)} onMouseLeave={() => setHalted(false)}
                onFocus={() => setHalted(true)} onBlur={() => setHalted(false)}
            >
                {notice && (
                    <div className={classes.notice}>
                        <span>{notice.text}</span>
                        {notice.undo && (
                            <Button
                                size="compact-sm" variant="light"
                                onClick={() => {
                                    notice.undo?.();
                                    setNotice(null);
                                }}
                            >
                                {t('act.undo')}
                            </Button>
                        )}
                        <ActionIcon
                            variant="subtle" color="gray" size={28} aria-label={t('act.close')}
                            onClick={() => setNotice(null)}
                        >
                            <IconX size={16} stroke={1.75} />
                        </ActionIcon>
                    </div>
                )}
            </div>
        </NoticeContext>
    );
}
