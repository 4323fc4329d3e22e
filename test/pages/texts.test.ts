import { readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { htmlIn } from '../../src/pages/shell/html.ts';
import { pages as german } from '../../src/pages/texts/de/pages.ts';
import { sie } from '../../src/pages/texts/de/sie.ts';
import { pages as english } from '../../src/pages/texts/en/pages.ts';
import { languageFolders } from '../../src/pages/texts/folders.ts';
import type { Translation } from '../../src/pages/texts/keys.ts';
import { pageTexts } from '../../src/pages/texts/own_texts.ts';
import { fill, PageTexts } from '../../src/pages/texts/texts.ts';

const DU = /\b(?:du|dich|dir|dein(?:e|em|en|er|es)?)\b/i;

const written = [...languageFolders].flatMap(([tag, { pages, variants }]): [string, Translation][] => [
  [tag, pages],
  ...[...variants].map(([name, texts]): [string, Translation] => [`${tag}, ${name}`, texts]),
]);

describe('the folders of the languages', () => {
  test('are all listed, with their variants', () => {
    const folder = new URL('../../src/pages/texts/', import.meta.url);
    const there = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const files = there.flatMap(({ name }) =>
      readdirSync(new URL(name, folder)).map((file) => `${name}/${file}`),
    );
    const listed = [...languageFolders].flatMap(([tag, { variants }]) =>
      ['pages', ...variants.keys()].map((name) => `${tag}/${name}.ts`),
    );
    expect(listed.sort()).toEqual(files.sort());
    expect([...languageFolders.keys()]).toEqual(['de', 'en']);
    expect([...(languageFolders.get('de')?.variants.keys() ?? [])]).toEqual(['sie']);
    expect(languageFolders.get('en')?.pages).toBe(english);
  });

  test.each([...languageFolders])('%s has every text', (_, { pages }) => {
    expect(Object.keys(pages).sort()).toEqual(Object.keys(english).sort());
  });

  test.each(written)('%s has only keys of English, with their places and something in them', (_, texts) => {
    const base: Readonly<Record<string, string>> = english;
    for (const [key, text] of Object.entries(texts)) {
      const original = base[key] ?? '';
      expect({ key, places: placesIn(text) }).toEqual({ key, places: placesIn(original) });
      expect({ key, empty: text.trim() === '' }).toEqual({ key, empty: false });
      expect({ key, forms: text.includes('‖') }).toEqual({ key, forms: original.includes('‖') });
    }
  });
});

describe('German with Sie', () => {
  const ofDu: Readonly<Record<string, string>> = german;

  test('has every text in which du stands', () => {
    const missing = Object.keys(ofDu).filter((key) => DU.test(ofDu[key] ?? '') && !(key in sie));
    expect(missing).toEqual([]);
  });

  test('has no du left', () => {
    expect(Object.values(sie).filter((text) => DU.test(text))).toEqual([]);
  });

  test('has only texts that differ', () => {
    expect(Object.entries(sie).filter(([key, text]) => ofDu[key] === text)).toEqual([]);
  });
});

describe('a text', () => {
  const texts = pageTexts({ texts: [], german: 'du', language: 'en' });

  test('is in the language of the reader, its places filled', () => {
    expect(texts.in('de')('signIn.title')).toBe('Anmelden');
    expect(texts.in('en')('code.as', { user: '@a:b$&{server}' })).toBe('Signing in as @a:b$&{server}');
  });

  test('has the form that goes with the number', () => {
    const say = texts.in('en');
    expect([0, 1, 2].map((count) => say('time.seconds', { count }))).toEqual([
      '0 seconds',
      '1 second',
      '2 seconds',
    ]);
    expect(say.form('time.minutes', 1)).toBe('{count} minute');
  });

  test('has as many forms as its language has', () => {
    const polish = { 'time.seconds': '{count} sekunda ‖ {count} sekundy ‖ {count} sekund' };
    const say = new PageTexts(new Map([['pl', polish]])).in('pl');
    expect([1, 3, 5, 22].map((count) => say('time.seconds', { count }))).toEqual([
      '1 sekunda',
      '3 sekundy',
      '5 sekund',
      '22 sekundy',
    ]);
    expect(say('signIn.title')).toBe('Sign in');
    expect(say('time.minutes', { count: 5 })).toBe('5 minutes');
  });

  test('is English where the language is not there', () => {
    expect(texts.in('tlh').language).toBe('en');
    expect(texts.in('__proto__').language).toBe('en');
  });

  test('keeps a place without a value', () => {
    expect(fill('{a} and {b}', { a: '$&' })).toBe('$& and {b}');
  });

  test('attack 67: markup may stand in a place, and is escaped everywhere else', () => {
    expect(htmlIn('<b> {a} & {b} {c}', { a: htmlIn('<i>', {}), b: '<u>' }).toString()).toBe(
      '&lt;b&gt; &lt;i&gt; &amp; &lt;u&gt; {c}',
    );
  });

  test('a wrong key or place does not compile', () => {
    const say = texts.in('en');
    // @ts-expect-error no such key
    const noKey = () => say('signIn.titel');
    // @ts-expect-error the place is missing
    const noPlace = () => say('code.as');
    // @ts-expect-error no such place
    const wrongPlace = () => say('code.as', { name: 'x' });
    // @ts-expect-error there is no place
    const onePlace = () => say('signIn.title', { name: 'x' });
    expect([noPlace, wrongPlace, onePlace].map((called) => called())).toHaveLength(3);
    expect(noKey).toThrow();
  });
});

function placesIn(text: string): string[] {
  // Each form has the places; a form may leave out the number.
  return [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
}
