import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { LANE_RULES } from '../../src/limits/throttle.ts';
import { readGrant } from '../../src/second_factor/grant.ts';
import { HeldLogins } from '../../src/second_factor/held_logins.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { keepDevicePassword, listDevicePasswords } from '../../src/storage/tables/device_passwords.ts';
import { countAttempt, lanesOf } from '../../src/storage/tables/lanes.ts';
import { systemRandom } from '../../src/system/random.ts';
import { loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { keepSessionOf } from '../storage/oauth_rows.ts';
import { type Enrolled, enrol } from '../support/enrolment.ts';
import { enter, type GivenRecord } from '../support/entries.ts';
import { nextEndOfHold } from '../support/rows.ts';
import { type CommandLine, commandLine } from './command_line.ts';

const BOB = '@bob:example.org';
const CAROL = '@carol:example.org';
const GROUNDS = ['--reason', 'lost', '--verified-by', 'passport seen'];

let line: CommandLine;
let storage: Storage;
let vault: Vault;
let bob: Enrolled;
let homeserver: Server;
/** The tokens that were logged out at the homeserver. */
let loggedOut: string[];

beforeEach(async () => {
  loggedOut = [];
  homeserver = createServer((request, response) => {
    if (request.url?.endsWith('/logout')) loggedOut.push(request.headers.authorization ?? '');
    response.setHeader('Content-Type', 'application/json').end('{}');
  });
  await new Promise<void>((resolve) => homeserver.listen(0, '127.0.0.1', resolve));
  const { port } = homeserver.address() as AddressInfo;

  line = commandLine();
  await line.type('init', '--dir', line.folder, '--homeserver', `http://127.0.0.1:${port}`);
  storage = await openSqliteStorage({ path: join(line.folder, 'data/2fa.db'), clock: line.clock });
  vault = new SealingVault(loadKeyRing(join(line.folder, 'data/keys.json')), systemRandom);
  const parts = { store: storage.factors, vault, clock: line.clock };
  bob = await enrol(parts, BOB);
  await enrol(parts, CAROL);
});

afterEach(async () => {
  await storage.close();
  await new Promise((resolve) => homeserver.close(resolve));
  line.remove();
});

/** A login of Bob's waits for its second factor. */
async function holdLogin(): Promise<void> {
  const settings = { holdTtlMs: 300_000, maximum: 10, allowance: { perSecond: 0.003, burstCount: 4 } };
  const json = { user_id: BOB, access_token: 'held-token', device_id: 'PHONE' };
  const grant = readGrant({ status: 200, headers: {}, bytes: Buffer.alloc(0), json });
  if (grant === undefined) throw new Error('a grant of this shape is read');
  await new HeldLogins({ storage, vault, clock: line.clock, random: systemRandom }, settings).keep({
    grant,
    password: 'secret password',
    usesAllowance: false,
    joinKeys: undefined,
    atEnd: 'logout',
    version: undefined,
  });
}

/** A device password that was made. */
async function keepDevicePasswordOf(userId: string): Promise<void> {
  const json = { user_id: userId, access_token: 'bots-token', device_id: 'BOT' };
  const grant = readGrant({ status: 200, headers: {}, bytes: Buffer.alloc(0), json });
  if (grant === undefined) throw new Error('a grant of this shape is read');
  const made = {
    ...{ id: 'd', userId, name: 'bot', deviceId: 'BOT', lifetimeMs: null },
    secretDigest: 'key.00',
    tokenHash: grant.tokenHash,
    sealedToken: grant.sealToken(vault, 'device-password', { id: 'd', userId }),
  };
  await storage.commit([userId], keepDevicePassword(made, 9));
}

/** Alice had 2FA on once. */
function alicesOldRecord(): GivenRecord {
  const at = line.clock.now();
  return {
    at,
    userId: '@alice:example.org',
    event: 'totp.disabled',
    address: null,
    deviceId: null,
    detail: {},
  };
}

/** Wrong codes in a row at login. */
async function failTimes(userId: string, times: number): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    await storage.commit([userId], countAttempt(userId, 'elsewhere', LANE_RULES));
  }
}

const NOT_ASKED = {
  policy: 'optional',
  policy_source: 'default',
  deadline_ts: null,
  administrator: null,
};
const ENROLLED = {
  ...{ enabled: true, authenticators: 1, factors: { totp: 1 }, recovery_codes_remaining: 3 },
  ...{ last_used_at: null, first_seen_at: null, last_seen_at: null, locked: false },
  ...NOT_ASKED,
  standing: 'owes_factor',
};

