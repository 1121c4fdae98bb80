import assert from 'node:assert/strict';
import test from 'node:test';

import { createDelivery, PAUSE_MAX_MS, PAUSE_MS, type Answer } from './delivery.ts';
import { createOutbox } from './outbox.ts';
import { FakeClock, FakeWire, makeEvent, memoryStore } from './testing.ts';

function open(store = memoryStore()) {
    const clock = new FakeClock();
    const wire = new FakeWire(clock.now);
    const outbox = createOutbox(store, 'pk_1');
    const delivery = createDelivery(outbox, store, wire, clock);
    const add = (id: string): void => {
        outbox.add(makeEvent(id, clock.now()));
        delivery.soon();
    };
    return { clock, wire, outbox, delivery, add, store };
}

const answer = (status: number, retryAfterS = 0): Answer => ({ status, retryAfterS });

test('events of one moment travel together', async () => {
    const { wire, clock, add, outbox } = open();
    add('m1');
    add('m2');
    await clock.forward(20);
    assert.deepEqual(wire.posts.map((post) => post.ids), [['m1', 'm2']]);
    assert.equal(outbox.next(clock.now()), null);
});

test('an unbroken stream of events does not put the sending off', async () => {
    const { wire, clock, add } = open();
    for (let n = 0; n < 10; ++n) {
        add(`m${n}`);
        await clock.forward(10);
    }
    assert.ok(wire.posts.length >= 4);
});

for (const failure of [null, 408, 410, 425, 429, 460, 500, 502, 503, 504]) {
    test(`${failure ?? 'no answer'} is tried again with the same ids`, async () => {
        const { wire, clock, add } = open();
        wire.answers = [failure === null ? null : answer(failure)];
        add('m1');
        await clock.forward(20 + PAUSE_MS);
        assert.deepEqual(wire.posts.map((post) => post.ids), [['m1'], ['m1']]);
    });
}

for (const status of [200, 204, 400, 401, 403, 404, 413, 501, 505]) {
    test(`${status} settles it`, async () => {
        const { wire, clock, add, outbox } = open();
        wire.answers = [answer(status)];
        add('m1');
        await clock.forward(60_000);
        assert.equal(wire.posts.length, 1);
        assert.equal(outbox.next(clock.now()), null);
    });
}

test('pauses double up to five minutes', async () => {
    const { wire, clock, add } = open();
    wire.answers = Array.from({ length: 14 }, () => null);
    add('m1');
    await clock.forward(2 * 60 * 60 * 1000);
    const gaps = wire.posts.slice(1).map((post, n) => post.at - wire.posts[n]!.at);
    assert.deepEqual(gaps.slice(0, 4), [PAUSE_MS, 2 * PAUSE_MS, 4 * PAUSE_MS, 8 * PAUSE_MS]);
    assert.equal(Math.max(...gaps), PAUSE_MAX_MS);
    assert.equal(wire.posts.length, 15);
});

test('Retry-After is waited for, by events that come later too', async () => {
    const { wire, clock, add } = open();
    wire.answers = [answer(503, 7)];
    add('m1');
    await clock.forward(20);
    add('m2');
    await clock.forward(6_999);
    assert.equal(wire.posts.length, 1);
    await clock.forward(1);
    assert.deepEqual(wire.posts[1]!.ids, ['m1', 'm2']);
});

test('a pause holds for the next page and for other tabs', async () => {
    const store = memoryStore();
    const first = open(store);
    first.wire.answers = [answer(429, 60)];
    first.add('m1');
    await first.clock.forward(20);
    const next = open(store);
    next.clock.time = first.clock.time + 1000;
    next.delivery.soon();
    await next.clock.forward(58_000);
    assert.equal(next.wire.posts.length, 0);
    await next.clock.forward(1_000);
    assert.deepEqual(next.wire.posts[0]!.ids, ['m1']);
});

test('a pause that a moved clock made endless is none', async () => {
    const { wire, clock, add, store } = open();
    store.set('pause', String(clock.now() + PAUSE_MAX_MS + 60_000));
    add('m1');
    await clock.forward(20);
    assert.equal(wire.posts.length, 1);
});

test('the network coming back ends the pause', async () => {
    const { wire, clock, add, delivery } = open();
    wire.answers = [answer(503, 300)];
    add('m1');
    await clock.forward(20);
    delivery.now();
    assert.equal(wire.posts.length, 2);
});

test('a success forgets the failures before it', async () => {
    const { wire, clock, add } = open();
    wire.answers = [null, null, answer(200), null];
    add('m1');
    await clock.forward(10_000);
    add('m2');
    await clock.forward(20 + PAUSE_MS);
    assert.equal(wire.posts.at(-1)!.at - wire.posts.at(-2)!.at, PAUSE_MS);
});

test('a closing page tells what is not under way, and keeps it for the next page', async () => {
    const { wire, clock, add, delivery, outbox } = open();
    wire.answers = [new Promise(() => undefined)];
    add('m1');
    await clock.forward(20);
    add('m2');
    delivery.leave();
    assert.deepEqual(wire.beacons.map((beacon) => beacon.ids), [['m2']]);
    assert.deepEqual(outbox.next(clock.now())!.keys, ['q.m1', 'q.m2']);
});

test('a closing page honours a pause', async () => {
    const { wire, clock, add, delivery } = open();
    wire.answers = [answer(503, 30)];
    add('m1');
    await clock.forward(20);
    delivery.leave();
    assert.equal(wire.beacons.length, 0);
});
