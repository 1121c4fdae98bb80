import { jitsuAnalytics } from '@jitsu/js';

// Never repeats anything itself; what is repeated here is its own request.
async function again(target, request) {
    for (let left = 30; ; --left) {
        try {
            const answer = await fetch(target, request);
            if (answer.ok || left === 0) return answer;
        } catch (error) {
            if (left === 0) throw error;
        }
        await new Promise((done) => setTimeout(done, 50));
    }
}

window.send = async ({ url, key, user, events }) => {
    const client = jitsuAnalytics({ host: url, writeKey: `id:${key}`, fetch: again });
    await client.page('Home', { section: 'a' });
    await client.identify(user, { plan: 'pro' });
    for (let n = 0; n < events; ++n) await client.track('Step', { n });
};
