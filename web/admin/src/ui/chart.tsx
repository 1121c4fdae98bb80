// A chart with its table twin: the same numbers, for eyes and for everybody else. ECharts is
// fetched
// when the first chart comes on the screen.
import { Button } from '@mantine/core';
import { IconChartLine, IconTable } from '@tabler/icons-react';
import { type ReactNode, Suspense, lazy, useState } from 'react';
import classes from './chart.module.css';
import { useT } from './words.ts';

export interface ChartLine {
    name: string;
    values: number[];
}

export interface ChartProps {
    label: string; // One sentence of what is shown.
    days: string[]; // As they are written under the axis.
    lines: ChartLine[];
    height?: number;
    isLastUnfinished?: boolean;
}

const Drawing = lazy(() => import('./drawing.tsx'));

export function Chart(props: ChartProps & { twin: ReactNode }) {
    const t = useT();
    const [asTable, setAsTable] = useState(false);
    const height = props.height ?? 260;
    return (
        <div>
            <div className={classes.switch}>
                <Button
                    size="compact-sm" variant="subtle" color="gray" aria-pressed={asTable}
                    onClick={() => setAsTable(!asTable)}
                    leftSection={asTable
                        ? <IconChartLine size={16} stroke={1.75} />
                        : <IconTable size={16} stroke={1.75} />}
                >
                    {asTable ? t('chart.chart') : t('chart.table')}
                </Button>
            </div>
            {asTable ? (
                <div className={classes.twin} tabIndex={0} role="region" aria-label={props.label}
                    style={{ height }}>
                    {props.twin}
                </div>
            ) : (
                <>
                    <div style={{ height }}>
                        <Suspense fallback={null}>
                            <Drawing {...props} height={height} />
                        </Suspense>
                    </div>
                    <div className="visually-hidden">{props.twin}</div>
                </>
            )}
        </div>
    );
}

// A line without axes, for a row of a list: drawn by hand, no library.
export function Spark({ values, label, width = 96, height = 24 }: {
    values: number[]; label: string; width?: number; height?: number;
}) {
    const most = Math.max(1, ...values);
    const step = width / Math.max(1, values.length - 1);
    const points = values
        .map((value, i) => `${(i * step).toFixed(1)},${(height - 2 - (value / most) * (height - 4))
            .toFixed(1)}`)
        .join(' ');
    return (
        <svg width={width} height={height} role="img" aria-label={label} className={classes.spark}>
            <polyline points={points} fill="none" />
        </svg>
    );
}
