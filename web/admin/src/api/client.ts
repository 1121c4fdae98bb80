// The HTTP API as functions. A client is made of a session and holds no state of its own; what
// fails is thrown as an ApiError whose code chooses the text on the screen.
import type {
    Condition, ConditionForms, ErrorBody, Home, Journey, JourneyDefinition, Key, Letter, Message,
    Names, NewWorkspace, OpenSession, Person, PersonPage, Preview, Properties, RecentEvent,
    Refused, Segment, Sender, Session, Timeline, WorkspaceFacts,
} from './contract.ts';

export class ApiError extends Error {
    readonly status: number;
    readonly code: string;
    readonly at: string;
    readonly requestId: string;
    readonly retryAfterS: number;

    constructor(status: number, code: string, message: string, more: Partial<ApiError> = {}) {
        super(message);
        this.status = status;
        this.code = code;
        this.at = more.at ?? '';
        this.requestId = more.requestId ?? '';
        this.retryAfterS = more.retryAfterS ?? 0;
    }
}

type Query = Record<string, string | number | undefined | null>;

export interface Ask {
    query?: Query;
    body?: unknown;
    signal?: AbortSignal | undefined;
    headers?: Record<string, string>;
}

export interface Page {
    cursor?: string | null;
    limit?: number;
}

async function failure(answer: Response): Promise<ApiError> {
    const more = {
        requestId: answer.headers.get('x-request-id') ?? '',
        retryAfterS: Number(answer.headers.get('retry-after') ?? 0),
    };
    try {
        const { error } = (await answer.json()) as ErrorBody;
        const at = error.at ?? '';
        return new ApiError(answer.status, error.code, error.message, { ...more, at });
    } catch {
        return new ApiError(answer.status, 'internal', '', more);
    }
}

export function path(route: string, query: Query = {}): string {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
        if (value !== undefined && value !== null && value !== '') {
            parameters.set(name, String(value));
        }
    }
    const text = parameters.toString();
    return text === '' ? route : `${route}?${text}`;
}

export async function request<T>(
    headers: Record<string, string>, method: string, route: string, ask: Ask = {},
): Promise<T> {
    let answer: Response;
    try {
        answer = await fetch(path(route, ask.query), {
            method,
            headers: {
                accept: 'application/json',
                ...headers,
                ...ask.headers,
                ...(ask.body === undefined ? {} : { 'content-type': 'application/json' }),
            },
            ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
            ...(ask.signal ? { signal: ask.signal } : {}),
        });
    } catch (cause) {
        if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
        throw new ApiError(0, 'offline', '');
    }
    if (!answer.ok) throw await failure(answer);
    if (answer.status === 204) return undefined as T;
    return (await answer.json()) as T;
}

// What stands outside of a workspace and needs no session.
export const door = {
    session: (signal?: AbortSignal) =>
        request<Session>({}, 'GET', '/api/v1/session', { signal }),
    start: (body: { name: string; email: string; password: string; language: string }) =>
        request<Session>({}, 'POST', '/api/v1/start', { body }),
    signIn: (body: { email: string; password: string }) =>
        request<Session>({}, 'POST', '/api/v1/session', { body }),
};

