import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const here = import.meta.dirname;
const read = (name: string) =>
    JSON.parse(readFileSync(path.join(here, name), 'utf8')) as Record<string, string>;
const en = read('en.json');
const ja = read('ja.json');
const sources = readdirSync(path.join(here, '..'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|tsx|css)$/.test(name) && !name.includes('schema.d.ts'));
const textOf = (name: string) => readFileSync(path.join(here, '..', name), 'utf8');

const stem = (key: string) => key.replace(/_(one|other)$/, '');
const stems = (texts: Record<string, string>) => [...new Set(Object.keys(texts).map(stem))].sort();
const holes = (text: string) => [...text.matchAll(/{{(\w+)}}/g)].map((one) => one[1]).sort();

test('English and Japanese have the same keys', () => {
    assert.deepEqual(stems(ja), stems(en));
});

test('plurals are whole: one and other in English, other in Japanese', () => {
    for (const key of Object.keys(en).filter((one) => one.endsWith('_one'))) {
        assert.ok(en[`${stem(key)}_other`], key);
        assert.ok(ja[`${stem(key)}_other`], key);
    }
});

test('no text is empty and both languages fill the same holes', () => {
    for (const [key, text] of Object.entries(ja)) {
        assert.notEqual(text.trim(), '', key);
        assert.deepEqual(holes(text), holes(en[key] ?? ''), key);
    }
});

// The words of the "not" column of the product's word table. A key may use one where it names
// something outside of Ripen, or where the word has its everyday meaning.
const wrongWords = ['user', 'contact', 'lead', 'profile', 'customer', 'audience', 'cohort', 'trait',
    'rating', 'status', 'campaign', 'scenario', 'flow', 'template', 'newsletter', 'notification',
    'asset', 'ticket', 'operator', 'agent', 'avatar', 'keyword', 'project', 'hit', 'action',
    'account', 'block'];
const allowed: Record<string, string[]> = {
    user: ['person.id.user', 'events.testUser'], // The tracking API's own name of the id.
    campaign: ['touch.campaign'], // utm_campaign.
    account: ['top.menu', 'top.account', 'start.lead', 'start.submit', 'start.taken',
        'settings.account'], // A teammate's own.
};

test('one word for one idea', () => {
    for (const word of wrongWords) {
        const found = Object.keys(en).filter((key) =>
            new RegExp(`\\b${word}s?\\b`, 'i').test(en[key]!.replace(/{{\w+}}/g, ''))
            && !(allowed[word] ?? []).includes(key));
        assert.deepEqual(found, [], word);
    }
});

test('a calm tone: no exclamation mark, no "successfully", "simply", "oops"', () => {
    for (const [key, text] of [...Object.entries(en), ...Object.entries(ja)]) {
        assert.doesNotMatch(text, /!|！|successfully|simply|oops/i, key);
    }
});

test('colours stand in theme.ts alone', () => {
    for (const name of sources.filter((one) => !/ui\/theme(\.test)?\.ts$/.test(one))) {
        assert.doesNotMatch(textOf(name), /#[0-9a-f]{6}\b|#[0-9a-f]{3}\b(?=[;,' ])/i, name);
    }
});

test('features do not import features', () => {
    const features = ['account', 'home', 'people', 'segments', 'journeys', 'mailbox', 'events',
        'settings', 'live'];
    for (const name of sources) {
        const own = name.split(path.sep)[0]!;
        if (!features.includes(own)) continue;
        for (const [, other] of textOf(name).matchAll(/from '\.\.\/(\w+)\//g)) {
            assert.ok(!features.includes(other!) || other === own, `${name} imports ${other}`);
        }
    }
});

test('screens hold no text of their own', () => {
    for (const name of sources.filter((one) => one.endsWith('.tsx'))) {
        const literals = [...textOf(name).matchAll(/>\s*([A-Za-z][A-Za-z ,.']{2,})\s*</g)]
            .map((one) => one[1]!.trim())
            .filter((text) => / /.test(text) && !/[=({;]/.test(text));
        assert.deepEqual(literals, [], name);
    }
});

test('every key that is asked for by its name exists', () => {
    const known = new Set([...Object.keys(en), ...stems(en)]);
    for (const name of sources.filter((one) => !one.endsWith('.test.ts'))) {
        for (const [, key] of textOf(name).matchAll(/\bt\('([^']+)'/g)) {
            assert.ok(known.has(key!), `${name}: ${key}`);
        }
    }
});
