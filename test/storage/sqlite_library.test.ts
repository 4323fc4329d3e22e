import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { failureOf } from '../../src/cli/failures.ts';
import { SqliteLibraryMissing, sqliteLibrary } from '../../src/storage/sqlite/sqlite_library.ts';

class Works {
  close(): void {}
}

/** Loads what is in `installed`, and remembers what it was asked for. */
function loader(installed: Readonly<Record<string, unknown>>) {
  const asked: string[] = [];
  const load = (name: string): unknown => {
    asked.push(name);
    if (name in installed) return installed[name];
    throw new Error(`Cannot find module '${name}'`);
  };
  return { asked, load };
}

test.each([
  ['20.19.0', 'better-sqlite3'],
  ['22.0.0', 'better-sqlite3-13'],
  ['24.21.0', 'better-sqlite3-13'],
  ['30.1.2', 'better-sqlite3-13'],
])('Node %s takes %s', (node, name) => {
  const { load } = loader({ [name]: Works });
  expect(sqliteLibrary(node, load)).toBe(Works);
});

test('a 12 is never taken on a Node that it ends', () => {
  const { asked, load } = loader({ 'better-sqlite3': Works });
  expect(() => sqliteLibrary('24.21.0', load)).toThrow(SqliteLibraryMissing);
  expect(asked).toEqual(['better-sqlite3-13']);
});

test('one that was not compiled is missing, and a command then ends with 2 and one sentence', () => {
  class NotCompiled {
    constructor() {
      throw new Error('Could not locate the bindings file. Tried:\n → build/better_sqlite3.node');
    }
  }
  const { load } = loader({ 'better-sqlite3': NotCompiled });
  let failure: unknown;
  try {
    sqliteLibrary('20.19.0', load);
  } catch (error) {
    failure = error;
  }
  expect(failureOf(failure)).toEqual({
    code: 2,
    line: 'matrix-2fa-proxy: Node 20.19.0 needs better-sqlite3 12, which cannot be loaded; with this Node run "npm rebuild better-sqlite3", or install again',
  });
});

test('nothing else loads the library: the wrong one for this Node is not there, or ends the process', () => {
  const loading = ['src', 'test', 'bench', 'demo'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(folder, file))
      .filter((file) => /^import (?!type)[^;]*from 'better-sqlite3/m.test(readFileSync(file, 'utf8'))),
  );
  expect(loading).toEqual([]);
});
