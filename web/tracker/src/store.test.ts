import assert from 'node:assert/strict';
import test from 'node:test';

import { createStore, parse } from './store.ts';
import { createStorage } from './testing.ts';

test('what one tab keeps the other reads', () => {
    const storage = createStorage();
    createStore(() => storage).set('id', 'a1');
    assert.equal(createStore(() => storage).get('id'), 'a1');
});

test('a forbidden storage is a memory as long as the page lives', () => {
    const store = createStore(() => {
        throw new Error('SecurityError');
    });
    store.set('q.1', 'one');
    assert.equal(store.get('q.1'), 'one');
    assert.deepEqual(store.keys('q.'), ['q.1']);
    store.remove('q.1');
    assert.equal(store.get('q.1'), null);
});

test('a full storage keeps nothing less: the page remembers the rest', () => {
    const storage = createStorage(4);
    const store = createStore(() => storage);
    store.set('q.1', '1234');
    store.set('q.2', '12345');
    assert.deepEqual(store.keys('q.'), ['q.1', 'q.2']);
    assert.equal(store.get('q.2'), '12345');
    assert.equal(storage.getItem('ripen.q.2'), null);
});

test('keys of others are not ours', () => {
    const storage = createStorage();
    storage.setItem('q.theirs', 'x');
    assert.deepEqual(createStore(() => storage).keys(''), []);
});

test('what is not an object reads as an empty one', () => {
    for (const text of [null, '', 'null', '0', '{', 'undefined']) assert.deepEqual(parse(text), {});
    assert.deepEqual(parse('{"id":"a"}'), { id: 'a' });
});
