import type { ReactNode } from 'react';
import classes from './card.module.css';

interface CardProps {
    title?: string;
    aside?: ReactNode;
    flush?: boolean; // The content reaches the edges.
    level?: 2 | 3;
    className?: string;
    children: ReactNode;
}

export function Card({ title, aside, flush, level = 2, className, children }: CardProps) {
    const Heading = level === 2 ? 'h2' : 'h3';
    return (
        <section className={`${classes.card} ${className ?? ''}`} aria-label={title}>
            {title !== undefined && (
                <header className={classes.header}>
                    <Heading className={classes.title}>{title}</Heading>
                    {aside && <div className={classes.aside}>{aside}</div>}
                </header>
            )}
            <div className={flush ? classes.flush : classes.content}>{children}</div>
        </section>
    );
}

export type Tone = 'ok' | 'warn' | 'danger' | 'info' | 'quiet';

// A state in a word: icon, word and colour together.
export function Chip({ tone = 'quiet', icon, children }: {
    tone?: Tone; icon?: ReactNode; children: ReactNode;
}) {
    return (
        <span className={classes.chip} data-tone={tone}>
            {icon}
            {children}
        </span>
    );
}

export function Facts({ rows }: { rows: { term: string; value: ReactNode }[] }) {
    return (
        <dl className={classes.facts}>
            {rows.map((row) => (
                <div key={row.term} className={classes.fact}>
                    <dt>{row.term}</dt>
                    <dd>{row.value}</dd>
                </div>
            ))}
        </dl>
    );
}
