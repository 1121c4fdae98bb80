// Tabs whose place is the address: links, one of them current.
import { Link } from 'react-router';
import classes from './tabs.module.css';

export interface Tab {
    value: string;
    text: string;
    phone?: boolean; // Only below 768 px.
}

export function Tabs({ label, value, tabs, toOf }: {
    label: string; value: string; tabs: Tab[]; toOf: (value: string) => string;
}) {
    return (
        <nav className={classes.tabs} aria-label={label}>
            {tabs.map((tab) => (
                <Link
                    key={tab.value} to={toOf(tab.value)} className={classes.tab}
                    data-phone={tab.phone} replace
                    aria-current={tab.value === value ? 'page' : undefined}
                >
                    {tab.text}
                </Link>
            ))}
        </nav>
    );
}
