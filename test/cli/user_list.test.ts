import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { LANE_RULES } from '../../src/limits/throttle.ts';
import { ask, effect } from '../../src/storage/statement.ts';
import { sawUser } from '../../src/storage/tables/known_users.ts';
import { countAttempt } from '../../src/storage/tables/lanes.ts';
import { beginGrace, rememberAdministrator, rememberExemption } from '../../src/storage/tables/policies.ts';
import { HOUR } from '../../src/system/clock.ts';
import { enter } from '../support/entries.ts';
import { describeOnOperated } from './operated_database.ts';

const [ALICE, BOB, CAROL, DORA] = ['@alice:hs', '@bob:hs', '@carol:hs', '@dora:hs'];

describeOnOperated('lists of users', (at) => {
  const type = (...words: string[]) => at.database.line.type(...words);
  const ids = async (...words: string[]) => {
    const { code, out, err } = await type('user', 'list', '--json', ...words);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    return JSON.parse(out).map(({ user_id }: { user_id: string }) => user_id);
  };

  beforeEach(async () => {
    await at.database.enrol(BOB);
    await at.database.enrol(CAROL);
    await at.database.with(async (storage) => {
      for (const userId of [ALICE, BOB]) await storage.commit([], sawUser(userId));
      await storage.factors.deleteRecoverySet(CAROL);
      await storage.commit([BOB], countAttempt(BOB, 'elsewhere', LANE_RULES));
      await storage.commit([], effect(`UPDATE lanes SET failures = ${LANE_RULES.shutAt}`));
    });
  });

  test('all who were seen or have 2FA on stand there by id, and each filter finds some', async () => {
    const now = at.database.line.clock.now();
    const { out } = await type('user', 'list', '--json', '--with-2fa', '--locked');
    expect(JSON.parse(out)).toEqual([
      {
        ...{ user_id: BOB, enabled: true, authenticators: 1, factors: { totp: 1 }, locked: true },
        ...{ recovery_codes_remaining: 1, last_used_at: null, first_seen_at: now, last_seen_at: now },
        ...{ policy: 'optional', policy_source: 'default', deadline_ts: null, administrator: null },
        standing: 'owes_factor',
      },
    ]);
    expect(await ids()).toEqual([ALICE, BOB, CAROL]);
    expect(await ids('--with-2fa')).toEqual([BOB, CAROL]);
    expect(await ids('--without-2fa')).toEqual([ALICE]);
    expect(await ids('--no-codes')).toEqual([CAROL]);
    expect(await ids('--factor', 'totp', '--limit', '1')).toEqual([BOB]);
    expect(await ids('--factor', 'webauthn')).toEqual([]);
    expect(await ids('--search', 'ARO')).toEqual([CAROL]);
    expect(await ids('--after', ALICE, '--limit', '1')).toEqual([BOB]);
    expect((await type('user', 'list')).out).toMatch(
      /^USER +2FA +POLICY +FACTORS .*\n@alice:hs +off +optional .*\n@bob:hs +locked +optional +totp +1 /,
    );
    expect(await type('user', 'list', '--with-2fa', '--without-2fa')).toMatchObject({ code: 2 });
    expect(await type('user', 'list', '--csv', '--json')).toMatchObject({ code: 2 });
  });

  test('what is asked of each user stands there, and looking begins no grace', async () => {
    const { clock } = at.database.line;
    const listed = async (userId: string) => {
      const { out } = await type('user', 'list', '--json', '--search', userId);
      return JSON.parse(out)[0];
    };
    const counts = async () => JSON.parse((await type('report', '--json')).out).policy;
    const set = (...words: string[]) => type('user', 'policy', ...words);
    expect(await set(ALICE, 'required', '--grace', '7d')).toMatchObject({ code: 0 });
    expect(await set(CAROL, 'required')).toMatchObject({ code: 0 });
    await at.database.with((storage) => storage.commit([], sawUser(DORA)));
    expect(await set(DORA, 'forbidden')).toMatchObject({ code: 0 });
    const rows = () =>
      at.database.with((storage) => storage.read(ask('SELECT * FROM policies ORDER BY user_id')));
    const before = await rows();

    expect(await listed(ALICE)).toMatchObject({
      ...{ policy: 'required', policy_source: 'database', deadline_ts: null, standing: 'in_grace' },
    });
    expect(await ids('--policy', 'required')).toEqual([ALICE, CAROL]);
    expect(await ids('--in-grace')).toEqual([ALICE]);
    expect(await ids('--overdue')).toEqual([]);
    expect(await listed(CAROL)).toMatchObject({ policy: 'required', standing: 'owes_factor' });
    expect(await listed(DORA)).toMatchObject({ policy: 'forbidden', standing: 'may_not_enrol' });
    expect(await counts()).toEqual({
      ...{ required: 2, optional: 1, forbidden: 1, in_grace: 1, overdue: 0, cannot_enrol: 0 },
    });
    expect((await type('report')).out).toContain('required of 2, optional for 1, forbidden for 1');
    expect(await rows()).toEqual(before);

    const begun = clock.now();
    await at.database.with((storage) =>
      storage.commit(
        [ALICE],
        [beginGrace(ALICE, begun, { stage: 0, deadlineTs: begun }), rememberAdministrator(ALICE, true)],
      ),
    );
    expect(await listed(ALICE)).toMatchObject({ administrator: true, standing: 'in_grace' });
    const { deadline_ts: deadline } = await listed(ALICE);
    expect(Math.abs(deadline - begun - 7 * 24 * HOUR)).toBeLessThan(HOUR);
    clock.set(begun + 8 * 24 * HOUR);
    await at.database.with((storage) =>
      storage.commit([], effect('UPDATE policies SET required_since = required_since - 691200000')),
    );
    expect(await ids('--overdue')).toEqual([ALICE]);
    const shown = (await type('user', 'show', ALICE)).out;
    expect(shown).toMatch(/policy: required \([a-z:]+\); overdue/);
    const asJson = JSON.parse((await type('user', 'show', ALICE, '--json')).out);
    expect(asJson).toMatchObject({ policy: 'required', standing: 'owes_enrolment', administrator: true });
    expect((await type('user', 'list', '--overdue')).out).toMatch(/@alice:hs +off +required, overdue/);
    await at.database.with((storage) => storage.commit([ALICE], rememberExemption(ALICE, 'guest')));
    expect(await listed(ALICE)).toMatchObject({ standing: 'cannot_enrol' });
    expect(await counts()).toMatchObject({ overdue: 0, cannot_enrol: 1 });
    expect(await type('user', 'list', '--policy', 'never')).toMatchObject({ code: 2 });
  });

  test('attack 199: CSV has lines as RFC 4180 wants them, and no formula', async () => {
    const odd = ['=1+1', '-2', '+3', '@"quoted", here:hs', '\u001b[2J'];
    await at.database.with(async (storage) => {
      for (const userId of odd) await storage.commit([], sawUser(userId));
    });
    const { out } = await type('user', 'list', '--csv', '--without-2fa');
    const lines = out.split('\r\n').map((line) => line.replace(/^\n|\r$/g, ''));
    expect(out.split('\n').every((line) => line.endsWith('\r'))).toBe(true);
    const time = new Date(at.database.line.clock.now()).toISOString();
    const rest = `,false,0,,0,,${time},${time},false,optional,default,,,passes`;
    expect(out.replaceAll('\r', '').split('\n')).toEqual([
      'user_id,enabled,authenticators,factors,recovery_codes_remaining,last_used_at,first_seen_at,last_seen_at,locked,policy,policy_source,deadline_ts,administrator,standing',
      ...[
        `\\u001b[2J${rest}`,
        `'+3${rest}`,
        `'-2${rest}`,
        `'=1+1${rest}`,
        `"@""quoted"", here:hs"${rest}`,
        `${ALICE}${rest}`,
      ],
    ]);
    expect(lines.length).toBeGreaterThan(0);
  });

  test('a report counts users and what happened each month', async () => {
    const { clock } = at.database.line;
    clock.set(Date.UTC(2026, 10, 28));
    await at.database.with(async (storage) => {
      const events = ['operator.reset', 'recovery.used', 'recovery.used', 'totp.enabled', 'totp.used'];
      for (const event of events) await enter(storage, { at: Date.UTC(2026, 9, 31, 23), userId: BOB, event });
      await enter(storage, { at: Date.UTC(2026, 10, 1), userId: BOB, event: 'totp.disabled' });
      await enter(storage, { at: Date.UTC(2026, 10, 2), userId: BOB, event: 'operator.emergency_code' });
    });
    const none = { resets: 0, emergency_codes: 0, recovery_codes_used: 0, enabled: 0, disabled: 0 };
    const { code, out } = await type('report', '--months', '3', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      generated_at: clock.now(),
      users: { known: 3, enabled: 2, without: 1, by_factor: { totp: 2 }, no_recovery_codes: 1, locked: 1 },
      policy: { required: 0, optional: 3, forbidden: 0, in_grace: 0, overdue: 0, cannot_enrol: 0 },
      months: [
        { month: '2026-09', ...none },
        { month: '2026-10', ...none, resets: 1, recovery_codes_used: 2, enabled: 1 },
        { month: '2026-11', ...none, emergency_codes: 1, disabled: 1 },
      ],
    });
    const csv = (await type('report', '--months', '1', '--csv')).out.replaceAll('\r', '').split('\n');
    expect(csv[0]).toMatch(/^month,resets,emergency_codes,.*,users_known,/);
    expect(csv[1]).toMatch(/^2026-11,0,1,0,0,1,2026-11-28T/);
    expect((await type('report')).out).toContain(
      '3 known users: 2 with two-factor authentication, 1 without',
    );
    expect(await type('report', '--months', '0')).toMatchObject({ code: 2 });
  });

  let homeserver: Server | undefined;
  afterEach(async () => {
    await new Promise((resolve) => (homeserver ? homeserver.close(resolve) : resolve(undefined)));
    homeserver = undefined;
  });

  /** Lists two users on two pages, to the administrator. */
  async function startHomeserver(): Promise<string> {
    homeserver = createServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://hs');
      const isRight = request.headers.authorization === 'Bearer admin-token';
      const page =
        url.searchParams.get('from') === '0'
          ? { users: [{ name: DORA }, { name: BOB }, {}], next_token: '500', total: 3 }
          : { users: [{ name: '@aaron:hs' }], total: 3 };
      response.writeHead(isRight ? 200 : 403, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(isRight ? page : { errcode: 'M_FORBIDDEN' }));
    });
    await new Promise<void>((resolve) => homeserver?.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(homeserver.address() as AddressInfo).port}`;
    at.database.line.changeConfig('http://127.0.0.1:1', url);
    return url;
  }

  test('with the token of an administrator of Synapse its users are there, too; none is noted', async () => {
    const url = await startHomeserver();
    const file = join(at.database.line.folder, 'admin.token');
    const token = ['--homeserver-admin-token-file', file];
    writeFileSync(file, 'admin-token\n');
    expect(await ids(...token)).toEqual(['@aaron:hs', ALICE, BOB, CAROL, DORA]);
    expect(await ids(...token, '--without-2fa', '--after', ALICE)).toEqual([DORA]);
    expect(await ids()).toEqual([ALICE, BOB, CAROL]);
    expect(JSON.parse((await type('report', '--json', ...token)).out).users).toMatchObject({
      known: 5,
      without: 3,
    });
    writeFileSync(file, 'another');
    expect(await type('user', 'list', ...token)).toEqual({
      code: 1,
      out: '',
      err: `matrix-2fa-proxy: ${url} did not list its users (403): the token is not that of an administrator`,
    });
    expect(await type('report', '--homeserver-admin-token-file', `${file}.none`)).toMatchObject({ code: 1 });
  });

  test('who was seen is known to the other commands, too', async () => {
    expect(await type('user', 'show', ALICE)).toMatchObject({ code: 0 });
    expect(await type('user', 'show', DORA)).toMatchObject({ code: 1 });
  });

  test('who is seen again is noted once a day', async () => {
    const { clock } = at.database.line;
    const first = clock.now();
    const seen = async () => JSON.parse((await type('user', 'list', '--json', '--search', 'alice')).out)[0];
    for (const [hours, last] of [
      [23, first],
      [1, first + 24 * HOUR],
    ] as const) {
      clock.advance(hours * HOUR);
      await at.database.with((storage) => storage.commit([], sawUser(ALICE)));
      expect(await seen()).toMatchObject({ first_seen_at: first, last_seen_at: last });
    }
  });
});
