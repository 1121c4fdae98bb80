import { useEffect, useState } from 'react';
import { useFormat, useNow } from './format.ts';

const BEAT_MS = 15_000;

// A moment in words that stay true while they stand there; the exact time on hover.
export function When({ time }: { time: string }) {
    const format = useFormat();
    const now = useNow();
    const [, setBeat] = useState(0);
    useEffect(() => {
        const timer = setInterval(() => setBeat((beat) => beat + 1), BEAT_MS);
        return () => clearInterval(timer);
    }, []);
    return (
        <time dateTime={time} title={format.moment(time)}>
            {format.when(time, now())}
        </time>
    );
}
