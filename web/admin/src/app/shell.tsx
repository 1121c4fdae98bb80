// The frame of all screens: sidebar, top bar, bars that warn, the screen itself, the phone's foot.
import { ActionIcon, Menu, Tooltip, UnstyledButton } from '@mantine/core';
import {
    IconChevronDown, IconDots, IconLayoutSidebarLeftCollapse, IconLayoutSidebarLeftExpand,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Suspense, lazy, useState } from 'react';
import { Link, NavLink, Navigate, Route, Routes, useLocation, useNavigate } from 'react-router';
import { useApi, useCounts, useDesk, useTo } from '../api/context.ts';
import { ClockContext } from '../ui/format.ts';
import { Logo } from '../ui/fruit.tsx';
import { useKeys } from '../ui/keys.ts';
import { Chip } from '../ui/card.tsx';
import { Skeleton } from '../ui/states.tsx';
import { type Key, useT } from '../ui/words.ts';
import { Bars } from './bars.tsx';
import { Boundary } from './boundary.tsx';
import { NoScreen } from './no-screen.tsx';
import { type Screen, fetchScreen, routes, screens } from './screens.ts';
import classes from './shell.module.css';
import { TopBar } from './top-bar.tsx';

const Search = lazy(() => import('./search.tsx'));
const KeySheet = lazy(() => import('./key-sheet.tsx'));

const FOLDED = 'ripen.folded';

export function Shell() {
    const t = useT();
    const to = useTo();
    const api = useApi();
    const navigate = useNavigate();
    const location = useLocation();
    const [folded, setFolded] = useState(localStorage.getItem(FOLDED) === 'yes');
    const [layer, setLayer] = useState<'search' | 'keys' | null>(null);
    const facts = useQuery({
        queryKey: ['workspace'], queryFn: ({ signal }) => api.workspace(signal),
    });
    const ahead = facts.data?.clock === 'simulated'
        ? Date.parse(facts.data.now) - facts.dataUpdatedAt : 0;
    const fold = () => {
        localStorage.setItem(FOLDED, folded ? 'no' : 'yes');
        setFolded(!folded);
    };
    useKeys({
        'mod+k': () => setLayer('search'),
        '?': () => setLayer('keys'),
        '[': fold,
        ...Object.fromEntries(screens.filter((one) => one.key).map((one) =>
            [`g ${one.key}`, () => navigate(to(one.path))])),
    });
    return (
        <ClockContext value={ahead}>
            <a href="#content" className={classes.skip}>{t('app.skip')}</a>
            <div className={classes.shell} data-folded={folded}>
                <Sidebar folded={folded} onFold={fold} />
                <div className={classes.column}>
                    <TopBar onSearch={() => setLayer('search')} onKeys={() => setLayer('keys')} />
                    <Bars />
                    <main id="content" className={classes.content} tabIndex={-1}>
                        <Boundary address={location.pathname}>
                            <Suspense fallback={<Waiting />}>
                                <Routes>
                                    {routes.map(({ path, element: Element }) => (
                                        <Route key={path} path={path} element={<Element />} />
                                    ))}
                                    <Route path="" element={<Navigate to="home" replace />} />
                                    <Route path="*" element={<NoScreen />} />
                                </Routes>
                            </Suspense>
                        </Boundary>
                    </main>
                </div>
                <Foot />
            </div>
            <Suspense fallback={null}>
                {layer === 'search' && (
                    <Search onClose={() => setLayer(null)} onKeys={() => setLayer('keys')} />
                )}
                {layer === 'keys' && <KeySheet onClose={() => setLayer(null)} />}
            </Suspense>
        </ClockContext>
    );
}

function Waiting() {
    return (
        <div className={classes.waiting}>
            <Skeleton rows={6} height={56} />
        </div>
    );
}

const groups: { name: Screen['group']; title?: Key }[] = [
    { name: 'top' },
    { name: 'people', title: 'nav.group.people' },
    { name: 'engage', title: 'nav.group.engage' },
    { name: 'system', title: 'nav.group.system' },
];

