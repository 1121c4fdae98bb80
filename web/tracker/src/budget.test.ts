import assert from 'node:assert/strict';
import test from 'node:test';

// @ts-expect-error A script of the build; it has no types.
import { BUDGET_BYTES, checkBudget } from '../build.mjs';

test('a tracker at its budget is built, one byte more is not', () => {
    assert.equal(BUDGET_BYTES, 5 * 1024);
    checkBudget(BUDGET_BYTES);
    assert.throws(() => checkBudget(BUDGET_BYTES + 1), /5121 bytes/);
});
