// The real SDKs from npm, only their address changed, through a storm of 429, 5xx and broken
// connections: every event is stored once, on the card of its person.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';

import { FaultProxy, SQUALLS, STORM } from './fault_proxy.mjs';
import { freshServer, pause, until } from './ripen.mjs';

const require = createRequire(import.meta.url);
const EVENTS = 40;
const RETRIES = 30;
const RETRY_MS = 20;

// What each SDK is asked to do: an identify and EVENTS numbered tracks of one person.
const CLIENTS = {
    '@segment/analytics-node': async ({ Analytics }, { url, keys, user }) => {
        const client = new Analytics({
            writeKey: keys.write_key, host: url, path: '/v1/batch', flushAt: 5, flushInterval: 50,
            maxRetries: RETRIES,
        });
        client.identify({ userId: user, traits: { plan: 'pro' } });
        for (let n = 0; n < EVENTS; ++n) {
            client.track({ userId: user, event: 'Step', properties: { n } });
        }
        await client.closeAndFlush({ timeout: 60_000 });
    },
    'analytics-node': async (Analytics, { url, keys, user }) => {
        const client = new Analytics(keys.write_key, {
            host: url, path: '/v1/batch', flushAt: 5, flushInterval: 50, retryCount: RETRIES,
            axiosRetryConfig: { retries: RETRIES, retryDelay: () => RETRY_MS },
        });
        client.identify({ userId: user, traits: { plan: 'pro' } });
        for (let n = 0; n < EVENTS; ++n) {
            client.track({ userId: user, event: 'Step', properties: { n } });
        }
        await client.flush();
    },
    '@customerio/cdp-analytics-node': async ({ Analytics }, { url, keys, user }) => {
        const client = new Analytics({
            writeKey: keys.write_key, host: url, path: '/v1/batch', maxEventsInBatch: 5,
            flushInterval: 50, maxRetries: RETRIES,
        });
        client.identify({ userId: user, traits: { plan: 'pro' } });
        for (let n = 0; n < EVENTS; ++n) {
            client.track({ userId: user, event: 'Step', properties: { n } });
        }
        await client.closeAndFlush({ timeout: 60_000 });
    },
    '@rudderstack/rudder-sdk-node': async (Rudder, { url, keys, user }) => {
        const Analytics = Rudder.default ?? Rudder;
        const client = new Analytics(keys.write_key, {
            dataPlaneUrl: url, flushAt: 5, flushInterval: 50, logLevel: 'none',
            retryCount: RETRIES,
            axiosRetryConfig: { retries: RETRIES, retryDelay: () => RETRY_MS },
        });
        client.identify({ userId: user, traits: { plan: 'pro' } });
        for (let n = 0; n < EVENTS; ++n) {
            client.track({ userId: user, event: 'Step', properties: { n } });
        }
        await client.flush();
    },
    'posthog-node': async ({ PostHog }, { url, keys, user }) => {
        const client = new PostHog(keys.write_key, {
            host: url, flushAt: 5, maxBatchSize: 5, flushInterval: 50, fetchRetryCount: RETRIES,
            fetchRetryDelay: RETRY_MS,
        });
        client.identify({ distinctId: user, properties: { $set: { plan: 'pro' } } });
        for (let n = 0; n < EVENTS; ++n) {
            client.capture({ distinctId: user, event: 'Step', properties: { n } });
        }
        await client.shutdown(60_000);
    },
    // Never repeats anything itself; what is repeated here is its own request.
    '@jitsu/js': async ({ jitsuAnalytics }, { url, keys, user }) => {
        const client = jitsuAnalytics({
            host: url, writeKey: `id:${keys.write_key}`, s2s: true,
            fetch: (target, request) => again(async () => {
                const answer = await fetch(target, request);
                if (!answer.ok) throw new Error(`status ${answer.status}`);
                return answer;
            }),
        });
        await client.identify(user, { plan: 'pro' });
        for (let n = 0; n < EVENTS; ++n) await client.track('Step', { n, userId: user });
    },
    // The same; it gives its messageIds from outside, and a failed batch is given to it again.
    '@dittofeed/sdk-node': async ({ DittofeedSdk }, { url, keys, user }) => {
        await DittofeedSdk.init({
            writeKey: `Basic ${Buffer.from(`${keys.write_key}:`).toString('base64')}`, host: url,
        });
        const batch = (submit) => again(async () => {
            submit();
            await DittofeedSdk.flush();
        });
        await batch(() => DittofeedSdk.identify({
            messageId: `${user}-who`, userId: user, traits: { plan: 'pro' },
        }));
        for (let n = 0; n < EVENTS; n += 4) {
            await batch(() => {
                for (let i = n; i < n + 4; ++i) {
                    DittofeedSdk.track({
                        messageId: `${user}-${i}`, userId: user, event: 'Step',
                        properties: { n: i },
                    });
                }
            });
        }
    },
};

async function again(attempt) {
    for (let left = RETRIES; ; --left) {
        try {
            return await attempt();
        } catch (error) {
            if (left === 0) throw error;
            await pause(RETRY_MS);
        }
    }
}

test('every event of the real SDKs is stored once, whatever the network does',
    { concurrency: true }, async (t) => {
    const server = await freshServer(t);
    await Promise.all(Object.entries(CLIENTS).map(([name, send]) =>
        t.test(name, async () => {
            const storm = name === '@segment/analytics-node' ? SQUALLS : STORM;
            // The older clients go on repeating after their flush() has answered: the proxy stays
            // until all clients are done.
            const proxy = await FaultProxy.start(t, server.url, storm);
            const user = `user of ${name}`;
            await send(require(name), { url: proxy.url, keys: server.keys, user });
            const numbers = await until(`${EVENTS} events on the card`, async () => {
                const person = await server.lookup('user_id', user);
                if (!person) return null;
                const events = await server.all(`persons/${person.id}/timeline`, 'events');
                const found = events.filter((event) => event.name === 'Step')
                    .map((event) => event.properties.n).sort((a, b) => a - b);
                return found.length >= EVENTS ? found : null;
            });
            assert.deepEqual(numbers, [...Array(EVENTS).keys()]);
            const person = await server.lookup('user_id', user);
            assert.equal(person.attributes.plan, 'pro');
            assert.deepEqual(person.user_ids, [user]);
            // The storm was real: something went through twice, and something never did.
            assert.ok([...proxy.passed.values()].some((times) => times > 1), 'nothing repeated');
            for (const fault of ['lost answer', 'lost request', 429, 500, 503]) {
                assert.ok(proxy.counts[fault] > 0, `${fault} never happened`);
            }
            assert.equal(proxy.passed.size, EVENTS + 1);
        })));
    // What came twice was folded away, not only hidden.
    await until('no event is counted twice', async () => {
        const preview = await server.api('POST', 'segments/preview',
            { condition: `did "Step" exactly ${EVENTS} times` });
        return preview.count === Object.keys(CLIENTS).length;
    });
});
