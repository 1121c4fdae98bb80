import { Button } from '@mantine/core';
import { IconCircleCheckFilled, IconCircleDashed } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { useDesk, useTo } from '../api/context.ts';
import type { Home } from '../api/contract.ts';
import { Card } from '../ui/card.tsx';
import { Ripening } from '../ui/fruit.tsx';
import { type Key, useT } from '../ui/words.ts';
import classes from './home.module.css';

const steps: { name: keyof Home['checklist']; text: Key; hint: Key; path: string }[] = [
    {
        name: 'first_event', text: 'home.check.event', hint: 'home.check.eventTo',
        path: '/settings/site',
    },
    {
        name: 'identified', text: 'home.check.identified', hint: 'home.check.identifiedTo',
        path: '/settings/site',
    },
    {
        name: 'segment', text: 'home.check.segment', hint: 'home.check.segmentTo',
        path: '/segments/new',
    },
    {
        name: 'journey', text: 'home.check.journey', hint: 'home.check.journeyTo',
        path: '/journeys/new',
    },
];

// The first steps check themselves off; with all of them done the card leaves by itself.
export function Checklist({ checklist }: { checklist: Home['checklist'] }) {
    const t = useT();
    const to = useTo();
    const { workspace } = useDesk();
    const key = `ripen.checklist.${workspace.id}`;
    const [hidden, setHidden] = useState(localStorage.getItem(key) === 'hidden');
    const done = steps.filter((step) => checklist[step.name]).length;
    if (hidden || done === steps.length) return null;
    const hide = () => {
        localStorage.setItem(key, 'hidden');
        setHidden(true);
    };
    return (
        <Card
            title={t('home.checklist')} className={classes.checklist ?? ''}
            aside={(
                <>
                    <Ripening share={done / steps.length} />
                    {t('home.checklistDone', { done, all: steps.length })}
                </>
            )}
        >
            <ol className={classes.steps}>
                {steps.map((step) => {
                    const isDone = checklist[step.name];
                    return (
                        <li key={step.name} className={classes.step} data-done={isDone}>
                            {isDone
                                ? <IconCircleCheckFilled size={18} aria-hidden />
                                : <IconCircleDashed size={18} stroke={1.75} aria-hidden />}
                            <span>
                                {isDone ? t(step.text)
                                    : <Link to={to(step.path)}>{t(step.text)}</Link>}
                                <span className="visually-hidden">
                                    {` ${t(isDone ? 'home.check.state.done'
                                        : 'home.check.state.open')}`}
                                </span>
                                {!isDone && <span className={classes.hint}>{t(step.hint)}</span>}
                            </span>
                        </li>
                    );
                })}
            </ol>
            <Button variant="subtle" color="gray" size="compact-sm" onClick={hide}>
                {t('home.check.hide')}
            </Button>
        </Card>
    );
}
