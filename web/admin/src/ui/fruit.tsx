// The signature of Ripen: a round fruit that fills from below as a person ripens, and the logo.
import { useId } from 'react';
import classes from './fruit.module.css';
import { mind, rungColour } from './theme.ts';

const SIZE = 24;
const RADIUS = 10.5;

interface FruitProps {
    rung: number; // 0: not known yet. 1 is the first.
    rungs?: number;
    size?: number;
    label: string;
}

export function Fruit({ rung, rungs = 7, size = 20, label }: FruitProps) {
    const clip = useId();
    const share = Math.min(1, Math.max(0, rung / rungs));
    const top = SIZE / 2 + RADIUS - share * 2 * RADIUS;
    const colour = rungColour(rung, rungs);
    const isWhite = mind[colour - 1]?.text === 'white' && share > 0.5;
    return (
        <svg
            className={classes.fruit} width={size} height={size} viewBox="0 0 24 24"
            role="img" aria-label={label}
        >
            <clipPath id={clip}>
                <rect x="0" y={top} width={SIZE} height={SIZE} />
            </clipPath>
            <circle cx="12" cy="12" r={RADIUS} className={classes.empty} />
            {rung > 0 && (
                <circle
                    cx="12" cy="12" r={RADIUS} clipPath={`url(#${clip})`}
                    style={{ fill: `var(--mind-${colour})` }}
                />
            )}
            <circle cx="12" cy="12" r={RADIUS} className={classes.edge} />
            {rung > 0 && (
                <text
                    x="12" y="16" textAnchor="middle"
                    className={isWhite ? classes.digitOnDark : classes.digit}
                >
                    {rung}
                </text>
            )}
        </svg>
    );
}

// A share of something done: the fruit without a rung.
export function Ripening({ share, size = 20 }: { share: number; size?: number }) {
    const clip = useId();
    const top = SIZE / 2 + RADIUS - Math.min(1, share) * 2 * RADIUS;
    return (
        <svg className={classes.fruit} width={size} height={size} viewBox="0 0 24 24" aria-hidden>
            <clipPath id={clip}>
                <rect x="0" y={top} width={SIZE} height={SIZE} />
            </clipPath>
            <circle cx="12" cy="12" r={RADIUS} className={classes.empty} />
            <circle cx="12" cy="12" r={RADIUS} clipPath={`url(#${clip})`}
                className={classes.plumFill} />
            <circle cx="12" cy="12" r={RADIUS} className={classes.plumEdge} />
        </svg>
    );
}

export function Logo({ size = 24 }: { size?: number }) {
    const clip = useId();
    return (
        <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden className={classes.fruit}>
            <clipPath id={clip}>
                <rect x="0" y="10" width="24" height="14" />
            </clipPath>
            <circle cx="12" cy="13" r="9" clipPath={`url(#${clip})`} className={classes.plumFill} />
            <circle cx="12" cy="13" r="9" className={classes.plumEdge} />
            <path
                d="M14.4 5.4C14.4 2.5 16.7 0.9 20.4 0.8C20.5 4.3 18.3 6.1 14.4 5.4Z"
                className={classes.leaf}
            />
        </svg>
    );
}

// The mark of somebody: initials in a circle that the fruit's edge draws.
export function Mark({ name, size = 28 }: { name: string; size?: number }) {
    const letters = name.trim() === '' ? '?' : Array.from(name.trim())[0]!.toUpperCase();
    return (
        <span className={classes.mark} style={{ width: size, height: size }} aria-hidden>
            {letters}
        </span>
    );
}
