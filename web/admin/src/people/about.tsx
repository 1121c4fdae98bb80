import { Link } from 'react-router';
import { useTo } from '../api/context.ts';
import type { Json, Person, Touch } from '../api/contract.ts';
import { Card, Chip, Facts } from '../ui/card.tsx';
import { CopyIcon } from '../ui/copy.tsx';
import { useFormat } from '../ui/format.ts';
import { type Key, useT } from '../ui/words.ts';
import { When } from '../ui/when.tsx';
import classes from './person.module.css';

function shown(value: Json): string {
    return typeof value === 'string' ? value
        : Array.isArray(value) && value.every((one) => typeof one !== 'object')
            ? value.join(', ') : JSON.stringify(value);
}

export function About({ person }: { person: Person }) {
    const t = useT();
    const attributes = Object.entries(person.attributes);
    return (
        <>
            <Segments person={person} />
            <Card title={t('person.attributes')}>
                {attributes.length === 0
                    ? <p className={classes.quiet}>{t('person.noAttributes')}</p>
                    : (
                        <Facts rows={attributes.map(([name, value]) =>
                            ({ term: name, value: shown(value) }))} />
                    )}
            </Card>
            <Journeys person={person} />
            <Card title={t('person.touches')}>
                <TouchFacts name={t('person.firstTouch')} touch={person.first_touch} />
                <TouchFacts name={t('person.lastTouch')} touch={person.last_touch} />
            </Card>
            <Ids person={person} />
        </>
    );
}

function Segments({ person }: { person: Person }) {
    const t = useT();
    const to = useTo();
    const format = useFormat();
    return (
        <Card title={t('person.segments')}>
            {person.segments.length === 0 && (
                <p className={classes.quiet}>{t('person.noSegments')}</p>
            )}
            <ul className={classes.chips}>
                {person.segments.map((one) => (
                    <li key={one.id}>
                        <Link to={to(`/segments/${one.id}`)} className={classes.chip}
                            title={t('people.since', { time: format.moment(one.since) })}>
                            {one.name}
                        </Link>
                    </li>
                ))}
            </ul>
        </Card>
    );
}

function Journeys({ person }: { person: Person }) {
    const t = useT();
    const to = useTo();
    const format = useFormat();
    return (
        <Card title={t('person.journeys')}>
            {person.journeys.length === 0 && (
                <p className={classes.quiet}>{t('person.noJourneys')}</p>
            )}
            <ul className={classes.plain}>
                {person.journeys.map((one) => (
                    <li key={one.entry} className={classes.entry}>
                        <Link to={to(`/journeys/${one.id}`)}>{one.name}</Link>
                        <Chip tone={one.state === 'goal' ? 'ok'
                            : one.state === 'open' ? 'info' : 'quiet'}>
                            {t(`person.journey.${one.state}` as Key)}
                        </Chip>
                        <span className={classes.quiet}>
                            {one.key ? `${one.key} · ` : ''}
                            {one.state === 'open' && one.waits_until
                                ? t('person.journey.waits',
                                    { time: format.clock(one.waits_until) })
                                : <When time={one.ended ?? one.entered} />}
                        </span>
                    </li>
                ))}
            </ul>
        </Card>
    );
}

const parts = ['source', 'medium', 'campaign', 'term', 'content', 'referrer', 'kind'] as const;

function TouchFacts({ name, touch }: { name: string; touch: Touch | null }) {
    const t = useT();
    const rows = parts.filter((part) => touch?.[part]).map((part) =>
        ({ term: t(`touch.${part}` as Key), value: touch?.[part] ?? '' }));
    return (
        <div className={classes.touch}>
            <h3 className={classes.sub}>
                {name}
                {touch && <When time={touch.time} />}
            </h3>
            {touch ? <Facts rows={rows} /> : <p className={classes.quiet}>{t('person.noTouch')}</p>}
        </div>
    );
}

function Ids({ person }: { person: Person }) {
    const t = useT();
    const rows: { term: string; text: string }[] = [
        ...person.user_ids.map((text) => ({ term: t('person.id.user'), text })),
        ...person.emails.map((text) => ({ term: t('person.id.email'), text })),
        ...person.anonymous_ids.map((text) => ({ term: t('person.id.anonymous'), text })),
        { term: t('person.id.person'), text: person.id },
    ];
    return (
        <Card title={t('person.ids')}>
            <dl className={classes.ids}>
                {rows.map((row) => (
                    <div key={row.term + row.text} className={classes.idRow}>
                        <dt>{row.term}</dt>
                        <dd><code>{row.text}</code></dd>
                        <dd><CopyIcon text={row.text} what={row.term} /></dd>
                    </div>
                ))}
            </dl>
        </Card>
    );
}
