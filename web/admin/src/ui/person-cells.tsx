// How persons stand in lists, the same on every screen.
import { Link } from 'react-router';
import { useTo } from '../api/context.ts';
import type { Person } from '../api/contract.ts';
import { useFormat } from './format.ts';
import { Mark } from './fruit.tsx';
import { emailOf, nameOf } from './person.ts';
import classes from './person-cells.module.css';
import type { Column } from './rows.tsx';
import { When } from './when.tsx';
import { type Words, useWords } from './words.ts';

export function placeOf(person: Pick<Person, 'attributes'>): string {
    const { city, country } = person.attributes;
    return [city, country].filter((one) => typeof one === 'string' && one !== '').join(', ');
}

export function shownName(person: Person, t: Words['t']): string {
    const place = placeOf(person);
    return nameOf(person) ?? (place === '' ? t('people.visitor')
        : t('people.visitorFrom', { place }));
}

export function PersonLink({ person }: { person: Person }) {
    const { t } = useWords();
    const to = useTo();
    const known = nameOf(person);
    return (
        <span className={classes.person}>
            <Mark name={known ?? ''} size={24} />
            <Link to={to(`/people/${person.id}`)} className={classes.name}>
                {shownName(person, t)}
            </Link>
        </span>
    );
}

export function usePersonColumns(): Column<Person>[] {
    const { t } = useWords();
    const format = useFormat();
    return [
        {
            id: 'name', head: t('people.col.name'), width: 'minmax(180px, 2fr)', sort: 'name',
            isPhone: true, cell: (person) => <PersonLink person={person} />,
        },
        {
            id: 'email', head: t('people.col.email'), width: 'minmax(160px, 2fr)', sort: 'email',
            cell: (person) => emailOf(person) ?? '-',
        },
        {
            id: 'seen', head: t('people.col.seen'), width: 'minmax(112px, 1fr)',
            sort: 'last_seen', isPhone: true, cell: (person) => <When time={person.last_seen} />,
        },
        {
            id: 'source', head: t('people.col.source'), width: 'minmax(120px, 1fr)',
            cell: (person) => person.first_touch?.source ?? person.first_touch?.kind ?? '-',
        },
        {
            id: 'city', head: t('people.col.city'), width: 'minmax(104px, 1fr)',
            cell: (person) => placeOf(person) || '-',
        },
        {
            id: 'segments', head: t('people.col.segments'), width: 'minmax(96px, 120px)',
            isNumber: true, cell: (person) => format.number(person.segments.length),
        },
        {
            id: 'visits', head: t('people.col.visits'), width: 'minmax(80px, 96px)',
            isNumber: true, cell: (person) => format.number(person.visits),
        },
        {
            id: 'events', head: t('people.col.events'), width: 'minmax(80px, 96px)',
            isNumber: true, cell: (person) => format.number(person.events),
        },
        {
            id: 'first', head: t('people.col.first'), width: 'minmax(112px, 1fr)',
            sort: 'first_seen', cell: (person) => <When time={person.first_seen} />,
        },
        {
            id: 'id', head: t('people.col.id'), width: 'minmax(120px, 1fr)',
            cell: (person) => person.user_ids[0] ?? '-',
        },
    ];
}
