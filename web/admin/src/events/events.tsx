import { Button } from '@mantine/core';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { useDesk, useTo } from '../api/context.ts';
import { Page } from '../ui/page.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { useT } from '../ui/words.ts';
import { Received } from './received.tsx';
import { RefusedList } from './refused.tsx';
import { TestEvent } from './test-event.tsx';

export default function EventsScreen() {
    const t = useT();
    const to = useTo();
    const { workspace } = useDesk();
    const [address] = useSearchParams();
    const [tests, setTests] = useState(address.get('test') === 'yes');
    const tab = address.get('tab') ?? 'received';
    return (
        <Page
            title={t('events.title')} meta={t('events.lead')} screen={`events ${workspace.id}`}
            actions={<Button onClick={() => setTests(true)}>{t('events.test')}</Button>}
            tabs={(
                <Tabs
                    label={t('events.tabs')} value={tab}
                    tabs={[
                        { value: 'received', text: t('events.received') },
                        { value: 'refused', text: t('events.refused') },
                    ]}
                    toOf={(value) => to(value === 'received' ? '/events' : `/events?tab=${value}`)}
                />
            )}
        >
            {tab === 'refused' ? <RefusedList />
                : <Received onTest={() => setTests(true)} />}
            <TestEvent opened={tests} onClose={() => setTests(false)} />
        </Page>
    );
}
