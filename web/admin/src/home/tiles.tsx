import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Link } from 'react-router';
import { useTo } from '../api/context.ts';
import type { Home } from '../api/contract.ts';
import { useFormat } from '../ui/format.ts';
import { Ripening } from '../ui/fruit.tsx';
import { Bone, Skeleton } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';
import classes from './home.module.css';

const TINT_MS = 600;

export function Tiles({ home }: { home: Home | undefined }) {
    const t = useT();
    const to = useTo();
    const format = useFormat();
    if (!home) return <Waiting />;
    const letters = home.letters;
    return (
        <div className={classes.tiles}>
            <Tile
                name={t('home.persons')} value={home.persons} to={to('/people')}
                more={t('home.perPerson', {
                    count: `+${format.number(sum(home.days.map((day) => day.new_persons)))}`,
                })}
            />
            <Tile
                name={t('home.knownShort')} value={home.known}
                to={to(`/people?condition=${encodeURIComponent('email is known')}`)}
                icon={<Ripening share={home.persons ? home.known / home.persons : 0} />}
                more={t('home.ofAll', { share: format.percent(home.known, home.persons) })}
            />
            <Tile
                name={t('home.onSite')} value={home.on_site} to={to('/live')}
                more={home.on_site === 0 ? t('home.onSiteNone') : t('home.seeLive')}
            />
            <Tile
                name={t('home.events')} value={home.events_24h} to={to('/events')}
                more={t('home.perPerson', {
                    count: format.number(sum(home.days.map((day) => day.events))),
                })}
            />
            <Tile
                name={t('home.letters')} value={letters.sent_7d} to={to('/mailbox')}
                more={letters.waiting > 0
                    ? t('home.lettersWaiting', { count: letters.waiting })
                    : t('home.lettersMore', {
                        opened: format.percent(letters.opened_7d, letters.sent_7d),
                        clicked: format.percent(letters.clicked_7d, letters.sent_7d),
                    })}
            />
        </div>
    );
}

function sum(values: number[]): number {
    return values.reduce((all, one) => all + one, 0);
}

function Tile({ name, value, to, more, icon }: {
    name: string; value: number; to: string; more: string; icon?: ReactNode;
}) {
    return (
        <Link to={to} className={classes.tile}>
            <span className={classes.tileName}>{name}</span>
            <span className={classes.tileValue}>
                <LiveNumber value={value} />
                {icon}
            </span>
            <span className={classes.tileMore}>{more}</span>
        </Link>
    );
}

// A number that tints its place for a moment when it changes; it never counts up.
export function LiveNumber({ value }: { value: number }) {
    const format = useFormat();
    const before = useRef(value);
    const [fresh, setFresh] = useState(false);
    useEffect(() => {
        if (before.current === value) return undefined;
        before.current = value;
        setFresh(true);
        const timer = setTimeout(() => setFresh(false), TINT_MS);
        return () => clearTimeout(timer);
    }, [value]);
    return <span className={classes.number} data-fresh={fresh}>{format.number(value)}</span>;
}

function Waiting() {
    return (
        <Skeleton>
            <div className={classes.tiles}>
                {[0, 1, 2, 3, 4].map((i) => (
                    <div key={i} className={classes.tile}>
                        <span className={classes.tileName}><Bone width={96} height={12} /></span>
                        <span className={classes.tileValue}><Bone width={72} height={24} /></span>
                        <span className={classes.tileMore}><Bone width={112} height={12} /></span>
                    </div>
                ))}
            </div>
        </Skeleton>
    );
}
