import { Menu } from '@mantine/core';
import type { ReactElement } from 'react';
import type { Step } from '../api/contract.ts';
import { useT } from '../ui/words.ts';
import { icons } from './describe.tsx';

const types: Step['type'][] = ['wait', 'branch', 'letter', 'exit'];

export function AddMenu({ onAdd, children }: {
    onAdd: (type: Step['type']) => void; children: ReactElement;
}) {
    const t = useT();
    return (
        <Menu position="bottom" width={180}>
            <Menu.Target>{children}</Menu.Target>
            <Menu.Dropdown>
                {types.map((type) => {
                    const Icon = icons[type];
                    return (
                        <Menu.Item key={type} onClick={() => onAdd(type)}
                            leftSection={<Icon size={18} stroke={1.75} />}>
                            {t(`journey.add.${type}`)}
                        </Menu.Item>
                    );
                })}
            </Menu.Dropdown>
        </Menu>
    );
}
