import posthog from 'posthog-js';

window.send = async ({ url, key, user, events }) => {
    await new Promise((loaded) => posthog.init(key, {
        api_host: url, autocapture: false, capture_pageview: true, loaded,
        opt_out_useragent_filter: true,
    }));
    posthog.identify(user, { plan: 'pro' });
    for (let n = 0; n < events; ++n) posthog.capture('Step', { n });
};
