import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load.ts';
import { missingTexts, pageTexts } from '../../src/pages/texts/own_texts.ts';
import { type ConfigFolder, configFolder } from '../config/config_files.ts';

let folder: ConfigFolder;

beforeEach(() => {
  folder = configFolder();
});
afterEach(() => folder.remove());

/** The texts with files of the operator, by their names. */
function textsWith(files: Readonly<Record<string, string>>, brand = '') {
  mkdirSync(join(folder.path, 'texts'), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder.path, 'texts', name), text);
  const config = loadConfig(folder.write('config.yaml', `brand: { texts: texts${brand} }`), {});
  return { texts: pageTexts(config.brand), missing: missingTexts(config.brand) };
}

test('a text of the operator goes before ours, all others stay', () => {
  const { texts, missing } = textsWith({ 'de.yaml': 'signIn.title: Rein da\nsignIn.next: # nothing' });
  expect(texts.in('de')('signIn.title')).toBe('Rein da');
  expect(texts.in('de')('signIn.next')).toBe('Weiter');
  expect(texts.in('en')('signIn.title')).toBe('Sign in');
  expect(missing).toEqual([]);
});

test('a language that the pages do not have is a new one, with English where it lacks a text', () => {
  const { texts, missing } = textsWith(
    {
      'pl.yaml':
        'signIn.title: Zaloguj się\ntime.seconds: "{count} sekunda ‖ {count} sekundy ‖ {count} sekund"',
    },
    ', language: pl',
  );
  expect([...texts.languages]).toEqual(['de', 'en', 'pl']);
  expect(texts.otherwise).toBe('pl');
  const say = texts.in('pl');
  expect([say.language, say('signIn.title'), say('signIn.next')]).toEqual(['pl', 'Zaloguj się', 'Continue']);
  expect(say('time.seconds', { count: 3 })).toBe('3 sekundy');
  expect(missing).toEqual([
    expect.stringMatching(
      /pl\.yaml: \d+ of \d+ texts are missing and shown in English, the first is shell\.skip$/,
    ),
  ]);
});

test('German is formal where the operator says so, below their own texts', () => {
  const { texts } = textsWith({ 'de.yaml': 'signIn.next: Los' }, ', german: sie');
  expect(texts.in('de')('signIn.missingUser')).toBe('Geben Sie Ihren Benutzernamen ein.');
  expect(texts.in('de')('signIn.title')).toBe('Anmelden');
  expect(texts.in('de')('signIn.next')).toBe('Los');
});

test('one form may leave out the number', () => {
  const { texts } = textsWith({ 'en.yaml': 'time.seconds: a second ‖ {count} seconds' });
  expect(texts.in('en')('time.seconds', { count: 1 })).toBe('a second');
});

describe('what cannot be used is refused with file, line and key', () => {
  test.each([
    ['signIn.titel: x', 'de.yaml:1: signIn.titel: there is no such text; did you mean "signIn.title"?'],
    ['# x\nsignIn:\n  title: x', 'de.yaml:2: signIn: must be a text'],
    ['__proto__: x', '__proto__: there is no such text'],
    ['constructor: x', 'de.yaml:1: constructor: there is no such text'],
    ['signIn.title: 7', 'de.yaml:1: signIn.title: must be a text'],
    ['signIn.title: "  "', 'de.yaml:1: signIn.title: is empty'],
    ['code.as: Anmeldung', 'de.yaml:1: code.as: lacks {user}'],
    ['code.as: Als {usr}', 'de.yaml:1: code.as: has no place {usr}; did you mean "user"?'],
    ['signIn.title: "{server}"', 'de.yaml:1: signIn.title: has no place {server}'],
    ['time.seconds: Sekunde ‖ Sekunden', 'de.yaml:1: time.seconds: lacks {count}'],
    ['time.seconds: a ‖ b ‖ {count}', 'has 3 forms between "‖", where 2 can be used'],
    ['signIn.title: a ‖ b', 'has 2 forms between "‖", where 1 can be used'],
    [`signIn.title: ${'x'.repeat(2001)}`, 'signIn.title: must not be longer than 2000 characters'],
    ['signIn.title: [', 'de.yaml:1: '],
    ['- x', 'must hold settings'],
  ])('%s', (text, message) => {
    expect(() => textsWith({ 'de.yaml': text })).toThrow(message);
  });

  test.each(['de.yml', 'de_DE.yaml', 'German language.yaml', 'readme.txt', '.yaml.txt.yaml'.slice(1)])(
    'a file named %s',
    (name) => {
      expect(() => textsWith({ [name]: 'signIn.title: x' })).toThrow(
        `${name}: must be named by the tag of a language, as in de.yaml or pt-BR.yaml`,
      );
    },
  );

  test('a hidden file is not read', () => {
    expect(() => textsWith({ '.de.yaml.swp': '\u0000' })).not.toThrow();
  });

  test.each([
    ['language: fr', 'brand.language: there are no texts in fr, only in de, en'],
    ['language: "-"', 'brand.language: '],
    ['texts: nowhere', 'brand.texts: cannot read the folder '],
    ['german: Sie', 'brand.german: must be one of du, sie'],
  ])('brand: { %s }', (brand, message) => {
    const load = () => pageTexts(loadConfig(folder.write('config.yaml', `brand: { ${brand} }`), {}).brand);
    expect(load).toThrow(message);
  });
});
