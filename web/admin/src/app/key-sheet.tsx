import { Modal, Switch } from '@mantine/core';
import { useState } from 'react';
import { keysAreOn, setKeys } from '../ui/keys.ts';
import { type Key, useT } from '../ui/words.ts';
import classes from './key-sheet.module.css';
import { screens } from './screens.ts';

const plain: { keys: string[]; name: Key }[] = [
    { keys: ['Ctrl', 'K'], name: 'keys.search' },
    { keys: ['?'], name: 'keys.sheet' },
    { keys: ['/'], name: 'keys.filter' },
    { keys: ['C'], name: 'keys.create' },
    { keys: ['E'], name: 'keys.edit' },
    { keys: ['J', 'K'], name: 'keys.rows' },
    { keys: ['Enter'], name: 'keys.open' },
    { keys: ['Esc'], name: 'keys.esc' },
    { keys: ['['], name: 'keys.fold' },
    { keys: ['Ctrl', 'S'], name: 'keys.save' },
    { keys: ['Ctrl', 'Enter'], name: 'keys.publish' },
    { keys: ['Ctrl', 'Z'], name: 'keys.undo' },
];

export default function KeySheet({ onClose }: { onClose: () => void }) {
    const t = useT();
    const [on, setOn] = useState(keysAreOn);
    return (
        <Modal
            opened onClose={onClose} title={t('keys.title')} size="lg"
            closeButtonProps={{ 'aria-label': t('act.close') }}
        >
            <dl className={classes.sheet}>
                {plain.map((one) => <Line key={one.name} keys={one.keys} text={t(one.name)} />)}
                {screens.filter((one) => one.key).map((one) => (
                    <Line
                        key={one.path} keys={['G', one.key!.toUpperCase()]}
                        text={t('keys.go', { name: t(one.name) })}
                    />
                ))}
            </dl>
            <Switch
                mt={16} checked={on} label={t('keys.on')}
                onChange={(event) => {
                    setKeys(event.currentTarget.checked);
                    setOn(event.currentTarget.checked);
                }}
            />
        </Modal>
    );
}

function Line({ keys, text }: { keys: string[]; text: string }) {
    return (
        <div className={classes.line}>
            <dt>{keys.map((key) => <kbd key={key} className={classes.kbd}>{key}</kbd>)}</dt>
            <dd>{text}</dd>
        </div>
    );
}
