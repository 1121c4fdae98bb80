// Who is there: nobody yet (start), somebody signed out, or a teammate with workspaces.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Suspense, lazy, useEffect, useMemo } from 'react';
import { Navigate, Route, Routes, useLocation, useParams } from 'react-router';
import { createApi, door } from '../api/client.ts';
import { type Desk, DeskContext } from '../api/context.ts';
import type { Session } from '../api/contract.ts';
import { LiveStream } from '../api/live.ts';
import { Failed } from '../ui/states.tsx';
import { useWords } from '../ui/words.ts';
import { Shell } from './shell.tsx';

const Start = lazy(() => import('../account/start.tsx'));
const SignIn = lazy(() => import('../account/sign-in.tsx'));

export function Gate() {
    const session = useQuery({
        queryKey: ['session'], queryFn: ({ signal }) => door.session(signal), staleTime: Infinity,
    });
    if (session.isError && !session.data) {
        return <Failed error={session.error} onRetry={() => void session.refetch()} />;
    }
    if (!session.data) return null;
    return (
        <Suspense fallback={null}>
            <Doors session={session.data} />
        </Suspense>
    );
}

function Doors({ session }: { session: Session }) {
    const location = useLocation();
    const here = location.pathname + location.search;
    if (session.state === 'start') {
        return (
            <Routes>
                <Route path="/start" element={<Start />} />
                <Route path="*" element={<Navigate to="/start" replace />} />
            </Routes>
        );
    }
    if (session.state === 'signed_out') {
        const after = here.startsWith('/w/') ? `?next=${encodeURIComponent(here)}` : '';
        return (
            <Routes>
                <Route path="/sign-in" element={<SignIn />} />
                <Route path="*" element={<Navigate to={`/sign-in${after}`} replace />} />
            </Routes>
        );
    }
    const first = session.workspaces?.[0]?.id ?? 1;
    const next = new URLSearchParams(location.search).get('next') ?? '';
    const home = next.startsWith('/w/') ? next : `/w/${first}/home`;
    return (
        <Routes>
            <Route path="/start" element={<Start session={session} />} />
            <Route path="/w/:workspace/*" element={<Workspace session={session} />} />
            <Route path="*" element={<Navigate to={home} replace />} />
        </Routes>
    );
}

function Workspace({ session }: { session: Session }) {
    const { workspace: number } = useParams();
    const { language, setLanguage } = useWords();
    const queries = useQueryClient();
    const workspaces = session.workspaces ?? [];
    const workspace = workspaces.find((one) => String(one.id) === number);
    const csrf = session.csrf ?? '';
    const id = workspace?.id;
    const live = useMemo(() => new LiveStream(csrf, id ?? 0), [csrf, id]);
    useEffect(() => {
        if (id === undefined) return undefined;
        live.open();
        const stop = live.onResume(() => void queries.invalidateQueries());
        return () => {
            stop();
            live.close();
        };
    }, [live, id, queries]);
    const spoken = session.teammate?.language;
    useEffect(() => {
        if ((spoken === 'en' || spoken === 'ja') && spoken !== language) setLanguage(spoken);
        // Only when the teammate's own setting changes, not when the screen's does.
    }, [spoken]);
    const desk = useMemo<Desk | null>(() => (workspace && session.teammate
        ? {
            api: createApi(csrf, workspace.id), live, session, workspace, workspaces,
            teammate: session.teammate,
        }
        : null), [csrf, live, session, workspace, workspaces]);
    if (!desk) return <Navigate to={`/w/${workspaces[0]?.id ?? 1}/home`} replace />;
    return (
        <DeskContext value={desk}>
            <Shell key={desk.workspace.id} />
        </DeskContext>
    );
}