describe('user list', () => {
  test('names everybody who has 2FA on', async () => {
    const { code, out } = await line.type('user', 'list', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual([
      { user_id: BOB, ...ENROLLED },
      { user_id: CAROL, ...ENROLLED },
    ]);
  });

  test('shows who has no codes left', async () => {
    await storage.factors.deleteRecoverySet(CAROL);
    const { out } = await line.type('user', 'list');
    expect(out.split('\n').find((row) => row.startsWith(CAROL))).toContain('none left');
    expect(out.split('\n').find((row) => row.startsWith(BOB))).not.toContain('none left');
  });
});

describe('user show', () => {
  test('tells the state without a secret', async () => {
    await holdLogin();
    await failTimes(BOB, 2);
    const { out } = await line.type('user', 'show', BOB, '--json');
    expect(JSON.parse(out)).toEqual({
      user_id: BOB,
      enabled: true,
      authenticators: [
        { id: bob.authenticatorId, name: 'phone', enabled_at: line.clock.now(), last_used_at: null },
      ],
      recovery: { remaining: 3, total: 3, generated_at: line.clock.now() },
      locked: false,
      lanes: [{ lane: 'elsewhere', failures: 2, wait_until: 0, shut: false }],
      held_logins: 1,
      recovery_request: null,
      device_passwords: [],
      oauth_sessions: [],
      ...NOT_ASKED,
      standing: 'owes_factor',
    });
    const text = await line.type('user', 'show', BOB);
    expect(text.out).toContain('two-factor authentication is on');
    expect(text.out).toContain('2 wrong codes in a row (elsewhere)');
    expect(text.out).toContain('  policy: optional\n');
    expect(text.out).toContain('1 sign-in waiting for a code');
    expect(text.out + out).not.toContain(bob.recoveryCodes[0]);
  });

  test('names the apps that are signed in by OAuth, without what their tokens hold', async () => {
    await keepSessionOf(storage, { userId: BOB, sessionId: 'unguessable', clientId: 'element' });
    const now = line.clock.now();
    const { out } = await line.type('user', 'show', BOB, '--json');
    expect(JSON.parse(out).oauth_sessions).toEqual([
      { client_id: 'element', device_id: 'DEVICE', created_at: now, last_used_at: now },
    ]);
    const text = await line.type('user', 'show', BOB);
    expect(text.out).toContain('  app element by OAuth, device DEVICE, since ');
    expect(text.out + out).not.toContain('unguessable');
  });

  test('of somebody who turned 2FA off says that it is off', async () => {
    await enter(storage, alicesOldRecord());
    expect(await line.type('user', 'show', '@alice:example.org')).toEqual({
      code: 0,
      out: '@alice:example.org: two-factor authentication is off\n  policy: optional',
      err: '',
    });
  });

  test('wants the whole user id', async () => {
    expect(await line.type('user', 'show', 'bob')).toEqual({
      code: 2,
      out: '',
      err: 'matrix-2fa-proxy: "bob" is not a user id; write it in full, as in @bob:example.org',
    });
  });
});

describe('user unlock', () => {
  test('ends the waits of that user and of nobody else', async () => {
    await failTimes(BOB, 6);
    await failTimes(CAROL, 6);

    const { code, out } = await line.type('user', 'unlock', BOB);

    expect(code).toBe(0);
    expect(out).toContain('is unlocked');
    expect(await storage.read(lanesOf(BOB))).toEqual([]);
    expect(await storage.read(lanesOf(CAROL))).not.toEqual([]);
    expect(await storage.factors.isEnrolled(BOB)).toBe(true);
    expect(await storage.audit.list({ userId: BOB })).toMatchObject([
      { event: 'operator.unlock', at: line.clock.now(), address: null, detail: { failures: 5 } },
    ]);
  });

  test('keeps the reason, and prints JSON for programs', async () => {
    await failTimes(BOB, 2);
    const { code, out } = await line.type(
      'user',
      'unlock',
      BOB,
      '--reason',
      'their phone was slow',
      '--json',
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ user_id: BOB, failures: 2 });
    expect(await storage.audit.list({ userId: BOB })).toMatchObject([
      { event: 'operator.unlock', detail: { failures: 2, reason: 'their phone was slow' } },
    ]);
    expect(await line.type('user', 'unlock', BOB, '--reason', ' ')).toMatchObject({ code: 2, out: '' });
  });
});

