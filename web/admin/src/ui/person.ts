// How a person is called on a screen.
import type { Person } from '../api/contract.ts';

function text(value: unknown): string {
    return typeof value === 'string' ? value.trim() : '';
}

// Family name first where the names are written in Chinese characters or kana.
function joined(first: string, last: string): string {
    const isEastern = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(first + last);
    return (isEastern ? [last, first] : [first, last]).filter(Boolean).join(' ');
}

// Null: nobody knows the name.
export function nameOf(person: Pick<Person, 'attributes' | 'emails' | 'user_ids'>): string | null {
    const a = person.attributes;
    const whole = text(a['name'])
        || joined(text(a['first_name']), text(a['last_name']))
        || joined(text(a['firstName']), text(a['lastName']));
    return whole || text(a['email']) || person.emails[0] || person.user_ids[0] || null;
}

export function emailOf(person: Pick<Person, 'attributes' | 'emails'>): string | null {
    return text(person.attributes['email']) || person.emails[0] || null;
}

export function quoted(value: string): string {
    return `"${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`;
}

// Whoever's name or email holds the text.
export function searchCondition(wanted: string): string {
    const value = quoted(wanted);
    return ['email', 'name', 'first_name', 'last_name']
        .map((name) => `${name} contains ${value}`)
        .join(' or ');
}
