// Search and commands: people by name, email and id, definitions, screens, acts. A combobox: the
// focus stays in the field, arrows walk the list.
import { Modal, useMantineColorScheme } from '@mantine/core';
import {
    IconBolt, IconFilter, IconKeyboard, IconRoute, IconSearch, IconSunMoon, type TablerIcon,
} from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useEffect, useId, useState } from 'react';
import { useNavigate } from 'react-router';
import { useApi, useTo } from '../api/context.ts';
import type { Person } from '../api/contract.ts';
import { Mark } from '../ui/fruit.tsx';
import { nameOf, searchCondition } from '../ui/person.ts';
import { useWords } from '../ui/words.ts';
import { screens } from './screens.ts';
import classes from './search.module.css';

const REST_MS = 120;
const RECENT = 'ripen.recent';
const RECENT_MAX = 5;

interface Hit {
    id: string;
    group: string;
    text: string;
    more?: string;
    icon: TablerIcon | null;
    open: () => void;
}

function remembered(): { text: string; path: string }[] {
    try {
        return JSON.parse(localStorage.getItem(RECENT) ?? '[]') as { text: string; path: string }[];
    } catch {
        return [];
    }
}

function useRested<T>(value: T): T {
    const [rested, setRested] = useState(value);
    useEffect(() => {
        const timer = setTimeout(() => setRested(value), REST_MS);
        return () => clearTimeout(timer);
    }, [value]);
    return rested;
}

function useHits(text: string, onClose: () => void, onKeys: () => void): Hit[] {
    const { t } = useWords();
    const to = useTo();
    const api = useApi();
    const navigate = useNavigate();
    const { colorScheme, setColorScheme } = useMantineColorScheme();
    const onlyActs = text.startsWith('>');
    const onlyPeople = text.startsWith('@');
    const wanted = text.replace(/^[>@]/, '').trim();
    const rested = useRested(wanted);
    const people = useQuery({
        queryKey: ['search', rested],
        queryFn: ({ signal }) =>
            api.persons({ condition: searchCondition(rested), limit: 6 }, signal),
        enabled: rested.length > 1 && !onlyActs,
        placeholderData: keepPreviousData,
    });
    const segments = useQuery({
        queryKey: ['segments'], queryFn: ({ signal }) => api.segments({}, signal),
    });
    const journeys = useQuery({
        queryKey: ['journeys'], queryFn: ({ signal }) => api.journeys({}, signal),
    });
    const go = (name: string, path: string) => () => {
        const rest = remembered().filter((one) => one.path !== path);
        localStorage.setItem(RECENT, JSON.stringify(
            [{ text: name, path }, ...rest].slice(0, RECENT_MAX)));
        navigate(to(path));
        onClose();
    };
    const acts: Hit[] = [
        { key: 'search.newSegment' as const, icon: IconFilter, path: '/segments/new' },
        { key: 'search.newJourney' as const, icon: IconRoute, path: '/journeys/new' },
        { key: 'search.testEvent' as const, icon: IconBolt, path: '/events?test=yes' },
    ].map((one) => ({
        id: one.key, group: t('search.acts'), text: t(one.key), icon: one.icon,
        open: () => {
            navigate(to(one.path));
            onClose();
        },
    }));
    acts.push({
        id: 'theme', group: t('search.acts'), text: t('search.theme'), icon: IconSunMoon,
        open: () => {
            setColorScheme(colorScheme === 'dark' ? 'light' : 'dark');
            onClose();
        },
    }, {
        id: 'keys', group: t('search.acts'), text: t('top.keys'), icon: IconKeyboard,
        open: onKeys,
    });
    const lower = wanted.toLowerCase();
    const fits = (hit: Hit) => hit.text.toLowerCase().includes(lower);
    if (onlyActs) return acts.filter(fits);
    const found: Hit[] = wanted.length > 1 ? (people.data?.persons ?? []).map((person: Person) => ({
        id: person.id, group: t('search.people'), text: nameOf(person) ?? t('people.visitor'),
        more: person.emails[0] ?? person.user_ids[0] ?? '', icon: null,
        open: go(nameOf(person) ?? t('people.visitor'), `/people/${person.id}`),
    })) : [];
    if (onlyPeople) return found;
    if (wanted === '') {
        const recent = remembered().map((one) => ({
            id: one.path, group: t('search.recent'), text: one.text, icon: IconSearch,
            open: go(one.text, one.path),
        }));
        return [...recent, ...acts];
    }
    const places: Hit[] = screens.map((one) => ({
        id: one.path, group: t('search.screens'), text: t(one.name), icon: one.icon,
        open: go(t(one.name), one.path),
    }));
    const defined: Hit[] = [
        ...(segments.data?.segments ?? []).map((one) => ({
            id: one.id, group: t('search.segments'), text: one.name, icon: IconFilter,
            open: go(one.name, `/segments/${one.id}`),
        })),
        ...(journeys.data?.journeys ?? []).map((one) => ({
            id: one.id, group: t('search.journeys'), text: one.name, icon: IconRoute,
            open: go(one.name, `/journeys/${one.id}`),
        })),
    ];
    return [...found, ...defined.filter(fits).slice(0, 8), ...places.filter(fits),
        ...acts.filter(fits)];
}

