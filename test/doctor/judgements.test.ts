import { expect, test } from '@jest/globals';
import { judgeFiles, type SecretFile } from '../../src/doctor/file_checks.ts';
import { judgeClocks } from '../../src/doctor/homeserver_checks.ts';
import { isInnerAddress } from '../../src/doctor/later_checks.ts';
import { judgeProcesses } from '../../src/doctor/store_checks.ts';

const file = (change: Partial<SecretFile>): SecretFile => ({
  path: '/data/keys.json',
  mode: 0o100600,
  uid: 998,
  forbidden: 0o077,
  ownedByServe: true,
  ...change,
});

test.each([
  ['its owner alone', [file({})], 998, 'ok'],
  ['the group', [file({ mode: 0o100640 })], 998, 'fail'],
  ['the group of a file that a group may read', [file({ mode: 0o100640, forbidden: 0o007 })], 998, 'ok'],
  ['a file of another user', [file({}), file({ path: '/data/2fa.db', uid: 0 })], 998, 'fail'],
  ["another user's file that serve need not own", [file({ uid: 0, ownedByServe: false })], 998, 'ok'],
  ['an owner that cannot be told', [file({ uid: 0 })], undefined, 'ok'],
])('files for %s', (_, files, owner, verdict) => {
  expect(judgeFiles(files, owner).verdict).toBe(verdict);
});

test('whoever owns a wrong file is named, with what to do', () => {
  expect(judgeFiles([file({ uid: 0 })], 998)).toMatchObject({
    found: 'serve runs as user 998, which does not own /data/keys.json (user 0)',
    fix: 'chown 998 /data/keys.json',
  });
});

const clock = (aheadMs: number, uncertainMs = 0) => ({ name: 'the database', aheadMs, uncertainMs });

test.each([
  [[clock(2000)], 'ok'],
  [[clock(2001)], 'warn'],
  [[clock(-10_000)], 'warn'],
  [[clock(-10_001)], 'fail'],
  [[clock(2400, 500)], 'ok'],
  [[clock(0), { ...clock(60_000), name: 'the homeserver' }], 'fail'],
  [[], 'skipped'],
] as const)('clocks %j: %s', (clocks, verdict) => {
  expect(judgeClocks(clocks).verdict).toBe(verdict);
});

const process = (change: object) => ({
  id: 'p',
  host: 'h',
  version: '1.0.0',
  keyIds: 'k1 k2',
  settingsDigest: 'd',
  sealingKey: 'k2',
  ...change,
});

test.each([
  ['the same', [{}, {}], 'ok'],
  [
    'another version, whose settings cannot be compared',
    [{}, { version: '1.1.0', settingsDigest: 'e' }],
    'warn',
  ],
  ['other settings in one version', [{}, { settingsDigest: 'e' }], 'fail'],
  [
    'other settings in one version beside another version',
    [{}, { settingsDigest: 'e' }, { version: '2' }],
    'fail',
  ],
  ['a key less', [{}, { keyIds: 'k1' }], 'fail'],
])('processes with %s', (_, changes, verdict) => {
  expect(judgeProcesses(changes.map(process)).verdict).toBe(verdict);
});

test.each([
  ['127.0.0.1', true],
  ['::1', true],
  ['localhost', true],
  ['10.1.2.3', true],
  ['192.168.1.1', true],
  ['fd00::1', true],
  ['::ffff:10.0.0.1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['8.8.8.8', false],
  ['::ffff:8.8.8.8', false],
  ['matrix.example.org', false],
])('a listener on %s is for inner networks alone: %s', (host, isInner) => {
  expect(isInnerAddress(host)).toBe(isInner);
});