describe('user reset', () => {
  test('attack 95: an operator reset takes the factors of exactly that user, logs held logins out and is on record', async () => {
    await holdLogin();
    await failTimes(BOB, 1);

    const { code, out, err } = await line.type(
      'user',
      'reset',
      BOB,
      '--reason',
      'phone and codes lost',
      '--verified-by',
      'Ops, passport seen',
      '--yes',
    );

    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('1 authenticator removed');
    expect(out).toContain('1 sign-in that waited for a code logged out');
    expect(await storage.factors.isEnrolled(BOB)).toBe(false);
    expect(await storage.factors.recoverySet(BOB)).toBeUndefined();
    expect(await storage.read(lanesOf(BOB))).toEqual([]);
    expect(await storage.holds.countForUser(BOB)).toBe(0);
    expect(loggedOut).toEqual(['Bearer held-token']);
    expect(await storage.factors.isEnrolled(CAROL)).toBe(true);
    expect(await storage.audit.list({ userId: BOB })).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          event: 'operator.reset',
          detail: { authenticators: 1, reason: 'phone and codes lost', verified_by: 'Ops, passport seen' },
        }),
      ]),
    );
  });

  test('leaves the logout to serve while the homeserver is away', async () => {
    await holdLogin();
    await new Promise((resolve) => homeserver.close(resolve));

    const { code, err } = await line.type('user', 'reset', BOB, ...GROUNDS, '--yes');

    expect(code).toBe(0);
    expect(err).toContain('serve goes on trying');
    expect(await storage.factors.isEnrolled(BOB)).toBe(false);
    expect(await nextEndOfHold(storage)).toBeDefined();
  });

  test.each([
    [['--verified-by', 'seen'], '--reason'],
    [['--reason', 'lost'], '--verified-by'],
    [['--reason', ' \t', '--verified-by', 'seen'], '--reason must say something'],
    [['--reason', 'lost', '--verified-by', ''], '--verified-by must say something'],
    [['--reason', 'x'.repeat(1001), '--verified-by', 'seen'], '--reason must have at most 1000 characters'],
  ])('needs a reason and who verified it: %j', async (words, text) => {
    const { code, out, err } = await line.type('user', 'reset', BOB, '--yes', ...words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(text);
    expect(await storage.factors.isEnrolled(BOB)).toBe(true);
    expect(await storage.audit.list({ userId: BOB })).toEqual([]);
  });

  test('prints JSON for programs', async () => {
    await holdLogin();
    const { code, out } = await line.type('user', 'reset', BOB, ...GROUNDS, '--yes', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      user_id: BOB,
      authenticators: 1,
      device_passwords: 0,
      logged_out: 1,
    });
  });

  test('leaves device passwords, and revokes them with --revoke-device-passwords', async () => {
    await keepDevicePasswordOf(BOB);
    const left = await line.type('user', 'reset', BOB, ...GROUNDS, '--yes');
    expect(left).toMatchObject({ code: 0 });
    const shown = await line.type('user', 'show', BOB);
    expect(shown.out).toContain('  device password "bot" (d), device BOT, never used');
    const revoked = await line.type('user', 'reset', BOB, ...GROUNDS, '--yes', '--revoke-device-passwords');
    expect(revoked.out).toContain('1 device password revoked.');
    expect(loggedOut).toEqual(['Bearer bots-token']);
    expect(await storage.read(listDevicePasswords(BOB))).toEqual([]);
  });

  test.each([
    [undefined, 2, 'add --yes'],
    [false, 1, 'nothing was changed'],
  ])('asks first; answered %s it changes nothing', async (answer, expectedCode, text) => {
    line.answer = answer;
    const { code, err } = await line.type('user', 'reset', BOB, ...GROUNDS);
    expect(code).toBe(expectedCode);
    expect(err).toContain(text);
    expect(await storage.factors.isEnrolled(BOB)).toBe(true);
    expect(await storage.audit.list({ userId: BOB })).toEqual([]);
  });

  test('goes ahead when the answer is yes', async () => {
    line.answer = true;
    expect(await line.type('user', 'reset', BOB, ...GROUNDS)).toMatchObject({ code: 0 });
    expect(await storage.factors.isEnrolled(BOB)).toBe(false);
  });

  test('of somebody without 2FA fails', async () => {
    await enter(storage, alicesOldRecord());
    expect(await line.type('user', 'reset', '@alice:example.org', ...GROUNDS, '--yes')).toMatchObject({
      code: 1,
      err: 'matrix-2fa-proxy: @alice:example.org has not turned two-factor authentication on',
    });
  });
});

