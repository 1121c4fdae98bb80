import { Button } from '@mantine/core';
import { Link } from 'react-router';
import { useTo } from '../api/context.ts';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';

export function NoScreen() {
    const t = useT();
    const to = useTo();
    return (
        <Page title={t('error.noPage')}>
            <Empty
                text={t('error.noPageText')}
                action={<Button component={Link} to={to('/home')}>{t('error.home')}</Button>}
            />
        </Page>
    );
}
