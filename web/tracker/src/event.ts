// What the tracker sends: events as the tracking API takes them (POST /v1/batch).

export type Properties = Record<string, unknown>;

export interface Page {
    path: string;
    url: string;
    referrer: string;
    search: string;
    title: string;
}

// The tags of a campaign, from the page's address: utm_source, utm_medium, utm_campaign,
// utm_term, utm_content.
export interface Campaign {
    source?: string;
    medium?: string;
    name?: string;
    term?: string;
    content?: string;
}

// What an event tells of the page it happened on. Fixed when the page is entered, so that what is
// told when it is left still speaks of the page that was.
export interface Scene {
    page: Page;
    campaign: Campaign | undefined;
    visit: { id: string; number: number };
}

// An event before the ids, the time and the surroundings are put on it.
export interface Draft {
    type: 'track' | 'page' | 'identify';
    event?: string;
    name?: string;
    properties?: Properties;
    traits?: Properties;
}

export interface TrackedEvent extends Draft {
    messageId: string;
    timestamp: string;   // ISO 8601, own time of the event.
    anonymousId: string;
    userId?: string;
    context: Properties;
}
