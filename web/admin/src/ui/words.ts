// The texts of the screens, in the language of the teammate. Keys are flat and typed by en.json; a
// language is fetched when it is first needed.
import { createInstance, type i18n } from 'i18next';
import { createContext, useContext } from 'react';
import type english from '../locales/en.json';

type Plain = keyof typeof english;
// "people.total_one" and "people.total_other" are asked for as "people.total".
export type Key = Plain extends infer K
    ? K extends `${infer Stem}_one` | `${infer Stem}_other` ? Stem : K
    : never;
export type Values = Record<string, string | number>;
export type Language = 'en' | 'ja';
export const languages: Language[] = ['en', 'ja'];

export interface Words {
    language: Language;
    t: (key: Key, values?: Values) => string;
    // For keys made of what a server says, such as error codes; null when there is no text.
    find: (key: string, values?: Values) => string | null;
    setLanguage: (language: Language) => void;
}

export const WordsContext = createContext<Words | null>(null);

export function useWords(): Words {
    const words = useContext(WordsContext);
    if (!words) throw new Error('no texts here');
    return words;
}

export function useT(): Words['t'] {
    return useWords().t;
}

type Texts = Record<string, string>;

const files: Record<Language, () => Promise<{ default: Texts }>> = {
    en: () => import('../locales/en.json'),
    ja: () => import('../locales/ja.json'),
};

export async function loadWords(language: Language): Promise<i18n> {
    const texts = await files[language]();
    const instance = createInstance();
    await instance.init({
        lng: language,
        resources: { [language]: { translation: texts.default } },
        keySeparator: false,
        nsSeparator: false,
        interpolation: { escapeValue: false },
    });
    return instance;
}

export function wordsOf(
    instance: i18n, language: Language, setLanguage: (language: Language) => void,
): Words {
    return {
        language,
        setLanguage,
        t: (key, values) => instance.t(key, values ?? {}),
        find: (key, values) => (instance.exists(key) ? instance.t(key, values ?? {}) : null),
    };
}

const REMEMBERED = 'ripen.language';

export function firstLanguage(): Language {
    const remembered = localStorage.getItem(REMEMBERED);
    if (remembered === 'en' || remembered === 'ja') return remembered;
    return navigator.language.startsWith('ja') ? 'ja' : 'en';
}

export function rememberLanguage(language: Language): void {
    localStorage.setItem(REMEMBERED, language);
}