export function createApi(csrf: string, workspace: number) {
    const reading = { 'x-ripen-workspace': String(workspace) };
    const writing = { ...reading, 'x-ripen-csrf': csrf };
    const get = <T>(route: string, query?: Query, signal?: AbortSignal) =>
        request<T>(reading, 'GET', route, { ...(query ? { query } : {}), signal });
    const send = <T>(method: string, route: string, ask: Ask = {}) =>
        request<T>(writing, method, `/api/v1/${route}`, ask);
    return {
        workspace: (signal?: AbortSignal) =>
            get<WorkspaceFacts>('/api/v1/workspace', {}, signal),
        home: (signal?: AbortSignal) => get<Home>('/api/v1/home', {}, signal),
        signOut: () => send<void>('DELETE', 'session'),
        changeTeammate: (body: { name?: string; language?: string }) =>
            send<Session>('PATCH', 'session', { body }),
        sessions: (signal?: AbortSignal) =>
            get<{ sessions: OpenSession[] }>('/api/v1/sessions', {}, signal),
        endSession: (id: string) => send<void>('DELETE', `sessions/${id}`),
        changePassword: (body: { old: string; new: string }) =>
            send<void>('POST', 'password', { body }),

        keys: (signal?: AbortSignal) => get<{ keys: Key[] }>('/api/v1/keys', {}, signal),
        createKey: (body: { name: string; kind: 'write' | 'secret'; scopes?: string[] }) =>
            send<Key>('POST', 'keys', { body }),
        revokeKey: (id: string) => send<void>('DELETE', `keys/${id}`),
        createWorkspace: (name: string) =>
            send<NewWorkspace>('POST', 'workspaces', { body: { name } }),
        renameWorkspace: (id: number, name: string) =>
            send<void>('PATCH', `workspaces/${id}`, { body: { name } }),
        deleteWorkspace: (id: number) => send<void>('DELETE', `workspaces/${id}`),
        sender: (signal?: AbortSignal) => get<Sender>('/api/v1/settings/sender', {}, signal),
        saveSender: (body: Sender) => send<Sender>('PUT', 'settings/sender', { body }),

        persons: (
            ask: { condition?: string; sort?: string } & Page, signal?: AbortSignal,
        ) => get<PersonPage>('/api/v1/persons', { ...ask }, signal),
        lookup: (id: { user_id?: string; email?: string; anonymous_id?: string },
            signal?: AbortSignal) => get<Person>('/api/v1/persons/lookup', id, signal),
        person: (id: string, signal?: AbortSignal) =>
            get<Person>(`/api/v1/persons/${id}`, {}, signal),
        timeline: (id: string, page: Page, signal?: AbortSignal) =>
            get<Timeline>(`/api/v1/persons/${id}/timeline`, { ...page }, signal),
        messages: (ask: { person_id?: string; journey_id?: string } & Page,
            signal?: AbortSignal) =>
            get<{ messages: Message[]; next_cursor: string | null }>(
                '/api/v1/messages', { ...ask }, signal),

        segments: (page: Page = {}, signal?: AbortSignal) =>
            get<{ segments: Segment[]; next_cursor: string | null }>(
                '/api/v1/segments', { limit: 500, ...page }, signal),
        segment: (id: string, signal?: AbortSignal) =>
            get<Segment>(`/api/v1/segments/${id}`, {}, signal),
        segmentPersons: (id: string, page: Page, signal?: AbortSignal) =>
            get<PersonPage>(`/api/v1/segments/${id}/persons`, { ...page }, signal),
        createSegment: (body: { name: string; condition: string }) =>
            send<Segment>('POST', 'segments', { body }),
        saveSegment: (
            id: string, version: number, body: { name: string; condition: string },
        ) => send<Segment>('PUT', `segments/${id}`, { query: { version }, body }),
        deleteSegment: (id: string) => send<void>('DELETE', `segments/${id}`),
        preview: (condition: string | Condition, signal?: AbortSignal, asOf?: string) =>
            send<Preview>('POST', 'segments/preview', {
                signal, body: asOf ? { condition, as_of: asOf } : { condition },
            }),
        // A condition as text and as tree: whichever is given, both come back.
        condition: (form: { text: string } | { tree: Condition }, signal?: AbortSignal) =>
            send<ConditionForms>('POST', 'conditions', { signal, body: form }),
        names: (signal?: AbortSignal) => get<Names>('/api/v1/names', {}, signal),

        journeys: (page: Page = {}, signal?: AbortSignal) =>
            get<{ journeys: Journey[]; next_cursor: string | null }>(
                '/api/v1/journeys', { limit: 500, ...page }, signal),
        journey: (id: string, signal?: AbortSignal) =>
            get<Journey>(`/api/v1/journeys/${id}`, {}, signal),
        createJourney: (body: JourneyDefinition) => send<Journey>('POST', 'journeys', { body }),
        saveJourney: (id: string, version: number, body: JourneyDefinition) =>
            send<Journey>('PUT', `journeys/${id}`, { query: { version }, body }),
        publishJourney: (id: string) => send<Journey>('POST', `journeys/${id}/publish`),
        stopJourney: (id: string) => send<Journey>('POST', `journeys/${id}/stop`),

        letters: (page: Page = {}, signal?: AbortSignal) =>
            get<{ letters: Letter[]; next_cursor: string | null }>(
                '/api/v1/mailbox', { ...page }, signal),
        letter: (id: string, signal?: AbortSignal) =>
            get<Letter>(`/api/v1/mailbox/${encodeURIComponent(id)}`, {}, signal),

        recentEvents: (limit: number, signal?: AbortSignal) =>
            get<{ events: RecentEvent[] }>('/api/v1/events/recent', { limit }, signal),
        refused: (page: Page, signal?: AbortSignal) =>
            get<{ refused: Refused[]; next_cursor: string | null }>(
                '/api/v1/refused', { ...page }, signal),
        // The tracking API itself, as any client would call it: with a write key.
        track: (writeKey: string, event: string, userId: string, properties: Properties) =>
            request<{ success?: boolean }>({}, 'POST', '/v1/track', {
                headers: { authorization: `Basic ${btoa(`${writeKey}:`)}` },
                body: { event, userId, properties },
            }),
    };
}

export type Api = ReturnType<typeof createApi>;
