// The frame of one screen: title, what can be done with it, the content. A change of screen moves
// the focus to the title and names the document.
import { type ReactNode, useEffect, useRef } from 'react';
import { useLocation } from 'react-router';
import classes from './page.module.css';

interface PageProps {
    title: string;
    shown?: ReactNode; // What stands in place of the title's text.
    screen?: string; // Screens of the same name keep the focus where it is.
    meta?: ReactNode;
    actions?: ReactNode;
    tabs?: ReactNode;
    wide?: boolean;
    children: ReactNode;
}

export function useTitle(title: string): void {
    useEffect(() => {
        document.title = title === '' ? 'Ripen' : `${title} · Ripen`;
    }, [title]);
}

export function Page(props: PageProps) {
    const heading = useRef<HTMLHeadingElement>(null);
    const location = useLocation();
    const screen = props.screen ?? location.pathname;
    const isFirst = location.key === 'default';
    const arrived = useRef(isFirst ? screen : '');
    useTitle(props.title);
    useEffect(() => {
        if (arrived.current === screen) return;
        arrived.current = screen;
        heading.current?.focus({ preventScroll: true });
        window.scrollTo(0, 0);
    }, [screen]);
    return (
        <div className={props.wide ? classes.wide : classes.page}>
            <header className={classes.header}>
                <div className={classes.titles}>
                    <h1 ref={heading} tabIndex={-1} className={classes.title}>
                        {props.shown ?? props.title}
                    </h1>
                    {props.meta && <div className={classes.meta}>{props.meta}</div>}
                </div>
                {props.actions && <div className={classes.actions}>{props.actions}</div>}
            </header>
            {props.tabs}
            {props.children}
        </div>
    );
}
