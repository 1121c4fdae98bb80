// A small site of one page: routes by the history, titles set after drawing, a form that never
// leaves the page.
import { createElement as h, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

function useRoute() {
    const [path, setPath] = useState(window.location.pathname);
    useEffect(() => {
        const back = () => setPath(window.location.pathname);
        window.addEventListener('popstate', back);
        return () => window.removeEventListener('popstate', back);
    }, []);
    const go = (to) => {
        window.history.pushState({}, '', to);
        setPath(to);
    };
    return [path, go];
}

function Titled({ title, children }) {
    useEffect(() => {
        if (title) document.title = title;
    }, [title]);
    return h('main', null, children);
}

function App() {
    const [path, go] = useRoute();
    const [first, setFirst] = useState(true);
    const on = (to) => () => {
        setFirst(false);
        go(to);
    };
    if (path === '/apply') {
        return h(Titled, { title: 'Apply', key: 'apply' }, h('h1', null, 'Apply'),
            h('form', {
                id: 'apply',
                onSubmit: (event) => {
                    event.preventDefault();
                    on('/thanks')();
                },
            }, h('input', { name: 'plot', 'aria-label': 'Plot' }), h('button', null, 'Send')),
            h('button', { onClick: on('/') }, 'Leave'));
    }
    if (path === '/thanks') return h(Titled, { title: 'Thank you', key: 'thanks' }, 'Thank you');
    return h(Titled, { title: first ? '' : 'Welcome', key: 'home' }, h('h1', null, 'Welcome'),
        h('button', { onClick: on('/apply') }, 'Apply'));
}

createRoot(document.getElementById('root')).render(h(App));
