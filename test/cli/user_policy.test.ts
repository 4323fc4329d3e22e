import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { findPolicy } from '../../src/storage/tables/policies.ts';
import { type CommandLine, commandLine } from './command_line.ts';

const BOB = '@bob:example.org';

let line: CommandLine;
let storage: Storage;

beforeAll(async () => {
  line = commandLine();
  await line.type('init', '--dir', line.folder, '--homeserver', 'http://127.0.0.1:1');
  storage = await openSqliteStorage({ path: join(line.folder, 'data/2fa.db'), clock: line.clock });
});

afterAll(async () => {
  await storage.close();
  line.remove();
});

test('a user of whom nothing is known is refused, unless they may be unseen', async () => {
  const refused = await line.type('user', 'policy', BOB, 'required');
  expect(refused.code).toBe(1);
  expect(refused.err).toContain('is not known here');
  expect(await storage.audit.list({ userId: BOB })).toEqual([]);
  const taken = await line.type(
    'user',
    'policy',
    BOB,
    'required',
    '--unseen',
    '--grace',
    '7d',
    '--reason',
    'new',
  );
  expect(taken).toMatchObject({ code: 0, err: '' });
  expect(taken.out).toContain('policy: required (database)\n  grace: 604800s (database)');
  expect(taken.out).toContain('after_grace: enrol (default)');
});

test('a reason that says nothing, or too much, is wrong use', async () => {
  for (const reason of [' ', 'x'.repeat(1001)]) {
    const { code, err } = await line.type('user', 'policy', BOB, 'required', '--unseen', '--reason', reason);
    expect([code, err]).toEqual([2, expect.stringMatching(/^matrix-2fa-proxy: --reason must /)]);
  }
});

test('what was set is shown with its source, on record, and under another version of the account', async () => {
  const [before] = await storage.read(findPolicy(BOB));
  const json = await line.type('user', 'policy', BOB, 'forbidden', '--json');
  expect(JSON.parse(json.out)).toMatchObject({
    user_id: BOB,
    policy: { value: 'forbidden', source: 'database' },
    grace: { value: '0s', source: 'default' },
    deadline_ts: null,
  });
  const [after] = await storage.read(findPolicy(BOB));
  expect(after?.version).toBe((before?.version ?? 0) + 1);
  expect((await storage.audit.list({ userId: BOB })).map(({ event, detail }) => ({ event, detail }))).toEqual(
    [
      { event: 'policy.changed', detail: { policy: 'forbidden' } },
      { event: 'policy.changed', detail: { policy: 'required', grace: '604800s', reason: 'new' } },
    ],
  );
  const inherited = await line.type('user', 'policy', BOB, 'inherit');
  expect(inherited.out).toContain('policy: optional (default)');
  // To show it changes nothing.
  expect((await line.type('user', 'policy', BOB)).out).toBe(inherited.out);
  expect(await storage.audit.list({ userId: BOB })).toHaveLength(3);
});

test.each([
  ['another mode', ['mandatory']],
  ['a date that is none', ['required', '--grace', '2027-02-30']],
  ['a reason without a change', ['--reason', 'x']],
  ['a grace that is taken back at once', ['inherit', '--grace', '7d']],
])('wrong usage: %s', async (_what, words) => {
  expect((await line.type('user', 'policy', BOB, ...words)).code).toBe(2);
});
