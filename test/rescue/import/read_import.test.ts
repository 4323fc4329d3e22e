import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Entry, ImportFileError } from '../../../src/rescue/import/entry.ts';
import {
  IMPORT_FORMATS,
  type ImportFormat,
  LONGEST_IMPORT_BYTES,
  MOST_ENTRIES,
  readImport,
} from '../../../src/rescue/import/read_import.ts';

import { cpuCostMs } from '../../support/cpu_cost.ts';

function fixture(name: string): Buffer {
  return readFileSync(join('test', 'rescue', 'fixtures', name));
}

/** The seed of a user in the fixtures. */
function seedOf(name: string): Buffer {
  return createHash('sha256').update(name).digest().subarray(0, 20);
}

function read(format: ImportFormat, text: string | Buffer): Entry[] {
  return readImport(format, Buffer.from(text));
}

function whyNot(format: ImportFormat, text: string | Buffer): string {
  try {
    read(format, text);
  } catch (error) {
    if (error instanceof ImportFileError) return error.message;
    throw error;
  }
  return '';
}

const BOTH = { algorithm: 'SHA1', digits: '6', period: '30' };

describe('what other programs write is read', () => {
  test.each([
    ['authelia', 'authelia.csv', 'line 2', 'line 3', BOTH],
    ['authelia', 'authelia.yaml', 'entry 1', 'entry 2', BOTH],
    ['privacyidea', 'privacyidea.csv', 'line 1', 'line 2', { ...BOTH, algorithm: 'sha1' }],
    ['privacyidea', 'privacyidea.yaml', 'entry 1', 'entry 2', { ...BOTH, algorithm: 'sha1' }],
  ] as const)('%s, %s', (format, file, first, second, parameters) => {
    expect(read(format, fixture(file)).slice(0, 2)).toEqual([
      expect.objectContaining({ is: 'found', place: first, user: 'ann', seed: seedOf('ann'), ...parameters }),
      expect.objectContaining({
        is: 'found',
        place: second,
        user: 'ben',
        seed: seedOf('ben'),
        ...parameters,
      }),
    ]);
  });

  test('privacyidea, YAML: no owner, other kinds, other algorithms, disabled and revoked ones', () => {
    expect(read('privacyidea', fixture('privacyidea.yaml')).slice(2)).toEqual([
      { is: 'skipped', place: 'entry 3', user: 'TOTP0003E6F7', why: 'it has no owner' },
      { is: 'skipped', place: 'entry 4', user: 'dee', why: 'it is of the kind HOTP' },
      {
        ...{ is: 'found', place: 'entry 5', user: 'eve', seed: seedOf('eve') },
        ...{ algorithm: 'sha256', digits: '8', period: '60' },
      },
      { is: 'skipped', place: 'entry 6', user: 'ann', why: 'it is of the kind SPASS' },
      { is: 'skipped', place: 'entry 7', user: 'ann', why: 'it is disabled' },
      { is: 'skipped', place: 'entry 8', user: 'ben', why: 'it is revoked' },
    ]);
  });

  test('privacyidea, YAML: a key that looks like a number, one in base32, and what says nothing of its state', () => {
    const token = (key: string, more = 'active: true\n  revoked: false') =>
      `- owner: ann@example\n  type: totp\n  otplen: 6\n  ${more}\n  otpkey: ${key}\n  info_list: {hashlib: sha1, timeStep: '30'}\n`;
    const [number, inBase32, unsaid] = read(
      'privacyidea',
      token('12345678901234567890e12345678901234567') + token('GEZDGNBVGY3TQOJQ') + token('00', ''),
    );
    expect(number).toMatchObject({ seed: Buffer.from('12345678901234567890e12345678901234567', 'hex') });
    expect(inBase32).toMatchObject({ seed: Buffer.from('1234567890') });
    expect(unsaid).toMatchObject({ is: 'skipped' });
  });

  test('privacyidea, table: no owner, HOTP, keys in base32', () => {
    expect(read('privacyidea', fixture('privacyidea.csv')).slice(2)).toEqual([
      { is: 'skipped', place: 'line 3', user: 'TOTP0003E6F7', why: 'it has no owner' },
      { is: 'skipped', place: 'line 4', user: 'dee', why: 'it is of the kind HOTP' },
    ]);
    const [inBase32] = read(
      'privacyidea',
      'a@b@realm, TOTP1, GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ, totp, 6, 30\n',
    );
    expect(inBase32).toMatchObject({ user: 'a@b', seed: Buffer.from('12345678901234567890') });
  });

  test('keycloak: texts as keys, base32, several of a user, disabled users, HOTP', () => {
    const place = 'user 1';
    expect(read('keycloak', fixture('keycloak.json'))).toEqual([
      { is: 'found', place, user: 'ann', name: 'Phone', ...BOTH, seed: Buffer.from('k4tZ9wYp2LmQxN7sVbRa') },
      { is: 'found', place, user: 'ann', name: 'Tablet', ...BOTH, seed: seedOf('ann') },
      { is: 'found', place: 'user 2', user: 'ben', ...BOTH, seed: Buffer.from('Hb3nTq8ZsW1yKd5MfJ0x') },
      { is: 'skipped', place: 'user 3', user: 'cid', why: 'the user is disabled' },
      { is: 'skipped', place: 'user 4', user: 'dee', why: 'it is of the kind HOTP' },
    ]);
  });

  test('our own table: what is left out is as most apps have it', () => {
    const [first, second] = read('csv', fixture('plain.csv'));
    expect(first).toMatchObject({
      user: '@ann:example.org',
      name: 'Phone, new',
      ...BOTH,
      seed: seedOf('ann'),
    });
    expect(second).toMatchObject({ user: '@ben:example.org', algorithm: 'sha1', seed: seedOf('ben') });
    expect(read('csv', '\ufeffseed,user_id\r\nGEZDGNBVGY3TQOJQ,@a:b\r\n')).toMatchObject([{ user: '@a:b' }]);
  });
});

