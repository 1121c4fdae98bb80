import assert from 'node:assert/strict';
import test from 'node:test';

import { Window } from 'happy-dom';

import type { Draft, Properties } from './event.ts';
import { createForms } from './forms.ts';
import type { Recorder } from './recorder.ts';
import { SCENE } from './testing.ts';

function open(html: string) {
    const window = new Window({ url: 'https://shop.test/pricing' });
    window.document.body.innerHTML = html;
    const told: Draft[] = [];
    const held = new Map<string, Draft>();
    const identified: Properties[] = [];
    let made = 0;
    const recorder: Recorder = {
        enter: () => undefined,
        scene: () => SCENE,
        record(draft, _scene, messageId) {
            told.push(draft);
            return messageId ?? `m${++made}`;
        },
        hold: (draft, _scene, messageId) => void held.set(messageId, draft),
        takeBack: (messageId) => void held.delete(messageId),
    };
    const clock = { time: 1000 };
    const forms = createForms(recorder, () => clock.time, (traits) => identified.push(traits));
    const element = (selector: string): EventTarget =>
        window.document.querySelector(selector) as unknown as EventTarget;
    return {
        window, told, held, identified, forms, clock, element,
        names: () => told.map((draft) => draft.event),
        touch: (selector: string) => forms.touched(element(selector)),
    };
}

const APPLICATION = `<form id="application"><input name="name"><input name="email" type="email">
    <select name="size"><option>1</option></select></form>`;

test('a form is started once, by its first field', () => {
    const { touch, told } = open(APPLICATION);
    touch('[name=name]');
    touch('[name=name]');
    touch('[name=email]');
    assert.deepEqual(told, [{ type: 'track', event: 'Form Started',
        properties: { form: 'application', path: '/pricing', field: 'name' } }]);
});

test('a form left with two fields filled in is abandoned at the second', () => {
    const { touch, told, forms, clock } = open(APPLICATION);
    touch('[name=name]');
    clock.time += 5_400;
    touch('[name=email]');
    forms.leave(true);
    assert.deepEqual(told[1], { type: 'track', event: 'Form Abandoned', properties: {
        form: 'application', path: '/pricing', fields: 2, last_field: 'email', seconds: 5 } });
    forms.leave(true);
    assert.equal(told.length, 2);
});

test('a form that was sent is not abandoned, and can be started again', () => {
    const { touch, forms, names, element } = open(APPLICATION);
    touch('[name=name]');
    forms.sent(element('form'));
    forms.leave(true);
    assert.deepEqual(names(), ['Form Started', 'Form Submitted']);
    touch('[name=name]');
    assert.equal(names()[2], 'Form Started');
});

test('a form sent without a change is submitted all the same', () => {
    const { forms, told, element } = open(APPLICATION);
    forms.sent(element('form'));
    assert.equal(told[0]!.event, 'Form Submitted');
    assert.equal(told[0]!.properties!.fields, 0);
});

test('a form that stays on the page when the address changes is not abandoned', () => {
    const { touch, forms, names, window } = open(APPLICATION);
    touch('[name=name]');
    forms.leave(false);
    assert.deepEqual(names(), ['Form Started']);
    window.document.body.innerHTML = '';
    forms.leave(false);
    assert.deepEqual(names(), ['Form Started', 'Form Abandoned']);
});

test('a hidden page holds what it would tell and takes it back when shown', () => {
    const { touch, forms, held, names } = open(APPLICATION);
    touch('[name=name]');
    forms.hide();
    assert.deepEqual([...held.values()].map((draft) => draft.event), ['Form Abandoned']);
    forms.show();
    assert.equal(held.size, 0);
    assert.deepEqual(names(), ['Form Started']);
});

test('what is written in a form is never told', () => {
    const { touch, forms, told, identified, element, window } = open(APPLICATION);
    for (const field of window.document.querySelectorAll('input')) field.value = 'secret words';
    touch('[name=name]');
    touch('[name=email]');
    forms.sent(element('form'));
    assert.deepEqual(identified, []);
    assert.ok(!JSON.stringify(told).includes('secret words'));
});

test('values become attributes only where the site asks for them', () => {
    const { forms, identified, element } = open(`<form>
        <input name="mail" data-ripen-trait="email" value=" ada@example.com ">
        <input name="other" value="not asked for">
        <input type="checkbox" data-ripen-trait="news" checked>
        <input type="radio" name="r" value="a" data-ripen-trait="plan">
        <input type="radio" name="r" value="b" data-ripen-trait="plan" checked>
        <input data-ripen-trait="phone" value="  "></form>`);
    forms.sent(element('form'));
    assert.deepEqual(identified, [{ email: 'ada@example.com', news: true, plan: 'b' }]);
});

test('passwords, cards, hidden fields and files are not read even when asked for', () => {
    const { forms, identified, element } = open(`<form>
        <input type="password" data-ripen-trait="a" value="x">
        <input type="hidden" data-ripen-trait="b" value="x">
        <input type="file" data-ripen-trait="c">
        <input autocomplete="cc-number" data-ripen-trait="d" value="x">
        <input autocomplete="billing cc-csc" data-ripen-trait="e" value="x"></form>`);
    forms.sent(element('form'));
    assert.deepEqual(identified, []);
});

test('searches and forms marked to be ignored are no forms', () => {
    const { touch, forms, told, element } = open(`<form id="a"><input type="search"></form>
        <form id="b" role="search"><input name="q"></form>
        <div data-ripen-ignore><form id="c"><input name="x"></form></div><input id="alone">`);
    for (const selector of ['#a input', '#b input', '#c input', '#alone']) touch(selector);
    forms.sent(element('#b'));
    forms.sent(element('#c'));
    assert.deepEqual(told, []);
});

test('a form goes by the name the site gave it, whatever its fields are called', () => {
    const { touch, told } = open(`
        <form data-ripen-form="Quote" id="x"><input id="a"></form>
        <form name="contact"><input name="id"><input name="name" id="b"></form>
        <form aria-label="Join"><input id="c"></form>
        <form action="/send"><input id="d"></form>
        <form><input id="e"></form>`);
    for (const id of ['a', 'b', 'c', 'd', 'e']) touch('#' + id);
    assert.deepEqual(told.map((draft) => draft.properties!.form),
        ['Quote', 'contact', 'Join', '/send', 'form']);
});
