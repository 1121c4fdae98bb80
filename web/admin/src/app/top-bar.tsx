import {
    ActionIcon, Button, Popover, SegmentedControl, Tooltip, UnstyledButton, useMantineColorScheme,
} from '@mantine/core';
import { useState } from 'react';
import { IconHelpCircle, IconLogout, IconSearch, IconUser } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useApi, useCounts, useDesk, useLight, useTo } from '../api/context.ts';
import { useFormat } from '../ui/format.ts';
import { Logo, Mark } from '../ui/fruit.tsx';
import { useLasted } from '../ui/states.tsx';
import { type Language, languages, useWords } from '../ui/words.ts';
import classes from './top-bar.module.css';

const RECONNECTING_MS = 3000;
const searchKeys = 'Ctrl K';

// Each language by its own name, whatever is spoken now.
export const ownNames: Record<Language, string> = { en: 'English', ja: '日本語' };

export function TopBar({ onSearch, onKeys }: { onSearch: () => void; onKeys: () => void }) {
    const { t } = useWords();
    return (
        <header className={classes.bar}>
            <span className={classes.phoneLogo}><Logo size={24} /></span>
            <UnstyledButton
                className={classes.search} onClick={onSearch} aria-label={t('top.searchLabel')}
                aria-keyshortcuts="Control+K"
            >
                <IconSearch size={16} stroke={1.75} aria-hidden />
                <span className={classes.searchText}>{t('top.search')}</span>
                <kbd className={classes.kbd}>{searchKeys}</kbd>
            </UnstyledButton>
            <div className={classes.right}>
                <LiveLight />
                <Tooltip label={`${t('top.keys')} ?`}>
                    <ActionIcon
                        variant="subtle" color="gray" size={32} aria-label={t('top.keys')}
                        onClick={onKeys} className={classes.keys}
                    >
                        <IconHelpCircle size={18} stroke={1.75} />
                    </ActionIcon>
                </Tooltip>
                <TeammateMenu />
            </div>
        </header>
    );
}

function LiveLight() {
    const { t } = useWords();
    const to = useTo();
    const light = useLight();
    const counts = useCounts();
    const format = useFormat();
    const isLate = useLasted(RECONNECTING_MS, light.since) && !light.open;
    const text = isLate || !counts
        ? (isLate ? t('top.reconnecting') : '')
        : t('top.onSite', { count: counts.on_site }).replace(
            String(counts.on_site), format.number(counts.on_site));
    return (
        <Tooltip label={isLate ? t('top.reconnecting') : t('top.live')}>
            <Link to={to('/live')} className={classes.live}>
                <span className={classes.dot} data-open={light.open || !isLate} aria-hidden />
                <span className={classes.liveText}>{text === '' ? t('nav.live') : text}</span>
            </Link>
        </Tooltip>
    );
}

function TeammateMenu() {
    const { t, language, setLanguage } = useWords();
    const to = useTo();
    const api = useApi();
    const { teammate } = useDesk();
    const queries = useQueryClient();
    const { colorScheme, setColorScheme } = useMantineColorScheme();
    const [open, setOpen] = useState(false);
    const signOut = useMutation({
        mutationFn: () => api.signOut(),
        onSettled: () => {
            queries.removeQueries({ predicate: (query) => query.queryKey[0] !== 'session' });
            void queries.invalidateQueries({ queryKey: ['session'] });
        },
    });
    const speak = (next: Language) => {
        setLanguage(next);
        void api.changeTeammate({ language: next }).catch(() => undefined);
    };
    return (
        <Popover
            position="bottom-end" width={260} trapFocus returnFocus shadow="md" radius="md"
            opened={open} onChange={setOpen}
        >
            <Popover.Target>
                <UnstyledButton
                    className={classes.me} aria-label={t('top.menu', { name: teammate.name })}
                    onClick={() => setOpen(!open)}
                >
                    <Mark name={teammate.name} size={28} />
                </UnstyledButton>
            </Popover.Target>
            <Popover.Dropdown p={4} aria-label={t('top.account')}>
                <div className={classes.who}>
                    <strong>{teammate.name}</strong>
                    <span>{teammate.email}</span>
                </div>
                <div className={classes.choice}>
                    <span id="theme-choice">{t('top.theme')}</span>
                    <SegmentedControl
                        size="xs" fullWidth aria-labelledby="theme-choice" value={colorScheme}
                        onChange={(value) => setColorScheme(value as typeof colorScheme)}
                        data={[
                            { value: 'auto', label: t('top.theme.auto') },
                            { value: 'light', label: t('top.theme.light') },
                            { value: 'dark', label: t('top.theme.dark') },
                        ]}
                    />
                </div>
                <div className={classes.choice}>
                    <span id="language-choice">{t('top.language')}</span>
                    <SegmentedControl
                        size="xs" fullWidth aria-labelledby="language-choice" value={language}
                        onChange={(value) => speak(value as Language)}
                        data={languages.map((one) => ({ value: one, label: ownNames[one] }))}
                    />
                </div>
                <Button
                    variant="subtle" color="gray" fullWidth justify="flex-start" component={Link}
                    to={to('/settings/account')} onClick={() => setOpen(false)}
                    leftSection={<IconUser size={18} stroke={1.75} />}
                >
                    {t('top.account')}
                </Button>
                <Button
                    variant="subtle" color="gray" fullWidth justify="flex-start"
                    leftSection={<IconLogout size={18} stroke={1.75} />}
                    onClick={() => signOut.mutate()}
                >
                    {t('top.signOut')}
                </Button>
            </Popover.Dropdown>
        </Popover>
    );
}
