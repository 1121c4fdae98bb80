// Where an address says it was found: its UTM tags. Click ids (gclid and the like) stay in the
// address, where the server reads them.
import type { Campaign } from './event.ts';

const TAGS = { source: 'source', medium: 'medium', campaign: 'name', term: 'term',
    content: 'content' } as const;

export function readCampaign(search: string): Campaign | undefined {
    const query = new URLSearchParams(search);
    const campaign: Campaign = {};
    for (const tag of Object.keys(TAGS) as (keyof typeof TAGS)[]) {
        const value = query.get('utm_' + tag);
        if (value) campaign[TAGS[tag]] = value;
    }
    return Object.keys(campaign).length ? campaign : undefined;
}