function Sidebar({ folded, onFold }: { folded: boolean; onFold: () => void }) {
    const t = useT();
    const foldLabel = folded ? t('nav.unfold') : t('nav.fold');
    return (
        <nav className={classes.sidebar} aria-label={t('nav.label')}>
            <WorkspaceMenu folded={folded} />
            <div className={classes.groups}>
                {groups.map((group) => (
                    <div key={group.name} className={classes.group}>
                        {group.title && (
                            <div className={classes.groupTitle} aria-hidden>{t(group.title)}</div>
                        )}
                        {screens.filter((one) => one.group === group.name).map((one) => (
                            <Item key={one.path} screen={one} />
                        ))}
                    </div>
                ))}
            </div>
            <Tooltip label={`${foldLabel} [`} position="right">
                <ActionIcon
                    variant="subtle" color="gray" size={32} aria-label={foldLabel}
                    className={classes.fold} onClick={onFold}
                >
                    {folded
                        ? <IconLayoutSidebarLeftExpand size={18} stroke={1.75} />
                        : <IconLayoutSidebarLeftCollapse size={18} stroke={1.75} />}
                </ActionIcon>
            </Tooltip>
        </nav>
    );
}

function Item({ screen }: { screen: Screen }) {
    const t = useT();
    const to = useTo();
    const Icon = screen.icon;
    return (
        <NavLink
            to={to(screen.path)} className={classes.item} title={t(screen.name)}
            onPointerEnter={() => fetchScreen(screen.path)}
            onFocus={() => fetchScreen(screen.path)}
        >
            <Icon size={18} stroke={1.75} aria-hidden />
            <span className={classes.itemName}>{t(screen.name)}</span>
            {screen.path === '/live' && <OnSite />}
        </NavLink>
    );
}

function OnSite() {
    const counts = useCounts();
    if (!counts || counts.on_site === 0) return null;
    return <span className={classes.itemCount} aria-hidden>{counts.on_site}</span>;
}

function WorkspaceMenu({ folded }: { folded: boolean }) {
    const t = useT();
    const navigate = useNavigate();
    const { workspace, workspaces } = useDesk();
    return (
        <Menu position="bottom-start" width={240}>
            <Menu.Target>
                <UnstyledButton
                    className={classes.workspace}
                    aria-label={t('nav.workspace', { name: workspace.name })}
                >
                    <Logo size={24} />
                    {!folded && (
                        <>
                            <span className={classes.workspaceName}>{workspace.name}</span>
                            <IconChevronDown size={16} stroke={1.75} aria-hidden />
                        </>
                    )}
                </UnstyledButton>
            </Menu.Target>
            <Menu.Dropdown>
                <Menu.Label>{t('nav.workspaces')}</Menu.Label>
                {workspaces.map((one) => (
                    <Menu.Item
                        key={one.id} onClick={() => navigate(`/w/${one.id}/home`)}
                        rightSection={one.demo ? <Chip>{t('nav.demo')}</Chip> : undefined}
                        fw={one.id === workspace.id ? 600 : 400}
                    >
                        {one.name}
                    </Menu.Item>
                ))}
                <Menu.Divider />
                <Menu.Item
                    component={Link} to={`/w/${workspace.id}/settings/workspace?new=yes`}
                >
                    {t('nav.newWorkspace')}
                </Menu.Item>
            </Menu.Dropdown>
        </Menu>
    );
}

function Foot() {
    const t = useT();
    const to = useTo();
    const navigate = useNavigate();
    const rest = screens.filter((one) => !one.phone);
    return (
        <nav className={classes.foot} aria-label={t('nav.label')}>
            {screens.filter((one) => one.phone).map((one) => {
                const Icon = one.icon;
                return (
                    <NavLink key={one.path} to={to(one.path)} className={classes.footItem}>
                        <Icon size={20} stroke={1.75} aria-hidden />
                        {t(one.name)}
                    </NavLink>
                );
            })}
            <Menu position="top-end" width={220}>
                <Menu.Target>
                    <UnstyledButton className={classes.footItem}>
                        <IconDots size={20} stroke={1.75} aria-hidden />
                        {t('nav.more')}
                    </UnstyledButton>
                </Menu.Target>
                <Menu.Dropdown>
                    {rest.map((one) => {
                        const Icon = one.icon;
                        return (
                            <Menu.Item
                                key={one.path} onClick={() => navigate(to(one.path))}
                                leftSection={<Icon size={18} stroke={1.75} />}
                            >
                                {t(one.name)}
                            </Menu.Item>
                        );
                    })}
                </Menu.Dropdown>
            </Menu>
        </nav>
    );
}
