import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { systemRandom } from '../../src/system/random.ts';
import { KeyFileError } from '../../src/vault/key_file_error.ts';
import { openKeys } from '../../src/vault/key_keeper.ts';
import { createKeyFile, type KeyRing, loadKeyRing, rotateKeyFile } from '../../src/vault/key_ring.ts';
import { type KeySource, readKeys } from '../../src/vault/key_source.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { SealBroken } from '../../src/vault/vault.ts';
import { ManualClock } from '../support/manual_clock.ts';

let folder: string;
let file: string;
let ring: KeyRing;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'key-source-'));
  file = join(folder, 'keys.json');
  ring = createKeyFile(file, systemRandom, new ManualClock());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const command = (...words: string[]): KeySource => ({ command: ['/bin/sh', ...words], timeoutMs: 5_000 });

async function problemWith(source: KeySource): Promise<string> {
  const error = await readKeys(source).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KeyFileError)) throw new Error('the keys were read', { cause: error });
  expect(error.message).not.toContain('\n');
  return error.message;
}

describe('where keys come from', () => {
  test('a file, a credential and the output of a command hold the same', async () => {
    expect(await readKeys({ file })).toEqual(ring);
    expect(await readKeys({ credential: 'keys.json', folder })).toEqual(ring);
    expect(await readKeys(command('-c', 'cat "$0"', file))).toEqual(ring);
  });

  test('a credential may belong to a group, as access lists show, but not to everybody', async () => {
    const path = join(folder, 'credential');
    writeFileSync(path, readFileSync(file));
    chmodSync(path, 0o440);
    expect(await readKeys({ credential: 'credential', folder })).toEqual(ring);
    chmodSync(path, 0o444);
    expect(await problemWith({ credential: 'credential', folder })).toContain('mode 0444');
  });

  test('without the folder of credentials the sentence says who sets it', async () => {
    expect(await problemWith({ credential: 'keys.json', folder: undefined })).toBe(
      'credential keys.json: $CREDENTIALS_DIRECTORY is not set; systemd sets it for a service with LoadCredential=',
    );
  });

  test.each<[string, KeySource, string]>([
    ['does not exist', { command: ['/no/such/program'], timeoutMs: 5_000 }, 'it cannot be run (ENOENT)'],
    ['fails', command('-c', 'echo secret; echo secret >&2; exit 3'), 'it ended with exit code 3'],
    ['is killed', command('-c', 'kill -9 $$'), 'it was ended by SIGKILL'],
    ['prints something else', command('-c', 'echo secret'), 'it is not a JSON object'],
    ['prints nothing', command('-c', 'true'), 'it is not a JSON object'],
    ['never ends', { command: ['/bin/sleep', '60'], timeoutMs: 50 }, 'it did not end within 0.05 s'],
    ['never stops printing', command('-c', 'while :; do echo secret; done'), 'longer than a key file'],
  ])('a command that %s is one sentence without its output', async (_name, source, text) => {
    const problem = await problemWith(source);
    expect(problem).toContain(text);
    expect(problem).not.toContain('secret');
  });

  test('a command that asks gets an end of input', async () => {
    expect(await readKeys(command('-c', 'read answer; cat "$0"', file))).toEqual(ring);
  });
});

describe('keys of a running process', () => {
  const clock = new ManualClock();
  const deps = { clock, random: systemRandom };
  const newest = () => loadKeyRing(file).keys.at(-1);

  test('are read again when ten seconds are over, and not before', async () => {
    for (const source of [{ file }, command('-c', 'cat "$0"', file)]) {
      const keys = await openKeys(source, deps);
      const added = rotateKeyFile(file, systemRandom, clock, 60_000).keys.at(-1);
      clock.advance(9_999);
      await keys.refresh();
      expect(keys.ring.keys).not.toContainEqual(added);
      clock.advance(1);
      await keys.refresh();
      expect(keys.ring.keys).toContainEqual(added);
    }
  });

  test('are read again on demand, which says whether they changed', async () => {
    const keys = await openKeys({ file }, deps);
    expect(await keys.reread()).toBe(false);
    rotateKeyFile(file, systemRandom, clock);
    expect(await keys.reread()).toBe(true);
    expect(keys.ring.active).toEqual(newest());
  });

  test('stay in use while they cannot be read', async () => {
    const source = { file: join(folder, 'moved.json') };
    writeFileSync(source.file, readFileSync(file), { mode: 0o600 });
    const keys = await openKeys(source, deps);
    const sealed = keys.vault.seal('seed', 'row');
    writeFileSync(source.file, '{');
    await expect(keys.reread()).rejects.toThrow(KeyFileError);
    expect(keys.vault.open(sealed, 'row').toString()).toBe('seed');
  });

  test('a file is read at once for an unknown key id, once a second whoever sends such ids', async () => {
    const keys = await openKeys({ file }, deps);
    const foreign = new SealingVault(ringOfNewKey(), systemRandom).seal('seed', 'row');
    expect(() => keys.vault.open(foreign, 'row')).toThrow(SealBroken);
    rotateKeyFile(file, systemRandom, clock);
    const sealed = new SealingVault(loadKeyRing(file), systemRandom, { clock }).seal('seed', 'row');
    clock.advance(999);
    expect(() => keys.vault.open(sealed, 'row')).toThrow(SealBroken);
    clock.advance(1);
    expect(keys.vault.open(sealed, 'row').toString()).toBe('seed');
  });

  test('a command is run for an unknown key id, and the value opens when it is asked for again', async () => {
    const keys = await openKeys(command('-c', 'cat "$0"', file), deps);
    rotateKeyFile(file, systemRandom, clock);
    const sealed = new SealingVault(loadKeyRing(file), systemRandom, { clock }).seal('seed', 'row');
    expect(() => keys.vault.open(sealed, 'row')).toThrow(SealBroken);
    // Joins the reading that is under way.
    await keys.reread();
    expect(keys.vault.open(sealed, 'row').toString()).toBe('seed');
  });

  function ringOfNewKey(): KeyRing {
    return createKeyFile(join(folder, 'other.json'), systemRandom, clock);
  }
});
