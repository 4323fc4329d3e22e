import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { AdminTokens } from '../../src/admin/token_file.ts';
import { OperatedDatabase } from './operated_database.ts';

let database: OperatedDatabase;

beforeEach(async () => {
  database = new OperatedDatabase();
  await database.with(async () => undefined);
});

afterEach(() => database.line.remove());

function file(): string {
  return join(database.line.folder, 'data', 'admin_tokens.json');
}

function token(...words: string[]) {
  return database.line.type('admin', 'token', ...words);
}

test('a token is printed once; the file has its hash, for its owner only', async () => {
  const { code, out, err } = await token(
    'create',
    'desk',
    '--scope',
    'users:rescue, users:read',
    '--expires',
    '90d',
  );
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^m2fa_admin_[\w-]{43}$/);
  expect(readFileSync(file(), 'utf8')).not.toContain(out);
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  const now = database.line.clock.now();
  expect(JSON.parse((await token('list', '--json')).out)).toEqual([
    {
      name: 'desk',
      scopes: ['users:read', 'users:rescue'],
      created_at: now,
      expires_at: now + 90 * 24 * 3_600_000,
      expired: false,
    },
  ]);
  expect((await token('list')).out).toContain('users:read users:rescue');
  expect(new AdminTokens(file(), database.line.clock).find(out)).toMatchObject({ name: 'desk' });
  expect(await token('create', 'desk', '--scope', 'users:read')).toMatchObject({ code: 1, out: '' });

  expect(await token('revoke', 'desk')).toMatchObject({ code: 0 });
  expect(await token('revoke', 'desk')).toMatchObject({
    code: 1,
    err: 'matrix-2fa-proxy: there is no token desk',
  });
  expect((await token('list')).out).toBe('There is no token.');
  const records = await database.with(({ audit }) => audit.list({ userId: '' }));
  expect(records.map(({ event }) => event)).toEqual(['admin.token_revoked', 'admin.token_created']);
  expect(JSON.stringify(records)).not.toContain(out);
});

test.each([
  [['create', 'a b', '--scope', 'users:read'], 'a name has letters'],
  [['create', 'a'], "required option '--scope <scopes>' not specified"],
  [['create', 'a', '--scope', 'users:all'], '"users:all" is not a scope; there are users:read'],
  [['create', 'a', '--scope', 'users:read', '--expires', 'soon'], '--expires must be a duration'],
])('%j is wrong use, and makes no file', async (words, text) => {
  const { code, err } = await token(...words);
  expect(code).toBe(2);
  expect(err).toContain(text);
  expect(() => statSync(file())).toThrow('ENOENT');
});

test('a file that others may read, or that is something else, is refused', async () => {
  await token('create', 'desk', '--scope', 'users:read');
  chmodSync(file(), 0o644);
  expect(await token('list')).toMatchObject({ code: 2, err: expect.stringContaining('mode 0644') });
  writeFileSync(file(), '{"secret": 1}');
  chmodSync(file(), 0o600);
  const { code, err } = await token('list');
  expect(code).toBe(2);
  expect(err).toContain('it is not one that `admin token create` wrote');
  expect(() => new AdminTokens(file(), database.line.clock).find('x')).toThrow('file of admin tokens');
});
