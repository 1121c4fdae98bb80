import assert from 'node:assert/strict';
import test from 'node:test';

import { Window } from 'happy-dom';

import { createCookie, type Cookie } from './cookie.ts';
import { createIdentity } from './identity.ts';
import { memoryStore } from './testing.ts';

function memoryCookie(): Cookie {
    let kept: string | undefined;
    return {
        read: () => kept,
        write: (value) => void (kept = value),
        remove: () => void (kept = undefined),
    };
}

test('the anonymous id stays the same', () => {
    const identity = createIdentity(memoryStore(), memoryCookie());
    const id = identity.anonymousId();
    assert.match(id, /^[0-9a-z]{30,}$/);
    assert.equal(identity.anonymousId(), id);
});

test('a lost cookie comes back from the storage', () => {
    const cookie = memoryCookie();
    const identity = createIdentity(memoryStore(), cookie);
    const id = identity.anonymousId();
    cookie.remove();
    assert.equal(identity.anonymousId(), id);
    assert.equal(cookie.read(), id);
});

test('a lost storage is known again by the cookie', () => {
    const cookie = memoryCookie();
    const id = createIdentity(memoryStore(), cookie).anonymousId();
    assert.equal(createIdentity(memoryStore(), cookie).anonymousId(), id);
});

test('what another tab has told is read at once', () => {
    const store = memoryStore();
    const [one, other] = [createIdentity(store, memoryCookie()),
        createIdentity(store, memoryCookie())];
    one.become('u1', 'proof');
    assert.equal(other.userId(), 'u1');
    assert.equal(other.signature(), 'proof');
});

test('a forgotten user leaves a stranger behind', () => {
    const identity = createIdentity(memoryStore(), memoryCookie());
    const before = identity.anonymousId();
    identity.become('u1', undefined);
    identity.forget();
    assert.equal(identity.userId(), undefined);
    assert.notEqual(identity.anonymousId(), before);
});

test('a page without cookies has an id all the same', () => {
    const page = {
        location: { protocol: 'https:' },
        get cookie(): string {
            throw new Error('SecurityError');
        },
    } as unknown as Document;
    const identity = createIdentity(memoryStore(), createCookie(page, undefined));
    assert.equal(identity.anonymousId(), identity.anonymousId());
});

test('the cookie is written for the whole site and read back', () => {
    const window = new Window({ url: 'https://shop.test/a/b' });
    const cookie = createCookie(window.document as unknown as Document, undefined);
    cookie.write('abc123');
    window.document.cookie = 'other=1;path=/';
    assert.equal(cookie.read(), 'abc123');
    cookie.remove();
    assert.equal(cookie.read(), null);
});
