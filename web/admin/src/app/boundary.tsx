import { Button } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { Empty } from '../ui/states.tsx';
import { useT } from '../ui/words.ts';

// A screen that breaks says so in its place; the frame around it goes on. Another address tries
// anew.
export class Boundary extends Component<{ children: ReactNode; address?: string }> {
    override state: { broken: boolean; address: string | undefined } =
        { broken: false, address: undefined };

    static getDerivedStateFromError() {
        return { broken: true };
    }

    static getDerivedStateFromProps(
        props: { address?: string }, state: { broken: boolean; address: string | undefined },
    ) {
        return props.address === state.address
            ? null : { broken: false, address: props.address };
    }

    override render() {
        return this.state.broken ? <Broken /> : this.props.children;
    }
}

function Broken() {
    const t = useT();
    return (
        <div role="alert">
            <Empty
                text={t('error.boundary')}
                action={<Button onClick={() => location.reload()}>{t('error.reload')}</Button>}
            />
        </div>
    );
}
