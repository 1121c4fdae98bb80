// What stands where content is not: loading, failed, empty. Everything keeps the size of what
// comes.
import { Anchor, Button } from '@mantine/core';
import { IconAlertTriangle, IconRefresh } from '@tabler/icons-react';
import type { UseQueryResult } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { ApiError } from '../api/client.ts';
import classes from './states.module.css';
import { useT, useWords } from './words.ts';

const QUIET_MS = 150;
const LONG_MS = 3000;

// True when something has lasted for so long.
export function useLasted(ms: number, key: unknown = null): boolean {
    const [lasted, setLasted] = useState(false);
    useEffect(() => {
        setLasted(false);
        const timer = setTimeout(() => setLasted(true), ms);
        return () => clearTimeout(timer);
    }, [ms, key]);
    return lasted;
}

export function Bone({ width = '100%', height = 14 }: {
    width?: number | string; height?: number | string;
}) {
    return <span className={classes.bone} style={{ width, height }} />;
}

interface SkeletonProps {
    rows?: number;
    height?: number;
    children?: ReactNode;
    onCancel?: () => void;
}

// Nothing for 150 ms, then grey bars in the place of what comes; after 3 s a line in words.
export function Skeleton({ rows = 3, height = 40, children, onCancel }: SkeletonProps) {
    const t = useT();
    const shows = useLasted(QUIET_MS);
    const isLong = useLasted(LONG_MS);
    return (
        <div className={classes.skeleton} data-shows={shows} aria-busy="true">
            <span className="visually-hidden" role="status">{shows ? t('state.loading') : ''}</span>
            {children ?? Array.from({ length: rows }, (_, i) => (
                <div key={i} className={classes.row} style={{ height }}>
                    <Bone width={`${28 + ((i * 37) % 40)}%`} />
                    <Bone width={`${10 + ((i * 13) % 14)}%`} />
                </div>
            ))}
            {isLong && (
                <div className={classes.long}>
                    {t('state.still')}
                    {onCancel && (
                        <Anchor component="button" type="button" onClick={onCancel}>
                            {t('act.cancel')}
                        </Anchor>
                    )}
                </div>
            )}
        </div>
    );
}

export function useErrorText(): (error: unknown) => string {
    const { find, t } = useWords();
    return (error) => {
        if (!(error instanceof ApiError)) return t('error.unknown');
        const seconds = error.retryAfterS > 0 ? error.retryAfterS : 30;
        const text = find(`error.${error.code}`, { seconds }) ?? t('error.unknown');
        const detail = error.status === 400 || error.status === 409 ? error.message : '';
        return detail === '' ? text : `${text} ${detail}`;
    };
}

export function Failed({ error, onRetry, height }: {
    error: unknown; onRetry?: (() => void) | undefined; height?: number;
}) {
    const t = useT();
    const textOf = useErrorText();
    const id = error instanceof ApiError ? error.requestId : '';
    return (
        <div className={classes.failed} role="alert" style={{ minHeight: height }}>
            <IconAlertTriangle size={18} stroke={1.75} className={classes.failedIcon} aria-hidden />
            <div>
                <p className={classes.text}>{textOf(error)}</p>
                {id !== '' && <p className={classes.small}>{t('error.request', { id })}</p>}
                {onRetry && (
                    <Button
                        variant="default" size="xs" mt={8} onClick={onRetry}
                        leftSection={<IconRefresh size={16} stroke={1.75} />}
                    >
                        {t('act.retry')}
                    </Button>
                )}
            </div>
        </div>
    );
}

export function Empty({ text, title, icon, action, more }: {
    text: string; title?: string; icon?: ReactNode; action?: ReactNode; more?: ReactNode;
}) {
    return (
        <div className={classes.empty}>
            {icon && <div className={classes.emptyIcon}>{icon}</div>}
            {title && <p className={classes.emptyTitle}>{title}</p>}
            <p className={classes.emptyText}>{text}</p>
            {action && <div className={classes.emptyAction}>{action}</div>}
            {more}
        </div>
    );
}

// One part of a screen that loads and fails by itself.
export function Part<T>({ query, skeleton, children, height }: {
    query: UseQueryResult<T>;
    skeleton?: ReactNode;
    height?: number;
    children: (value: T) => ReactNode;
}) {
    if (query.data !== undefined) {
        return (
            <div className={classes.part} data-old={query.isPlaceholderData}>
                {children(query.data)}
            </div>
        );
    }
    if (query.isError) {
        return (
            <Failed
                error={query.error} onRetry={() => void query.refetch()}
                {...(height === undefined ? {} : { height })}
            />
        );
    }
    return <>{skeleton ?? <Skeleton />}</>;
}
