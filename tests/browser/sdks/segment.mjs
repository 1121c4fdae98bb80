import { AnalyticsBrowser } from '@segment/analytics-next';

window.send = async ({ url, key, user, events }) => {
    const client = AnalyticsBrowser.load({ writeKey: key, cdnURL: url }, {
        integrations: {
            'Segment.io': { apiHost: `${url.slice('http://'.length)}/v1`, protocol: 'http' },
        },
    });
    await client.page('Home', { section: 'a' });
    await client.identify(user, { plan: 'pro' });
    for (let n = 0; n < events; ++n) await client.track('Step', { n });
};
