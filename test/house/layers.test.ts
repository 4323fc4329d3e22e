import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { findCircle, folderOf, importsUnder } from './imports.ts';

/**
 * The house from the top floor to the ground: a folder imports from lower floors only, never from its own
 * (docs/architecture.md, "The house"). A new folder gets a place here.
 */
const FLOORS: readonly (readonly string[])[] = [
  ['cli', 'index.ts'],
  ['server', 'doctor'],
  ['gateway', 'pages'],
  ['login', 'guard', 'account', 'discovery', 'admin', 'oauth'],
  ['device_passwords', 'account_recovery'],
  ['second_factor', 'rescue'],
  ['limits', 'policy', 'notify'],
  ['uia', 'factors', 'homeserver', 'audit'],
  ['vault', 'http', 'config'],
  ['storage', 'calendar'],
  ['matrix', 'system'],
];

const imports = importsUnder('src');

function floorOf(file: string): number {
  return FLOORS.findIndex((floor) => floor.includes(folderOf(file)));
}

test('every folder has its floor', () => {
  const homeless = [...imports.keys()].filter((file) => floorOf(file) === -1);
  expect(homeless).toEqual([]);
});

test('imports run downward only', () => {
  const upward = [...imports].flatMap(([file, imported]) =>
    imported
      .filter((other) => folderOf(other) !== folderOf(file) && floorOf(other) <= floorOf(file))
      .map((other) => `${file} imports ${other}`),
  );
  expect(upward).toEqual([]);
});

test('the gateway knows requests, words of the wire and the system, and nothing of what the doors do', () => {
  const others = [...imports]
    .filter(([file]) => folderOf(file) === 'gateway')
    .flatMap(([, imported]) => imported.map(folderOf));
  expect([...new Set(others)].sort()).toEqual(['gateway', 'http', 'matrix', 'system']);
});

test('SQL stands in storage/, and in the tables of a factor', () => {
  const sql = /\b(?:SELECT\b[^`'"]*\bFROM|INSERT INTO|DELETE FROM|UPDATE \w+ SET|PRAGMA) /;
  const elsewhere = [...imports.keys()]
    .filter((file) => folderOf(file) !== 'storage' && !/^factors\/\w+\/tables\.ts$/.test(file))
    .filter((file) => sql.test(readFileSync(join('src', file), 'utf8')));
  expect(elsewhere).toEqual([]);
  expect(sql.test(readFileSync('src/storage/tables/holds.ts', 'utf8'))).toBe(true);
});

test('no imports run in a circle', () => {
  expect(findCircle(imports)).toBeUndefined();
});

test('a circle would be found', () => {
  const circle = new Map([
    ['a.ts', ['b.ts']],
    ['b.ts', ['c.ts']],
    ['c.ts', ['b.ts']],
  ]);
  expect(findCircle(circle)).toEqual(['b.ts', 'c.ts', 'b.ts']);
});

test('the scan sees imports of every kind', () => {
  expect(imports.get('cli/serve.ts')).toEqual(
    expect.arrayContaining(['server/proxy.ts', 'config/config.ts', 'cli/failures.ts']),
  );
});
