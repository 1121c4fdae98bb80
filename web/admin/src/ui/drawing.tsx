import { useComputedColorScheme } from '@mantine/core';
import { LineChart } from 'echarts/charts';
import {
    AriaComponent, GridComponent, LegendComponent, TooltipComponent,
} from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import type { ChartProps } from './chart.tsx';
import classes from './chart.module.css';
import { useFormat } from './format.ts';
import { dark, light, series as hues } from './theme.ts';

use([LineChart, GridComponent, TooltipComponent, LegendComponent, AriaComponent, SVGRenderer]);

const AXIS_PX = 12;

export default function Drawing(props: ChartProps & { height: number }) {
    const place = useRef<HTMLDivElement>(null);
    const chart = useRef<ReturnType<typeof init> | null>(null);
    const [at, setAt] = useState(-1);
    const format = useFormat();
    const scheme = useComputedColorScheme('light') === 'dark' ? dark : light;
    const { days, lines, label, isLastUnfinished } = props;

    useEffect(() => {
        if (!place.current) return undefined;
        const drawn = init(place.current, null, { renderer: 'svg' });
        chart.current = drawn;
        const watcher = new ResizeObserver(() => drawn.resize());
        watcher.observe(place.current);
        return () => {
            watcher.disconnect();
            drawn.dispose();
        };
    }, []);

    useEffect(() => {
        const text = { color: scheme.ink2, fontSize: AXIS_PX, fontFamily: 'inherit' };
        const firm = (values: number[]) =>
            values.map((v, i) => (isLastUnfinished && i === values.length - 1 ? null : v));
        const open = (values: number[]) =>
            values.map((v, i) => (i >= values.length - 2 ? v : null));
        chart.current?.setOption({
            animation: false,
            aria: { enabled: true, label: { description: label } },
            grid: { left: 8, right: 16, top: 36, bottom: 4, containLabel: true },
            legend: {
                top: 0, left: 0, icon: 'roundRect', itemWidth: 12, itemHeight: 3, itemGap: 16,
                textStyle: text, data: lines.map((line) => line.name),
            },
            tooltip: {
                trigger: 'axis',
                backgroundColor: scheme.panel,
                borderColor: scheme.lineStrong,
                textStyle: { color: scheme.ink, fontSize: 13 },
                valueFormatter: (value: unknown) => format.number(Number(value ?? 0)),
                axisPointer: { lineStyle: { color: scheme.lineStrong } },
            },
            xAxis: {
                type: 'category', data: days, boundaryGap: false,
                axisLine: { lineStyle: { color: scheme.line } },
                axisTick: { show: false },
                axisLabel: { ...text, hideOverlap: true, interval: 'auto' },
            },
            yAxis: {
                type: 'value', splitNumber: 4, minInterval: 1,
                splitLine: { lineStyle: { color: scheme.line } },
                axisLabel: { ...text, formatter: (value: number) => format.short(value) },
            },
            series: lines.flatMap((line, i) => {
                const look = {
                    name: line.name, type: 'line', symbol: 'circle', symbolSize: 6,
                    showSymbol: false, color: hues[i],
                };
                const whole = {
                    ...look, data: firm(line.values), lineStyle: { width: 2 },
                    emphasis: { focus: 'none' },
                };
                return isLastUnfinished
                    ? [whole, {
                        ...look, data: open(line.values),
                        lineStyle: { width: 2, type: 'dashed' },
                    }]
                    : [whole];
            }),
        }, true);
    }, [days, lines, label, isLastUnfinished, scheme, format]);

    const walk = (event: KeyboardEvent) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key] ?? 0;
        if (step === 0) return;
        event.preventDefault();
        const next = Math.max(0, Math.min(days.length - 1, (at < 0 ? days.length : at) + step));
        setAt(next);
        chart.current?.dispatchAction({ type: 'showTip', seriesIndex: 0, dataIndex: next });
    };
    const spoken = at < 0 ? '' : [days[at], ...lines.map((line) =>
        `${line.name} ${format.number(line.values[at] ?? 0)}`)].join(', ');

    return (
        <>
            <div
                ref={place} className={classes.draw} tabIndex={0} role="application"
                aria-label={label} onKeyDown={walk} onBlur={() => setAt(-1)}
            />
            <span className="visually-hidden" role="status">{spoken}</span>
        </>
    );
}
