import assert from 'node:assert/strict';
import test from 'node:test';

import { BATCH_BYTES_MAX, createOutbox, EVENT_BYTES_MAX, EVENTS_MAX, KEPT_MS } from './outbox.ts';
import { createStore } from './store.ts';
import { createStorage, makeEvent, memoryStore } from './testing.ts';
import { unique } from './unique.ts';
import { VISIT_IDLE_MS } from './visit.ts';

const NOW = Date.parse('2026-01-05T10:00:00Z');

function idsOf(body: string): string[] {
    return (JSON.parse(body).batch as { messageId: string }[]).map((event) => event.messageId);
}

test('a batch names the key and when it was sent', () => {
    const outbox = createOutbox(memoryStore(), 'pk_1');
    outbox.add(makeEvent('m1', NOW));
    const body = JSON.parse(outbox.next(NOW)!.body);
    assert.equal(body.writeKey, 'pk_1');
    assert.equal(body.sentAt, '2026-01-05T10:00:00.000Z');
});

test('an event stays until it is removed, over reloads and with its messageId', () => {
    const storage = createStorage();
    createOutbox(createStore(() => storage), 'pk_1').add(makeEvent('m1', NOW));
    const reloaded = createOutbox(createStore(() => storage), 'pk_1');
    assert.deepEqual(idsOf(reloaded.next(NOW)!.body), ['m1']);
    assert.deepEqual(idsOf(reloaded.next(NOW)!.body), ['m1']);
    reloaded.remove(reloaded.next(NOW)!.keys);
    assert.equal(reloaded.next(NOW), null);
});

test('events go in the order they were made in', () => {
    const outbox = createOutbox(memoryStore(), 'pk_1');
    const ids = Array.from({ length: 20 }, unique);
    for (const id of ids) outbox.add(makeEvent(id, NOW));
    assert.deepEqual(idsOf(outbox.next(NOW)!.body), ids);
});

test('a full outbox lets the oldest go', () => {
    const outbox = createOutbox(memoryStore(), 'pk_1');
    const id = (n: number): string => String(1000 + n);
    for (let n = 0; n < EVENTS_MAX; ++n) outbox.add(makeEvent(id(n), NOW));
    assert.equal(idsOf(outbox.next(NOW)!.body)[0], id(0));
    outbox.add(makeEvent(id(EVENTS_MAX), NOW));
    assert.equal(idsOf(outbox.next(NOW)!.body)[0], id(1));
});

test('an event of the limit is taken, one byte more is refused', () => {
    const outbox = createOutbox(memoryStore(), 'pk_1');
    const empty = JSON.stringify(makeEvent('m1', NOW)).length;
    outbox.add(makeEvent('m1', NOW, 'x'.repeat(EVENT_BYTES_MAX - empty)));
    assert.throws(() => outbox.add(makeEvent('m2', NOW, 'x'.repeat(EVENT_BYTES_MAX - empty + 1))));
    assert.throws(() => outbox.add(makeEvent('m2', NOW, 'é'.repeat(EVENT_BYTES_MAX / 2))));
    assert.deepEqual(idsOf(outbox.next(NOW)!.body), ['m1']);
});

test('a batch fits into what a closing page may send, and never stands still', () => {
    const outbox = createOutbox(memoryStore(), 'pk_1');
    for (let n = 0; n < 5; ++n) outbox.add(makeEvent(`m${n}`, NOW, 'x'.repeat(20_000)));
    const sizes = [];
    for (let batch = outbox.next(NOW); batch; batch = outbox.next(NOW)) {
        assert.ok(Buffer.byteLength(batch.body) <= BATCH_BYTES_MAX);
        sizes.push(batch.keys.length);
        outbox.remove(batch.keys);
    }
    assert.deepEqual(sizes, [2, 2, 1]);
});

test('what the server might no longer know again is not sent', () => {
    const outbox = createOutbox(memoryStore(), 'pk_1');
    outbox.add(makeEvent('m1', NOW - KEPT_MS));
    assert.deepEqual(idsOf(outbox.next(NOW)!.body), ['m1']);
    assert.equal(outbox.next(NOW + 1), null);
});

test('what is under way is not sent beside it', () => {
    const outbox = createOutbox(memoryStore(), 'pk_1');
    outbox.add(makeEvent('m1', NOW));
    outbox.add(makeEvent('m2', NOW));
    assert.deepEqual(idsOf(outbox.next(NOW, ['q.m1'])!.body), ['m2']);
});

test('a held event goes after half an hour, not before, and not when taken back', () => {
    const outbox = createOutbox(memoryStore(), 'pk_1');
    outbox.hold(makeEvent('m1', NOW));
    outbox.hold(makeEvent('m2', NOW));
    outbox.release(NOW + VISIT_IDLE_MS - 1);
    assert.equal(outbox.next(NOW), null);
    outbox.takeBack('m2');
    outbox.release(NOW + VISIT_IDLE_MS);
    assert.deepEqual(idsOf(outbox.next(NOW + VISIT_IDLE_MS)!.body), ['m1']);
});

test('a held event that happens after all is there once', () => {
    const outbox = createOutbox(memoryStore(), 'pk_1');
    outbox.hold(makeEvent('m1', NOW));
    outbox.add(makeEvent('m1', NOW));
    outbox.release(NOW + VISIT_IDLE_MS);
    assert.deepEqual(idsOf(outbox.next(NOW)!.body), ['m1']);
});

test('what is not ours in the storage is thrown away instead of spoiling a batch', () => {
    const store = memoryStore();
    const outbox = createOutbox(store, 'pk_1');
    store.set('q.0', '{spoilt');
    outbox.add(makeEvent('m1', NOW));
    assert.deepEqual(idsOf(outbox.next(NOW)!.body), ['m1']);
    assert.equal(store.get('q.0'), null);
});