export default function Search({ onClose, onKeys }: { onClose: () => void; onKeys: () => void }) {
    const { t } = useWords();
    const list = useId();
    const [text, setText] = useState('');
    const [at, setAt] = useState(0);
    const hits = useHits(text, onClose, onKeys);
    const active = hits[Math.min(at, hits.length - 1)];
    const walk = (event: KeyboardEvent) => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0;
        if (step !== 0) {
            event.preventDefault();
            const next = (at + step + hits.length) % Math.max(1, hits.length);
            setAt(next);
            document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: 'nearest' });
        } else if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
            event.preventDefault();
            active?.open();
        }
    };
    return (
        <Modal
            opened onClose={onClose} withCloseButton={false} padding={0} size={600} yOffset="10vh"
            centered={false} title={t('top.searchLabel')} classNames={{ header: 'visually-hidden' }}
        >
            <div className={classes.field}>
                <IconSearch size={18} stroke={1.75} aria-hidden />
                <input
                    className={classes.input} value={text} data-autofocus
                    role="combobox" aria-expanded aria-controls={list} aria-autocomplete="list"
                    aria-label={t('top.searchLabel')} placeholder={t('search.placeholder')}
                    aria-activedescendant={active ? `${list}-${hits.indexOf(active)}` : undefined}
                    onChange={(event) => {
                        setText(event.currentTarget.value);
                        setAt(0);
                    }}
                    onKeyDown={walk}
                />
            </div>
            <div role="listbox" id={list} aria-label={t('top.searchLabel')}
                className={classes.list} tabIndex={-1}>
                {hits.map((hit, i) => {
                    const Icon = hit.icon;
                    const isFirst = hits[i - 1]?.group !== hit.group;
                    return (
                        <div key={`${hit.group} ${hit.id}`} role="presentation">
                            {isFirst && (
                                <div className={classes.group} role="presentation">{hit.group}</div>
                            )}
                            <div
                                role="option" id={`${list}-${i}`} aria-selected={hit === active}
                                className={classes.hit} onClick={hit.open}
                                onPointerMove={() => setAt(i)}
                            >
                                {Icon
                                    ? <Icon size={18} stroke={1.75} aria-hidden />
                                    : <Mark name={hit.text} size={20} />}
                                <span>{hit.text}</span>
                                {hit.more && <span className={classes.more}>{hit.more}</span>}
                            </div>
                        </div>
                    );
                })}
            </div>
            {hits.length === 0 && (
                <p className={classes.none}>{t('search.none', { text })}</p>
            )}
            <div className={classes.hint}>{t('search.hint')}</div>
            <span className="visually-hidden" role="status">
                {t('search.results', { count: hits.length })}
            </span>
        </Modal>
    );
}
