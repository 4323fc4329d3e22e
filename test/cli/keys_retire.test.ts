import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import { effect } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { LiveProcesses } from '../../src/storage/tables/processes.ts';
import { keepSetup } from '../../src/storage/tables/setups.ts';
import { systemRandom } from '../../src/system/random.ts';
import { DatabaseMarks } from '../../src/vault/database_marks.ts';
import { loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { setup } from '../storage/rows.ts';
import { enrol } from '../support/enrolment.ts';
import { mainFile } from '../support/serve_process.ts';
import { type CommandLine, commandLine } from './command_line.ts';

const BOB = '@bob:example.org';

/** Preloaded into a command: kill -9 as soon as its first remark is written, which a pipe takes at once. */
const DIES_AT_ITS_FIRST_REMARK = `data:text/javascript,${encodeURIComponent(`
  const { write } = process.stderr;
  process.stderr.write = (...given) => {
    Reflect.apply(write, process.stderr, given);
    process.kill(process.pid, 'SIGKILL');
  };
`)}`;

let line: CommandLine;
let file: string;
let storage: Storage;
let first: string;

beforeEach(async () => {
  line = commandLine();
  await line.type('init', '--dir', line.folder);
  file = join(line.folder, 'data/keys.json');
  storage = await openSqliteStorage({ path: join(line.folder, 'data/2fa.db'), clock: line.clock });
  first = loadKeyRing(file).active.id;
  const vault = new SealingVault(loadKeyRing(file), systemRandom);
  await enrol({ store: storage.factors, vault, clock: line.clock }, BOB);
});
afterEach(async () => {
  await storage.close();
  line.remove();
});

const listed = async () => JSON.parse((await line.type('keys', 'list', '--json')).out);

/** A key more, which has been active for a minute. */
async function rotate(): Promise<string> {
  await line.type('keys', 'rotate');
  line.clock.advance(120_000);
  return loadKeyRing(file).keys.at(-1)?.id ?? '';
}

/** Bob has made his recovery codes under the newest key. */
const renewCodes = (id: string) =>
  storage.commit([BOB], effect('UPDATE recovery_sets SET pepper_key_id = :id', { id }));

function announce(id: string, sealingKey: string): Promise<void> {
  const described = { host: 'far', version: '1.0.0', keyIds: `${first} ${sealingKey}`, settingsDigest: '' };
  return new LiveProcesses(storage, id, () => ({ ...described, sealingKey })).announce();
}

test('what is under the key opens without it, and the key is gone', async () => {
  const marks = new DatabaseMarks({ source: { file }, marks: undefined }, () => loadKeyRing(file));
  marks.add('a database');
  const second = await rotate();
  expect(await listed()).toMatchObject([
    { id: first, state: 'opens', values: 2 },
    { id: second, state: 'active', values: 0 },
  ]);
  await renewCodes(second);
  await announce('one', second);

  expect(await line.type('keys', 'retire', first)).toEqual({
    code: 0,
    out: `${file} does not have the key ${first} any more.\nBackups from before need it: keep the older copy of the key file as long as you keep those.`,
    err: 'note: 1 value sealed under the active key',
  });

  expect(await listed()).toMatchObject([{ id: second, state: 'active', values: 3, processes: 1 }]);
  expect(loadKeyRing(file).active.id).toBe(second);
  expect(marks.has('a database')).toBe(true);
  const [authenticator] = await storage.factors.authenticators(BOB);
  const identity = `authenticator:${authenticator?.id}:${BOB}`;
  const vault = new SealingVault(loadKeyRing(file), systemRandom);
  expect(vault.open(authenticator?.sealedSeed ?? Buffer.alloc(0), identity).length).toBeGreaterThan(0);
});

test('the active key, a pending one and one that is not there stay', async () => {
  await line.type('keys', 'rotate');
  const pending = loadKeyRing(file).keys.at(-1)?.id ?? '';
  const before = readFileSync(file, 'utf8');
  expect(await line.type('keys', 'retire', first)).toMatchObject({
    code: 1,
    err: `matrix-2fa-proxy: ${first} is the active key; keys rotate makes another one to take its place`,
  });
  expect(await line.type('keys', 'retire', pending)).toMatchObject({
    code: 1,
    err: `matrix-2fa-proxy: ${pending} is not active yet; it is needed from then on`,
  });
  expect(await line.type('keys', 'retire', 'none')).toMatchObject({
    code: 1,
    err: 'matrix-2fa-proxy: there is no key none; keys list shows them',
  });
  line.clock.advance(70_000);
  expect(await line.type('keys', 'retire', first)).toMatchObject({
    code: 1,
    err: `matrix-2fa-proxy: ${first} was active a moment ago; it can be retired in 50 s`,
  });
  expect(readFileSync(file, 'utf8')).toBe(before);
});

test.each([
  ['seals with the old key', () => first],
  ['does not say', () => ''],
])('nothing is done while a process %s', async (_what, sealingKey) => {
  const second = await rotate();
  await renewCodes(second);
  await announce('one', second);
  await announce('two', sealingKey());
  expect(await line.type('keys', 'retire', first)).toMatchObject({
    code: 1,
    out: '',
    err: `matrix-2fa-proxy: 1 of the 2 running processes (one on far) do not seal with the active key ${second} yet`,
  });
  expect(await listed()).toMatchObject([{ id: first, values: 1 }, { id: second }]);
});

test('nothing is done while recovery codes need its pepper', async () => {
  await rotate();
  expect(await line.type('keys', 'retire', first)).toMatchObject({
    code: 1,
    out: '',
    err: `matrix-2fa-proxy: 1 set of recovery codes cannot be checked without ${first}; their users have to renew them first`,
  });
  expect(await listed()).toMatchObject([{ id: first, values: 2 }, { values: 0 }]);
});

test('nothing is done while an emergency code needs its pepper', async () => {
  const grounds = ['--reason', 'lost', '--verified-by', 'seen'];
  expect(await line.type('user', 'emergency-code', BOB, ...grounds)).toMatchObject({ code: 0 });
  await renewCodes(await rotate());
  expect(await line.type('keys', 'retire', first)).toMatchObject({
    code: 1,
    out: '',
    err: `matrix-2fa-proxy: 1 emergency code cannot be checked without ${first}; make new ones, or wait for their end`,
  });
});

test('nothing is done while a device password is found by its digests only', async () => {
  await storage.commit(
    [BOB],
    effect(
      `INSERT INTO device_passwords
      (id, user_id, name, secret_digest, device_id, token_hash, sealed_token, created_at)
      VALUES ('d', :user, 'bot', :digest, 'D', 'hash', x'00', 0)`,
      { user: BOB, digest: `${first}.00` },
    ),
  );
  await renewCodes(await rotate());
  expect(await line.type('keys', 'retire', first)).toMatchObject({
    code: 1,
    out: '',
    err:
      `matrix-2fa-proxy: 1 device password cannot be checked without ${first}; each moves on to the active key at ` +
      'its next use, or is revoked',
  });
});

test('a value that does not open keeps the key', async () => {
  await renewCodes(await rotate());
  await storage.commit([BOB], effect('UPDATE authenticators SET id = :id', { id: 'another' }));
  expect(await line.type('keys', 'retire', first)).toMatchObject({
    code: 1,
    err: `matrix-2fa-proxy: 1 value under ${first} cannot be opened with it; it stays`,
  });
  expect(await listed()).toHaveLength(2);
});

test('keys that cannot be written are printed without it, after the values were sealed again', async () => {
  const second = await rotate();
  await renewCodes(second);
  line.changeConfig('file: data/keys.json', `command: [/bin/cat, ${file}], marks: data/marks.json`);
  expect(await line.type('keys', 'retire', first)).toMatchObject({ code: 2, out: '' });
  const { code, out, err } = await line.type('keys', 'retire', first, '--stdout');
  expect({ code, err }).toEqual({
    code: 0,
    err: 'note: 1 value sealed under the active key\nnote: put this in place of the command /bin/cat',
  });
  expect(JSON.parse(out)).toMatchObject({ active: second, keys: [{ id: second }] });
  writeFileSync(file, out);
  expect(await listed()).toMatchObject([{ id: second, values: 3 }]);
});

test('a key file that stays as it is keeps its marks; what is printed in its place knows the database, too', async () => {
  const marks = new DatabaseMarks({ source: { file }, marks: undefined }, () => loadKeyRing(file));
  marks.add('a database');
  await renewCodes(await rotate());
  const before = readFileSync(file, 'utf8');
  const { code, out } = await line.type('keys', 'retire', first, '--stdout');
  expect(code).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe(before);
  writeFileSync(file, out);
  expect([marks.any(), marks.has('a database')]).toEqual([true, true]);
});

test('killed between two batches it has lost nothing, and is run again', async () => {
  line.clock.set(Date.now() - 300_000);
  const second = await rotate();
  line.clock.set(Date.now());
  await renewCodes(second);
  const vault = new SealingVault(
    { ...loadKeyRing(file), keys: loadKeyRing(file).keys.slice(0, 1) },
    systemRandom,
  );
  for (let batch = 0; batch < 60; batch += 1) {
    const setups = Array.from({ length: 100 }, (_, number) => {
      const userId = `@user-${batch}-${number}:example.org`;
      const sealedSeed = vault.seal('seed', `setup:id ${userId}:${userId}`);
      return keepSetup(setup(userId, { id: `id ${userId}`, sealedSeed }), false);
    });
    await storage.commit([], setups);
  }
  const words = ['--import', DIES_AT_ITS_FIRST_REMARK, mainFile(), 'keys', 'retire', first];
  const child = spawn(process.execPath, [...words, '--config', line.configFile], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [said, ended] = await Promise.all([text(child.stderr), once(child, 'close')]);
  expect(said).toMatch(/^note: 1001 of 6001 values are done/);
  expect(ended).toEqual([null, 'SIGKILL']);

  const [old, active] = await listed();
  expect(old).toMatchObject({ id: first, state: 'opens' });
  expect(old.values).toBeGreaterThan(0);
  expect(old.values).toBeLessThanOrEqual(5_001);
  expect(old.values + active.values).toBe(6_002);
  expect(await line.type('keys', 'retire', first)).toMatchObject({ code: 0 });
  expect(await listed()).toMatchObject([{ id: second, values: 6_003 }]);
});