describe('user emergency-code', () => {
  test('prints the code alone on the first line, and how long it is good', async () => {
    const { code, out, err } = await line.type('user', 'emergency-code', BOB, ...GROUNDS);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const [first, ...rest] = out.split('\n');
    expect(first).toMatch(/^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){2}$/);
    expect(rest).toEqual([`Good once for ${BOB}, until 2025-01-02 00:00 UTC, where a recovery code is.`]);
  });

  test('prints JSON for programs', async () => {
    const words = ['user', 'emergency-code', BOB, ...GROUNDS, '--valid-for', '7d', '--json'];
    expect(JSON.parse((await line.type(...words)).out)).toEqual({
      user_id: BOB,
      code: expect.stringMatching(/^.{14}$/),
      expires_at: line.clock.now() + 7 * 24 * 3_600_000,
    });
  });

  test.each([
    [['--valid-for', '8d'], '--valid-for must be between'],
    [['--valid-for', '0'], '--valid-for must be between'],
    [['--valid-for', 'soon'], '--valid-for must be a duration'],
    [['--reason', ' '], '--reason must say something'],
  ])('refuses %j', async (words, text) => {
    const { code, out, err } = await line.type('user', 'emergency-code', BOB, ...GROUNDS, ...words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(text);
    expect(await storage.audit.list({})).toEqual([]);
  });

  test('of somebody without 2FA fails', async () => {
    await enter(storage, alicesOldRecord());
    expect(await line.type('user', 'emergency-code', '@alice:example.org', ...GROUNDS)).toEqual({
      code: 1,
      out: '',
      err: 'matrix-2fa-proxy: @alice:example.org has not turned two-factor authentication on',
    });
    expect(await storage.audit.list({})).toHaveLength(1);
  });
});

describe('a user who is not known', () => {
  test.each([
    ['show', ['user', 'show', '@alise:example.org']],
    ['show --json', ['user', 'show', '@alise:example.org', '--json']],
    ['unlock', ['user', 'unlock', '@alise:example.org']],
    ['reset', ['user', 'reset', '@alise:example.org', ...GROUNDS, '--yes']],
    ['emergency-code', ['user', 'emergency-code', '@alise:example.org', ...GROUNDS]],
  ])('attack 172: user %s says so, exits 1 and writes nothing', async (_name, words) => {
    expect(await line.type(...words)).toEqual({
      code: 1,
      out: '',
      err: 'matrix-2fa-proxy: @alise:example.org is not known here; look at how it is spelled',
    });
    expect(await storage.audit.list({})).toEqual([]);
  });

  test.each([
    ['unlock', ['user', 'unlock', '@alise:example.org', '--unseen'], 'operator.unlock'],
    ['reset', ['user', 'reset', '@alise:example.org', ...GROUNDS, '--yes', '--unseen'], 'operator.reset'],
  ])('with --unseen user %s goes on, and is on record', async (_name, words, event) => {
    expect(await line.type(...words)).toMatchObject({ code: 0, err: '' });
    expect(await storage.audit.list({})).toMatchObject([{ userId: '@alise:example.org', event }]);
  });

  test('is known by wrong codes, a held login or a record alone', async () => {
    await failTimes('@alice:example.org', 1);
    expect(await line.type('user', 'show', '@alice:example.org')).toMatchObject({ code: 0 });
    expect(await line.type('user', 'unlock', '@alice:example.org')).toMatchObject({ code: 0 });
    expect(await line.type('user', 'show', '@alice:example.org')).toMatchObject({ code: 0 });
  });
});

describe('without a database', () => {
  test.each([
    [['user', 'list']],
    [['user', 'show', BOB]],
    [['user', 'unlock', BOB]],
    [['user', 'reset', BOB, ...GROUNDS, '--yes']],
    [['user', 'emergency-code', BOB, ...GROUNDS]],
  ])('%j makes none', async (words) => {
    const database = join(line.folder, 'elsewhere', '2fa.db');
    const config = readFileSync(line.configFile, 'utf8').replace('data/2fa.db', 'elsewhere/2fa.db');
    writeFileSync(line.configFile, config);
    const said = {
      code: 1,
      out: '',
      err: `matrix-2fa-proxy: ${database}: there is no database; serve makes it`,
    };
    expect(await line.type(...words)).toEqual(said);
    expect(existsSync(dirname(database))).toBe(false);

    mkdirSync(dirname(database));
    writeFileSync(database, '');
    expect(await line.type(...words)).toEqual(said);
    expect(readFileSync(database)).toHaveLength(0);
  });
});

test('backup makes a database that can be used as one', async () => {
  const copy = join(line.folder, 'copy.db');
  expect(await line.type('backup', copy)).toMatchObject({ code: 0, err: '' });

  const restored = await openSqliteStorage({ path: copy });
  expect(await restored.factors.enrolledUsers()).toEqual([BOB, CAROL]);
  await restored.close();

  const again = await line.type('backup', copy);
  expect(again.code).toBe(1);
  expect(again.err).toContain(`could not be copied into ${copy}`);
});