describe('attack 188: half files, other files and bombs are refused, and nothing of them is shown', () => {
  const SECRET = 'GEZDGNBVGY3TQOJQ';
  test.each([
    ['csv', '', 'the first line must name the column user_id'],
    ['csv', 'user_id,seed\n', 'there is no authenticator in it'],
    ['csv', `user_id,secret\n@a:b,${SECRET}\n`, 'the first line must name the column seed'],
    ['csv', `user_id,seed,${SECRET}\n@a:b,${SECRET},x\n`, 'column 3 of the first line must be one of'],
    ['csv', `user_id,seed,seed\n@a:b,${SECRET},x\n`, 'column 3 of the first line must be one of'],
    ['csv', `user_id,seed\n@a:b,"${SECRET}\n`, 'cannot be read as a line of a table'],
    ['csv', `user_id,seed\n@a:b\n`, 'line 2 cannot be read as a line of a table'],
    ['csv', `user_id,seed\n@a:b,${SECRET.repeat(1000)}\n`, 'cannot be read as a line of a table'],
    ['authelia', `totp_configurations: [{secret: ${SECRET}`, 'the file is not YAML'],
    ['authelia', `a: &a [${SECRET}]\ntotp_configurations: [*a, *a, *a]`, 'the file is not YAML'],
    ['authelia', `webauthn_credentials: []`, 'there is no list totp_configurations'],
    ['keycloak', `{"users": [{"secret": "${SECRET}"`, 'the file is not JSON'],
    ['keycloak', `{"realm": "${SECRET}"}`, 'there is no list users'],
    ['keycloak', `[]`, 'there is no list users'],
    [
      'privacyidea',
      `<?xml version="1.0"?><KeyContainer>${SECRET}`,
      'in the format pskc: make one with --format csv',
    ],
    ['privacyidea', `gAAAAABn${SECRET}`, 'in the format pi: make one with --format csv'],
    ['privacyidea', `[{"serial": "${SECRET}"}]`, 'in the format pi: make one with --format csv'],
  ] as const)('%s: %j', (format, text, why) => {
    const said = whyNot(format, text);
    expect(said).toContain(why);
    expect(said).not.toContain(SECRET);
  });

  test('a line that is not one of privacyidea is named, not shown', () => {
    expect(read('privacyidea', `user_id,seed\n@a:b,${SECRET}\n`)).toEqual([
      { is: 'unreadable', place: 'line 1', why: 'this is not a line of pi-tokenjanitor' },
      { is: 'unreadable', place: 'line 2', why: 'this is not a line of pi-tokenjanitor' },
    ]);
  });

  test('more than may be read, or written in one commit', () => {
    expect(whyNot('csv', Buffer.alloc(LONGEST_IMPORT_BYTES + 1))).toBe('more than 8 MiB: import it in parts');
    const rows = `@a:b,${SECRET}\n`.repeat(MOST_ENTRIES + 1);
    expect(whyNot('csv', `user_id,seed\n${rows}`)).toBe('more than 5000 authenticators: import it in parts');
    expect(whyNot('csv', Buffer.from([0x75, 0xff, 0xfe]))).toBe('the file is not text in UTF-8');
  });

  test('attack 373: very many keys in one map take no longer than as many lines', async () => {
    const keys = Array.from({ length: 20_000 }, (_, at) => `k${at}: 1`);
    const costs = [];
    for (const text of [`- ${keys.join('\n  ')}`, keys.map((key) => `- ${key}`).join('\n')]) {
      costs.push(await cpuCostMs(() => whyNot('authelia', `totp_configurations:\n${text}`), 2));
    }
    const [inOne = 0, apart = 0] = costs;
    expect(inOne).toBeLessThan(4 * apart);
  });

  test('a key that stands twice in one map is a fault of the file: which of the two is meant is not known', () => {
    const entry = `username: ann, username: ben, algorithm: SHA1, digits: 6, period: 30, secret: ${SECRET}`;
    expect(whyNot('authelia', `totp_configurations: [{ ${entry} }]`)).toBe('the file is not YAML');
  });

  test('nesting without an end is refused as any other file', () => {
    const deep = '['.repeat(1_000_000);
    expect(whyNot('keycloak', deep)).toBe('the file is not JSON');
    expect(whyNot('keycloak', deep + ']'.repeat(1_000_000))).toBe('there is no list users');
    expect(whyNot('authelia', `totp_configurations: ${'['.repeat(20_000)}`)).toBe('the file is not YAML');
  });

  test('any text is read, or refused as a file', () => {
    const format = fc.constantFrom(...IMPORT_FORMATS);
    const json = fc.json().map((text) => `{"users": [${text}]}`);
    const yaml = fc.json().map((text) => `totp_configurations: [${text}]`);
    const text = fc.oneof(
      fc.string(),
      json,
      yaml,
      fc.string().map((rest) => `user_id,seed\n${rest}`),
    );
    fc.assert(
      fc.property(format, text, (of, from) => typeof whyNot(of, from) === 'string'),
      { numRuns: 300 },
    );
  });
});
