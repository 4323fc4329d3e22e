import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { nameNewFile, replaceDatabaseFile } from '../../src/storage/sqlite/replaced_file.ts';

let folder: string;
let prepared: string;
let target: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'replaced-file-'));
  prepared = join(folder, '2fa.db.restoring-1');
  target = join(folder, '2fa.db');
  writeFileSync(prepared, 'new');
});

afterEach(() => rmSync(folder, { recursive: true }));

/** A file system that knows one name for a file. */
function withoutLinks(): never {
  throw Object.assign(new Error('no links'), { code: 'EPERM' });
}

test.each([
  ['with', undefined],
  ['without', withoutLinks],
])('a new file gets its name on a file system %s links, if no other one has it', (_what, link) => {
  nameNewFile(prepared, target, link);
  rmSync(prepared, { force: true });
  writeFileSync(prepared, 'another');
  expect(() => nameNewFile(prepared, target, link)).toThrow(expect.objectContaining({ code: 'EEXIST' }));
  expect(readFileSync(target, 'utf8')).toBe('new');
});

test('commits that closing could not bring into a file are not left behind: the disk may be full', () => {
  writeFileSync(target, 'old');
  writeFileSync(`${prepared}-wal`, 'commits');
  const kept = join(folder, 'kept');
  expect(() => replaceDatabaseFile(prepared, target, kept)).toThrow('the disk may be full');
  expect(() => nameNewFile(prepared, join(folder, 'backup.db'))).toThrow('the disk may be full');
  expect(readFileSync(target, 'utf8')).toBe('old');
  expect(readdirSync(folder)).toHaveLength(3);
  expect(existsSync(kept)).toBe(false);
});
