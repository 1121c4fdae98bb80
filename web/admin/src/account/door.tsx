// The frame of the two screens outside of a workspace.
import { SegmentedControl } from '@mantine/core';
import { type ReactNode, useEffect, useRef } from 'react';
import { Logo } from '../ui/fruit.tsx';
import { useTitle } from '../ui/page.tsx';
import { type Language, useWords } from '../ui/words.ts';
import classes from './door.module.css';

const ownNames: { value: Language; label: string }[] = [
    { value: 'en', label: 'English' }, { value: 'ja', label: '日本語' },
];

export function Door({ title, lead, wide, children }: {
    title: string; lead?: string; wide?: boolean; children: ReactNode;
}) {
    const { t, language, setLanguage } = useWords();
    const heading = useRef<HTMLHeadingElement>(null);
    useTitle(title);
    useEffect(() => {
        heading.current?.focus();
    }, [title]);
    return (
        <div className={classes.door}>
            <header className={classes.top}>
                <span className={classes.brand}>
                    <Logo size={28} />
                    <span className={classes.word}>{t('app.name').toLowerCase()}</span>
                </span>
                <SegmentedControl
                    size="xs" value={language} data={ownNames}
                    aria-label={t('top.language')}
                    onChange={(value) => setLanguage(value as Language)}
                />
            </header>
            <main className={classes.main} data-wide={wide}>
                <h1 ref={heading} tabIndex={-1} className={classes.title}>{title}</h1>
                {lead && <p className={classes.lead}>{lead}</p>}
                {children}
            </main>
            <footer className={classes.foot}>{t('signIn.tagline')}</footer>
        </div>
    );
}
