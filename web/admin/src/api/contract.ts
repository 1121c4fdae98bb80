// Shapes of the HTTP API that the screens read. What openapi.yaml describes is taken from the
// generated file; the rest stands here until it is described there.
import type { components } from './schema';

type Schemas = components['schemas'];

export type Segment = Pick<
    Schemas['Segment'],
    'id' | 'name' | 'version' | 'condition' | 'created' | 'state' | 'progress' | 'count'
> & { condition_tree: Condition };
export type Journey = Omit<Schemas['Journey'], 'definition'> & { definition: JourneyDefinition };
export type Message = Schemas['Message'] & {
    opened?: string | null;
    clicked?: string | null;
    created?: string;
};
export type Letter = Schemas['Letter'];
export type Refused = Schemas['RefusedEvent'];
export type Sender = Schemas['Sender'];
export type ErrorBody = Schemas['Error'];

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type Properties = { [key: string]: Json };

export interface Workspace {
    id: number;
    name: string;
    demo: boolean;
}

export interface Teammate {
    id: string;
    name: string;
    email: string;
    language: string | null;
}

export interface Session {
    state: 'start' | 'signed_out' | 'signed_in';
    version: string;
    insecure: boolean;
    public_url: string;
    sandbox_url: string;
    teammate?: Teammate;
    workspaces?: Workspace[];
    csrf?: string;
}

export interface OpenSession {
    id: string;
    created: string;
    last_used: string;
    address: string;
    agent: string;
    current: boolean;
}

export interface Key {
    id: string;
    kind: 'write' | 'secret';
    name: string;
    scopes: string[];
    created: string | null;
    last_used: string | null;
    text: string | null;
}

export interface NewWorkspace extends Workspace {
    write_key: string;
    secret_key: string;
}

export interface WorkspaceFacts {
    id: number;
    name: string;
    now: string;
    clock: 'system' | 'simulated';
    letters: 'mailbox' | 'smtp';
}

export interface Day {
    day: string;
    events: number;
    visitors: number;
    new_persons: number;
    letters: number;
}

export interface Home {
    persons: number;
    known: number;
    on_site: number;
    events_24h: number;
    letters: { waiting: number; sent_7d: number; opened_7d: number; clicked_7d: number };
    segments: { id: string; name: string; count: number }[];
    journeys: { id: string; name: string; in_it: number; sent: number; goal: number }[];
    days: Day[];
    checklist: {
        first_event: boolean;
        identified: boolean;
        segment: boolean;
        journey: boolean;
    };
}

export interface RecentEvent {
    id: string;
    time: string;
    received: string;
    name: string;
    type: string;
    person_id: string | null;
    user_id: string | null;
    anonymous_id: string | null;
    source: Json;
    properties: Properties;
}

export interface Touch {
    time: string;
    kind?: string;
    source?: string;
    medium?: string;
    campaign?: string;
    term?: string;
    content?: string;
    referrer?: string;
}

export interface PersonJourney {
    id: string;
    name: string;
    entry: string;
    version: number;
    entered: string;
    key?: string;
    state: 'open' | 'finished' | 'goal' | 'exit' | 'merged' | 'stopped';
    ended?: string;
    waits_until?: string;
}

export interface Person {
    id: string;
    user_ids: string[];
    emails: string[];
    anonymous_ids: string[];
    attributes: Properties;
    segments: { id: string; name: string; since: string }[];
    journeys: PersonJourney[];
    first_touch: Touch | null;
    last_touch: Touch | null;
    visits: number;
    events: number;
    first_seen: string;
    last_seen: string;
    trusted: boolean;
    unsubscribed: string | null;
    merged: string[];
}

export interface PersonPage {
    persons: Person[];
    next_cursor: string | null;
    total: number;
}

export interface TimelineEvent {
    id: string;
    time: string;
    name: string;
    kind?: string;
    properties?: Properties;
    source?: Properties;
}

export interface Timeline {
    events: TimelineEvent[];
    next_cursor: string | null;
}

export interface Preview {
    count: number;
    sample: Person[];
    took_ms: number;
}

// ---- conditions: the tree of src/language/condition/json_form.h
// ----------------------------------

export type Literal = string | number | boolean;
export type Subject =
    | { attribute: string }
    | { first_touch: string }
    | { last_touch: string }
    | { property: string };
export interface Comparison {
    op: string;
    value?: Literal;
    values?: Literal[];
    span?: string;
}
export interface Window {
    within?: string;
    since_entry?: boolean;
}
export interface Did extends Window {
    did: string;
    where?: Condition;
    at_least?: number;
    at_most?: number;
}
export interface Seen {
    first?: string;
    last?: string;
    where?: Condition;
    op: string;
    span?: string;
    date?: string;
}
export interface Total extends Window {
    sum?: string;
    avg?: string;
    max?: string;
    min?: string;
    of: string;
    where?: Condition;
    op: string;
    value?: number;
    values?: number[];
}
export type Condition =
    | { everyone: true }
    | { and: Condition[] }
    | { or: Condition[] }
    | { not: Condition }
    | { segment: string }
    | (Subject & Comparison)
    | Did
    | Seen
    | Total;

export interface ConditionForms {
    text: string;
    tree: Condition;
}

export interface Names {
    events: { name: string; count: number }[];
    attributes: { name: string; type: string }[];
    properties: { event: string; name: string; type: string }[];
}

// ---- journeys
// ------------------------------------------------------------------------------------

export interface EventEntry {
    event: string;
    where?: string;
    key?: string;
    again?: 'once' | 'every_time' | 'once_per_key';
}
export interface SegmentEntry {
    segment: string;
    on?: 'enter' | 'leave';
    again?: 'once' | 'every_time';
}
export type Entry = EventEntry | SegmentEntry;

export interface WaitStep {
    id: string;
    type: 'wait';
    for: string;
}
export interface BranchStep {
    id: string;
    type: 'branch';
    if: string;
    then: Step[];
    else: Step[];
}
export interface LetterStep {
    id: string;
    type: 'letter';
    subject: string;
    text?: string;
    html?: string;
    from?: string;
    reply_to?: string;
}
export interface ExitStep {
    id: string;
    type: 'exit';
}
export type Step = WaitStep | BranchStep | LetterStep | ExitStep;

export interface JourneyDefinition {
    name: string;
    entry: Entry;
    goal?: string;
    exit?: string;
    steps: Step[];
}

// ---- live stream
// ---------------------------------------------------------------------------------

export interface JourneyCounts {
    in_it: number;
    sent: number;
    goal: number;
}
export interface Counts {
    persons: number;
    on_site: number;
    events_total: number;
    segments: Record<string, number>;
    journeys: Record<string, JourneyCounts>;
}
export interface Visitor {
    person_id: string;
    name: string | null;
    page: string;
    since: string;
    seen: string;
    country: string | null;
    city: string | null;
    source: string | null;
}
export type Frame =
    | { hello: { now: string } }
    | { topic: 'counts'; data: Counts }
    | { topic: 'person'; id: string; data: { changed: boolean } }
    | { topic: 'events'; data: RecentEvent[]; skipped: number }
    | { topic: 'visitors'; data: Visitor[] };
