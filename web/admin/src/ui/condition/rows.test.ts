import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition } from '../../api/contract.ts';
import { conditions } from '../../../../../tests/browser/admin/fixtures/shop.ts';
import {
    emptyGroup, fromTree, isComplete, moveRow, newRow, readList, replaceRow, showList, toTree,
} from './rows.ts';

const price = { property: 'price', op: 'greater_equal', value: 100 } as const;
const trees: Condition[] = [
    ...conditions.map((one) => one.tree),
    { everyone: true },
    { not: { everyone: true } },
    { segment: 'Hot' },
    { not: { segment: 'Hot' } },
    { not: { not: { attribute: 'plan', op: 'is', value: 'pro' } } },
    { not: { and: [{ segment: 'A' }, { segment: 'B' }] } },
    { and: [{ and: [{ segment: 'A' }, { segment: 'B' }] }, { not: { or: [
        { segment: 'C' }, { segment: 'D' }] } }] },
    { attribute: 'age', op: 'between', values: [30, 40] },
    { attribute: 'trial_end', op: 'within_next', span: '7d' },
    { attribute: 'phone', op: 'unknown' },
    { first_touch: 'medium', op: 'is', value: 'cpc' },
    { last_touch: 'source', op: 'not_in', values: ['x', 5, true] },
    { did: 'X', where: price, at_least: 2, at_most: 4, within: '7d', since_entry: true },
    { did: 'X', where: { or: [price, { not: price }] }, at_most: 0 },
    { first: 'X', op: 'within_last', span: '7d' },
    { last: 'X', where: price, op: 'before', date: '2026-01-05T00:00:00.000Z' },
    { avg: 'revenue', of: 'X', where: price, within: '30d', op: 'between', values: [1, 2] },
    { max: 'revenue', of: 'X', since_entry: true, op: 'is_not', value: 0 },
];

for (const tree of trees) {
    test(`a tree goes through the rows unchanged: ${JSON.stringify(tree).slice(0, 60)}`, () => {
        assert.equal(JSON.stringify(toTree(fromTree(tree))), JSON.stringify(tree));
    });
}

test('a row that is off is not asked', () => {
    const group = fromTree({ and: [{ segment: 'A' }, { segment: 'B' }] });
    const first = group.rows[0]!;
    const off = replaceRow(group, first.id, { ...first, off: true });
    assert.deepEqual(toTree(off), { segment: 'B' });
});

test('a group without rows asks for everyone', () => {
    assert.deepEqual(toTree(emptyGroup()), { everyone: true });
});

test('a row without a name or value is not complete, with both it is', () => {
    const row = newRow('subject', 'plan');
    assert.equal(isComplete(row), false);
    assert.equal(isComplete({ ...row, value: 'pro' } as typeof row), true);
    assert.equal(isComplete(newRow('did')), false);
    assert.equal(isComplete(newRow('did', 'Page')), true);
});

test('a row moves by one place and stops at the ends', () => {
    const group = fromTree({ and: [{ segment: 'A' }, { segment: 'B' }] });
    const id = group.rows[0]!.id;
    assert.deepEqual(toTree(moveRow(group, id, 1)), { and: [{ segment: 'B' }, { segment: 'A' }] });
    assert.deepEqual(toTree(moveRow(group, id, -1)), toTree(group));
});

test('values keep their commas, quotes and kinds', () => {
    const values = ['a, b', 'say "x"', 'plain'];
    assert.deepEqual(readList(showList(values), false), values);
    assert.deepEqual(readList('5, 7.5', true), [5, 7.5]);
    assert.deepEqual(readList('5', false), ['5']);
});
