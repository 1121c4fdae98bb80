import assert from 'node:assert/strict';
import { test } from 'node:test';
import { journeys } from '../../../../tests/browser/admin/fixtures/shop.ts';
import type { JourneyDefinition } from '../api/contract.ts';
import {
    allSteps, duplicateStep, findStep, graphOf, insertStep, moveStep, newStep, problemsOf,
    replaceStep, tidied,
} from './steps.ts';

const application = journeys[0]!.definition;
const empty: JourneyDefinition = { name: '', entry: { event: '' }, steps: [] };

test('every step is a node, both arms of a branch meet at the end', () => {
    const graph = graphOf(application);
    assert.deepEqual(graph.nodes.map((node) => node.id),
        ['entry', 'w1', 'b1', 'l1', 'l2', 'w2', 'l3', 'end']);
    assert.deepEqual(graph.edges.filter((edge) => edge.to === 'end').map((edge) => edge.from),
        ['l1', 'l3']);
    assert.equal(graph.edges.find((edge) => edge.to === 'l1')?.arm, 'then');
});

test('an empty journey leads from its entry to the end', () => {
    assert.deepEqual(graphOf(empty).edges.map((edge) => [edge.from, edge.to]), [['entry', 'end']]);
});

test('after an exit nothing is reached', () => {
    const definition: JourneyDefinition = {
        ...application, steps: [{ id: 'x1', type: 'exit' }, { id: 'w1', type: 'wait', for: '1h' }],
    };
    assert.deepEqual(problemsOf(definition), [{ at: 'w1', kind: 'unreachable' }]);
});

test('a step goes where its edge says, also into an empty arm', () => {
    const branched = insertStep(empty, { list: '', index: 0 }, newStep(empty, 'branch'));
    const edge = graphOf(branched).edges.find((one) => one.arm === 'else')!;
    const grown = insertStep(branched, edge.place, newStep(branched, 'letter'));
    const branch = findStep(grown, 'b1');
    assert.ok(branch?.type === 'branch');
    assert.deepEqual(branch.else.map((step) => step.id), ['l1']);
    assert.deepEqual(branch.then, []);
});

test('a copy has ids of its own, all the way down', () => {
    const grown = duplicateStep(application, 'b1');
    const ids = allSteps(grown.steps).map((step) => step.id);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(ids.length, allSteps(application.steps).length + 5);
});

test('a deleted branch takes its arms along', () => {
    assert.deepEqual(allSteps(replaceStep(application, 'b1', null).steps).map((step) => step.id),
        ['w1']);
});

test('a step moves within its own list only', () => {
    const moved = moveStep(application, 'w2', -1);
    const branch = findStep(moved, 'b1');
    assert.ok(branch?.type === 'branch');
    assert.deepEqual(branch.else.map((step) => step.id), ['w2', 'l2', 'l3']);
    assert.deepEqual(moveStep(application, 'w1', -1), application);
});

test('an empty journey says what is missing', () => {
    assert.deepEqual(problemsOf(empty).map((one) => one.kind), ['noName', 'noEntry']);
    const letter = insertStep({ ...empty, name: 'A', entry: { event: 'B' } },
        { list: '', index: 0 }, newStep(empty, 'letter'));
    assert.deepEqual(problemsOf(letter).map((one) => one.kind), ['noSubject', 'noText']);
    assert.deepEqual(problemsOf(application), []);
});

test('what is sent has no empty fields', () => {
    const sent = tidied({
        ...application, goal: '', entry: { event: 'X', where: '', key: '' },
        steps: [{ id: 'l1', type: 'letter', subject: 'S', text: 'T', html: '', from: '' }],
    });
    assert.deepEqual(sent.entry, { event: 'X' });
    assert.equal('goal' in sent, false);
    assert.deepEqual(sent.steps, [{ id: 'l1', type: 'letter', subject: 'S', text: 'T' }]);
    assert.deepEqual(tidied(application), application);
});
