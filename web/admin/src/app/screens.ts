// The screens of a workspace: address, name, icon, key, code. Each is fetched when it is first
// opened.
import {
    IconBolt, IconBroadcast, IconFilter, IconHome, IconMail, IconRoute, IconSettings, IconUsers,
    type TablerIcon,
} from '@tabler/icons-react';
import { type ComponentType, lazy } from 'react';
import type { Key } from '../ui/words.ts';

export interface Screen {
    path: string;
    name: Key;
    icon: TablerIcon;
    key?: string; // Pressed after "g".
    group: 'top' | 'people' | 'engage' | 'system';
    phone?: boolean; // Stands in the bottom bar.
}

export const screens: Screen[] = [
    { path: '/home', name: 'nav.home', icon: IconHome, key: 'h', group: 'top', phone: true },
    { path: '/live', name: 'nav.live', icon: IconBroadcast, key: 'l', group: 'top', phone: true },
    {
        path: '/people', name: 'nav.people', icon: IconUsers, key: 'p', group: 'people',
        phone: true,
    },
    { path: '/segments', name: 'nav.segments', icon: IconFilter, key: 's', group: 'people' },
    { path: '/journeys', name: 'nav.journeys', icon: IconRoute, key: 'j', group: 'engage' },
    {
        path: '/mailbox', name: 'nav.mailbox', icon: IconMail, key: 'm', group: 'engage',
        phone: true,
    },
    { path: '/events', name: 'nav.events', icon: IconBolt, key: 'e', group: 'system' },
    { path: '/settings', name: 'nav.settings', icon: IconSettings, group: 'system' },
];

const fetched = {
    home: () => import('../home/home.tsx'),
    live: () => import('../live/live.tsx'),
    people: () => import('../people/people.tsx'),
    person: () => import('../people/person.tsx'),
    segments: () => import('../segments/segments.tsx'),
    segment: () => import('../segments/segment.tsx'),
    builder: () => import('../segments/builder.tsx'),
    journeys: () => import('../journeys/journeys.tsx'),
    journey: () => import('../journeys/journey.tsx'),
    mailbox: () => import('../mailbox/mailbox.tsx'),
    events: () => import('../events/events.tsx'),
    settings: () => import('../settings/settings.tsx'),
};

export interface ScreenRoute {
    path: string;
    element: ComponentType;
}

export const routes: ScreenRoute[] = [
    { path: 'home', element: lazy(fetched.home) },
    { path: 'live', element: lazy(fetched.live) },
    { path: 'people', element: lazy(fetched.people) },
    { path: 'people/:id', element: lazy(fetched.person) },
    { path: 'people/:id/:tab', element: lazy(fetched.person) },
    { path: 'segments', element: lazy(fetched.segments) },
    { path: 'segments/new', element: lazy(fetched.builder) },
    { path: 'segments/:id', element: lazy(fetched.segment) },
    { path: 'segments/:id/edit', element: lazy(fetched.builder) },
    { path: 'journeys', element: lazy(fetched.journeys) },
    { path: 'journeys/:id', element: lazy(fetched.journey) },
    { path: 'mailbox', element: lazy(fetched.mailbox) },
    { path: 'mailbox/:id', element: lazy(fetched.mailbox) },
    { path: 'events', element: lazy(fetched.events) },
    { path: 'settings', element: lazy(fetched.settings) },
    { path: 'settings/:part', element: lazy(fetched.settings) },
];

// Fetches the code of a screen before it is asked for: when a pointer or the focus rests on its
// link.
export function fetchScreen(path: string): void {
    const name = path.split('/')[1] as keyof typeof fetched | undefined;
    if (name && name in fetched) void fetched[name]();
}
