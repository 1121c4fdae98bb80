import assert from 'node:assert/strict';
import test from 'node:test';

import { memoryStore } from './testing.ts';
import { createVisits, VISIT_IDLE_MS } from './visit.ts';

const START = Date.parse('2026-01-05T10:00:00Z');

test('a visit ends after thirty minutes without an act, not a millisecond before', () => {
    const visits = createVisits(memoryStore());
    const first = visits.touch(START);
    const second = visits.touch(START + VISIT_IDLE_MS - 1);
    assert.deepEqual(second, first);
    const third = visits.touch(START + 2 * VISIT_IDLE_MS - 1);
    assert.notEqual(third.id, first.id);
    assert.deepEqual([first.number, third.number], [1, 2]);
});

test('acts keep a visit alive for longer than thirty minutes', () => {
    const visits = createVisits(memoryStore());
    const first = visits.touch(START);
    let last = first;
    for (let minutes = 20; minutes <= 120; minutes += 20) {
        last = visits.touch(START + minutes * 60_000);
    }
    assert.equal(last.id, first.id);
});

test('another campaign begins another visit, the same one or none does not', () => {
    const visits = createVisits(memoryStore());
    const first = visits.touch(START, 'spring');
    assert.equal(visits.touch(START + 1).id, first.id);
    assert.equal(visits.touch(START + 2, 'spring').id, first.id);
    assert.notEqual(visits.touch(START + 3, 'summer').id, first.id);
});

test('tabs share the visit', () => {
    const store = memoryStore();
    assert.equal(createVisits(store).touch(START).id, createVisits(store).touch(START + 1).id);
});

test('a spoilt record begins a visit instead of stopping', () => {
    const store = memoryStore();
    store.set('visit', '{spoilt');
    assert.equal(createVisits(store).touch(START).number, 1);
});
