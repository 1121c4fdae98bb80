// Numbers, dates and lengths of time as people of a language write them.
import { createContext, useContext, useMemo } from 'react';
import { type Language, useWords } from './words.ts';

export interface Format {
    number: (value: number) => string;
    short: (value: number) => string; // For axes only: 12.5K.
    percent: (part: number, whole: number) => string; // "-" of nothing.
    when: (time: string, nowMs: number) => string; // "4 min ago" to 24 h, then the date.
    moment: (time: string) => string; // With seconds and zone: for hovering.
    clock: (time: string) => string; // 14:03
    date: (time: string) => string; // 12 March 2026
    day: (day: string) => string; // 12 Mar
    span: (ms: number) => string; // 3 days
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export function formatOf(language: Language): Format {
    const numbers = new Intl.NumberFormat(language);
    const shorts = new Intl.NumberFormat(language, {
        notation: 'compact', maximumFractionDigits: 1,
    });
    const percents = new Intl.NumberFormat(language, {
        style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1,
    });
    const agos = new Intl.RelativeTimeFormat(language, { numeric: 'always', style: 'short' });
    const clocks = new Intl.DateTimeFormat(language, {
        hour: '2-digit', minute: '2-digit', hour12: false,
    });
    const days = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
        day: 'numeric', month: 'short',
    });
    const dates = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
        day: 'numeric', month: 'long', year: 'numeric',
    });
    const moments = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
        dateStyle: 'medium', timeStyle: 'long',
    });
    const unit = (value: number, name: string) => new Intl.NumberFormat(language, {
        style: 'unit', unit: name, unitDisplay: 'long',
    }).format(value);
    return {
        number: (value) => numbers.format(value),
        short: (value) => shorts.format(value),
        percent: (part, whole) => (whole === 0 ? '-' : percents.format(part / whole)),
        when: (time, nowMs) => {
            const at = Date.parse(time);
            const ago = Math.max(0, nowMs - at);
            if (Number.isNaN(at)) return time;
            const bare = (text: string) => text.replace('.', '');
            if (ago < MINUTE_MS) return bare(agos.format(-Math.floor(ago / 1000), 'second'));
            if (ago < HOUR_MS) return bare(agos.format(-Math.floor(ago / MINUTE_MS), 'minute'));
            if (ago < DAY_MS) return bare(agos.format(-Math.floor(ago / HOUR_MS), 'hour'));
            const date = new Date(at);
            const isThisYear = date.getFullYear() === new Date(nowMs).getFullYear();
            return isThisYear
                ? `${days.format(date)} ${clocks.format(date)}`
                : dates.format(date);
        },
        moment: (time) => moments.format(new Date(time)),
        clock: (time) => clocks.format(new Date(time)),
        date: (time) => dates.format(new Date(time)),
        day: (day) => days.format(new Date(`${day.slice(0, 10)}T12:00:00`)),
        span: (ms) => {
            if (ms >= DAY_MS) return unit(Math.round(ms / DAY_MS), 'day');
            if (ms >= HOUR_MS) return unit(Math.round(ms / HOUR_MS), 'hour');
            if (ms >= MINUTE_MS) return unit(Math.round(ms / MINUTE_MS), 'minute');
            return unit(Math.round(ms / 1000), 'second');
        },
    };
}

export function useFormat(): Format {
    const { language } = useWords();
    return useMemo(() => formatOf(language), [language]);
}

// How far the server's clock is ahead of this machine's, in milliseconds.
export const ClockContext = createContext<number>(0);

export function useNow(): () => number {
    const ahead = useContext(ClockContext);
    return useMemo(() => () => Date.now() + ahead, [ahead]);
}
