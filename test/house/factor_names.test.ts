import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

/** Where kinds of primary factors are named, each place with the reason. A path that ends in `/` is all below it. */
const NAMED_IN: Readonly<Record<string, string>> = {
  'src/factors/totp/': 'the folder of the factor',
  'src/factors/webauthn/': 'the folder of the factor',
  'src/factors/list.ts': 'the list',
  'src/config/': 'the configuration',
  'src/matrix/shapes.ts': 'the names of the files in schemas/',
  'src/pages/texts/': 'texts that operators may replace, under keys that are names of events',
  'src/pages/assets/wire.js': 'the stages and requests of the scripts, in one place',
  'src/pages/assets/answers.d.ts': 'written from schemas/',
  'src/rescue/import/': 'takes over the seeds of authenticator apps from other programs',
  'src/cli/user_import.ts': 'the same as a command',
  'src/admin/handlers.ts': 'the same over the admin API',
  'src/server/admin_listener.ts': 'the same over the admin API',
  'src/storage/tables/imported.ts': 'the row of such a seed',
  'src/storage/tables/restored.ts': 'spends the time steps that have passed since a backup',
  'src/cli/restored_copy.ts': 'the same',
  'src/storage/sqlite/migrations/': 'statements that released databases have run',
};

/** Words of the web: an attribute of forms, and what a browser may fill in (HTML, "Autofill"). */
const OF_THE_WEB = [/data-webauthn-options|webauthnOptions/g, /autocomplete="[^"]*"/g];
const COMMENTS = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;
const KINDS = /totp|webauthn/i;

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((file) => join('src', file))
  .filter((file) => /\.[jt]s$/.test(file));

/** Lines of code with the name of a kind in them. */
function linesNaming(code: string): string[] {
  const words = [COMMENTS, ...OF_THE_WEB].reduce((text, pattern) => text.replaceAll(pattern, ''), code);
  return words.split('\n').filter((line) => KINDS.test(line));
}

function naming(file: string): string[] {
  return linesNaming(readFileSync(file, 'utf8')).map((line) => `${file}: ${line.trim()}`);
}

function placeOf(file: string): string | undefined {
  return Object.keys(NAMED_IN).find(
    (place) => file === place || (place.endsWith('/') && file.startsWith(place)),
  );
}

test('a kind of primary factor is named in its folder, the list and the configuration only', () => {
  expect(files.length).toBeGreaterThan(400);
  expect(files.filter((file) => placeOf(file) === undefined).flatMap(naming)).toEqual([]);
});

test('what names none by now stands in no list', () => {
  const places = new Set(files.filter((file) => naming(file).length > 0).map(placeOf));
  expect(Object.keys(NAMED_IN).filter((place) => !places.has(place))).toEqual([]);
});

test('a name is found in code, not in comments or words of the web', () => {
  const code = [
    `const kind = 'totp'; // a kind`,
    '  // of totp',
    '/** Digits of a TOTP code. */',
    '`<form data-webauthn-options="x"><input autocomplete="username webauthn">`',
    `case 'webauthn.added':`,
    'isTotpToken(token)',
  ].join('\n');
  expect(linesNaming(code)).toHaveLength(3);
});
