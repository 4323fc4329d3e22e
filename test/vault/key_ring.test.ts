import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { systemRandom } from '../../src/system/random.ts';
import { KeyFileError } from '../../src/vault/key_file_error.ts';
import { createKeyFile, describeKeys, loadKeyRing, rotateKeyFile } from '../../src/vault/key_ring.ts';

const clock = { now: () => Date.UTC(2030, 0, 2) };

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'key-ring-'));
  path = join(directory, 'data', 'keys.json');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** What `action` throws, or undefined. */
function problemOf(action: () => unknown): KeyFileError | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof KeyFileError) return error;
    throw error;
  }
}

function writeKeyFile(content: unknown): void {
  mkdirSync(join(directory, 'data'), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
}

describe('creating', () => {
  test('makes a file that only its owner may read, and that loads', () => {
    const made = createKeyFile(path, systemRandom, clock);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const loaded = loadKeyRing(path);
    expect(loaded).toEqual(made);
    expect(loaded.active.secret).toHaveLength(32);
    expect(loaded.active.created).toBe(clock.now());
  });

  test('never overwrites', () => {
    createKeyFile(path, systemRandom, clock);
    const before = readFileSync(path, 'utf8');
    expect(problemOf(() => createKeyFile(path, systemRandom, clock))?.problem).toBe('exists');
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  test('no key id begins as an option of a command does', () => {
    const likeOptions = { bytes: (count: number) => Buffer.alloc(count, 0xfb) };
    expect(createKeyFile(path, likeOptions, clock).active.id).toMatch(/^[A-Za-z0-9_]/);
  });

  test('two files have different secrets', () => {
    const one = createKeyFile(path, systemRandom, clock);
    const other = createKeyFile(`${path}2`, systemRandom, clock);
    expect(one.active.secret.equals(other.active.secret)).toBe(false);
  });
});

describe('attack 91: a key file that cannot be used is refused, and the text says why', () => {
  test('attack 91: missing', () => {
    const problem = problemOf(() => loadKeyRing(path));
    expect(problem?.problem).toBe('missing');
    expect(problem?.message).toContain(path);
  });

  test.each([0o640, 0o604, 0o620, 0o666])('attack 91: others may use it (mode %o)', (mode) => {
    createKeyFile(path, systemRandom, clock);
    chmodSync(path, mode);
    expect(problemOf(() => loadKeyRing(path))?.problem).toBe('permissions');
  });

  test('attack 91: a directory in its place', () => {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
    expect(problemOf(() => loadKeyRing(path))?.problem).toBe('unreadable');
  });

  const secret = Buffer.alloc(32, 7).toString('base64');
  const key = { id: 'a', created: '2030-01-02T00:00:00.000Z', secret };
  test.each<[string, unknown]>([
    ['empty', ''],
    ['no JSON', `{"version":1,"keys":[${secret}`],
    ['an array', []],
    ['another version', { version: 2, active: 'a', keys: [key] }],
    ['no keys', { version: 1, active: 'a', keys: [] }],
    ['no list of keys', { version: 1, active: 'a' }],
    ['active unknown', { version: 1, active: 'b', keys: [key] }],
    ['active missing', { version: 1, keys: [key] }],
    ['an id twice', { version: 1, active: 'a', keys: [key, key] }],
    ['an empty id', { version: 1, active: '', keys: [{ ...key, id: '' }] }],
    ['an id too long', { version: 1, active: 'a', keys: [key, { ...key, id: 'x'.repeat(65) }] }],
    ['a key without date', { version: 1, active: 'a', keys: [{ ...key, created: 'yesterday' }] }],
    ['a short secret', { version: 1, active: 'a', keys: [{ ...key, secret: 'AAAA' }] }],
    ['a secret in another alphabet', { version: 1, active: 'a', keys: [{ ...key, secret: `!${secret}` }] }],
    ['a key active from no date', { version: 1, active: 'a', keys: [{ ...key, active_from: 'soon' }] }],
    ['a key that is null', { version: 1, active: 'a', keys: [null] }],
  ])('attack 91: malformed: %s', (_what, content) => {
    writeKeyFile(content);
    const problem = problemOf(() => loadKeyRing(path));
    expect(problem?.problem).toBe('malformed');
    expect(problem?.message).not.toContain(secret.slice(0, 8));
    expect(problem?.cause).toBeUndefined();
  });
});

describe('listing', () => {
  test('shows ids, dates and which is active, and no secret', () => {
    createKeyFile(path, systemRandom, clock);
    const later = clock.now() + 1000;
    rotateKeyFile(path, systemRandom, { now: () => later });
    const ring = rotateKeyFile(path, systemRandom, { now: () => later }, 60_000);
    const [first, second, third] = ring.keys;
    const states = (now: number) => describeKeys(ring, now).map(({ id, state }) => [id, state]);
    expect(states(later)).toEqual([
      [first?.id, 'opens'],
      [second?.id, 'active'],
      [third?.id, 'pending'],
    ]);
    expect(states(later + 60_000)).toEqual([
      [first?.id, 'opens'],
      [second?.id, 'opens'],
      [third?.id, 'active'],
    ]);
    expect(JSON.stringify(describeKeys(ring, later))).not.toContain(first?.secret.toString('base64'));
  });
});

describe('rotating', () => {
  test('adds an active key and keeps the old one, in a file that is still private', () => {
    const before = createKeyFile(path, systemRandom, clock);
    const after = rotateKeyFile(path, systemRandom, clock);
    expect(after.keys[0]).toEqual(before.active);
    expect(after.active.id).not.toBe(before.active.id);
    expect(loadKeyRing(path)).toEqual(after);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(directory, 'data'))).toEqual(['keys.json']);
  });

  test('a second rotation at the same time is refused and changes nothing', () => {
    createKeyFile(path, systemRandom, clock);
    const before = readFileSync(path, 'utf8');
    writeFileSync(`${path}.new`, '', { mode: 0o600 });
    expect(problemOf(() => rotateKeyFile(path, systemRandom, clock))?.problem).toBe('busy');
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  test('a file that does not load is left as it is', () => {
    writeKeyFile('{}');
    expect(problemOf(() => rotateKeyFile(path, systemRandom, clock))?.problem).toBe('malformed');
    expect(readFileSync(path, 'utf8')).toBe('{}');
    expect(readdirSync(join(directory, 'data'))).toEqual(['keys.json']);
  });
});
