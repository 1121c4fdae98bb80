import { RudderAnalytics } from '@rudderstack/analytics-js/bundled';

window.send = async ({ url, key, user, events }) => {
    const client = new RudderAnalytics();
    client.load(key, url, { configUrl: url });
    await new Promise((loaded) => client.ready(loaded));
    client.page('Home', { section: 'a' });
    client.identify(user, { plan: 'pro' });
    for (let n = 0; n < events; ++n) client.track('Step', { n });
};
