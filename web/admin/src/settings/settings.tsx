import { useParams } from 'react-router';
import { useTo } from '../api/context.ts';
import { Page } from '../ui/page.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { useT } from '../ui/words.ts';
import { AccountPart } from './account.tsx';
import { KeysPart } from './keys.tsx';
import { SenderPart } from './sender.tsx';
import classes from './settings.module.css';
import { SitePart } from './site.tsx';
import { WorkspacePart } from './workspace.tsx';

export default function SettingsScreen() {
    const t = useT();
    const to = useTo();
    const { part = 'site' } = useParams();
    const parts = [
        { value: 'site', text: t('settings.site') },
        { value: 'workspace', text: t('settings.workspace') },
        { value: 'senders', text: t('settings.senders') },
        { value: 'keys', text: t('settings.keys') },
        { value: 'account', text: t('settings.account') },
    ];
    const current = parts.find((one) => one.value === part) ?? parts[0]!;
    return (
        <Page
            title={t('settings.title')} screen="settings"
            tabs={(
                <Tabs
                    label={t('settings.parts')} value={current.value} tabs={parts}
                    toOf={(value) => to(`/settings/${value}`)}
                />
            )}
        >
            <div className={classes.part}>
                {current.value === 'site' && <SitePart />}
                {current.value === 'workspace' && <WorkspacePart />}
                {current.value === 'senders' && <SenderPart />}
                {current.value === 'keys' && <KeysPart />}
                {current.value === 'account' && <AccountPart />}
            </div>
        </Page>
    );
}
