import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Audit } from '../../src/audit/audit.ts';
import { changePolicy, type PolicyChange } from '../../src/policy/change_policy.ts';
import { ask } from '../../src/storage/statement.ts';
import { HOUR } from '../../src/system/clock.ts';
import { type MailReceiver, startMailReceiver } from '../notify/receivers.ts';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { chainOf } from '../support/entries.ts';

const PW = 'correct horse';
const DAY = 24 * HOUR;
const ALICE = '@alice:localhost';

let mail: MailReceiver;
beforeAll(async () => {
  mail = await startMailReceiver();
});
afterAll(() => mail.stop());
beforeEach(() => {
  mail.mails.length = 0;
});

describeOnBothDatabases('reminders of a required set-up', (start) => {
  /** Alice and bob have mail addresses; sso has no password. */
  const begin = (policy: string) =>
    start({
      config: `policy: ${policy}\nnotify: { mail: { from: 2fa@example.org, port: ${mail.port} } }`,
      users: [
        { name: 'alice', password: PW, emails: ['alice@example.org'] },
        { name: 'bob', password: PW, emails: ['bob@example.org'] },
        { name: 'sso', password: null, emails: ['sso@example.org'] },
      ],
    });

  async function signIn(app: TestApp, name = 'alice'): Promise<void> {
    await app.post(LOGIN, passwordLogin(name, PW));
  }

  /** So much later, after housekeeping and delivery. */
  async function later(app: TestApp, ms: number): Promise<void> {
    app.clock.advance(ms);
    await app.proxy.keepHouse();
    await sent(app);
  }

  async function sent(app: TestApp): Promise<void> {
    await app.proxy.sendNotices();
    await app.proxy.sendNotices();
  }

  const told = () => mail.mails.map(({ to }) => to[0]);
  const entries = async (app: TestApp, userId = ALICE) =>
    (await app.storage.audit.list({ userId })).filter(({ event }) =>
      ['policy.required', 'policy.overdue'].includes(event),
    );
  /** The events, the oldest first. */
  const events = async (app: TestApp, userId = ALICE) =>
    (await entries(app, userId)).map(({ event }) => event).toReversed();

  async function setGrace(app: TestApp, grace: PolicyChange['grace']): Promise<void> {
    const { storage, clock } = app;
    const audit = new Audit({ storage, chain: chainOf(storage), clock });
    await changePolicy({ storage, audit }, ALICE, { mode: 'required', grace, reason: undefined });
  }

  test('come at the first sight, 7 days and 1 day before the deadline, and when it is over; each once, in two processes', async () => {
    const app = await begin('{ default: required, grace: 30d }');
    await signIn(app);
    await sent(app);
    const [first] = await entries(app);
    const deadline = Number(first?.detail.deadline_ts);
    const date = `${new Date(deadline).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
    expect(mail.mails.map((each) => each.header('Subject'))).toEqual([
      `[localhost] Set up two-factor authentication until ${date}`,
    ]);
    expect(mail.mails[0]?.text).toContain('Open the account page of your server');
    const another = await app.startAnother();
    const steps: readonly [number, number][] = [
      [22 * DAY, 1],
      [DAY + HOUR, 2],
      [5 * DAY, 2],
      [DAY, 3],
      [DAY, 4],
      [90 * DAY, 4],
    ];
    for (const [ms, count] of steps) {
      await later(app, ms);
      await later(another, 0);
      expect(mail.mails).toHaveLength(count);
    }
    expect(await events(app)).toEqual([
      ...['policy.required', 'policy.required', 'policy.required', 'policy.overdue'],
    ]);
    for (const { detail } of await entries(app)) expect(detail).toEqual({ deadline_ts: deadline });
    expect(mail.mails[3]?.text).toContain('That time is over');
    expect(mail.mails[3]?.header('Subject')).toContain(date);
  });

  test('of several that came while no process ran, the nearest alone is told', async () => {
    const app = await begin('{ default: required, grace: 30d }');
    await signIn(app);
    await sent(app);
    app.clock.advance(40 * DAY);
    await app.shutDown();
    await app.start();
    await later(app, 0);
    expect(await events(app)).toEqual(['policy.required', 'policy.overdue']);
    expect(mail.mails).toHaveLength(2);
  });

  test('who has set it up, cannot, need not any more, or has no grace is not reminded', async () => {
    const app = await begin('{ default: required, grace: 30d, users: { "@bob:localhost": optional } }');
    await signIn(app);
    await signIn(app, 'bob');
    const sso = app.stub.signIn('sso').token;
    await app.post('/_matrix/client/v3/delete_devices', { devices: ['X'] }, sso);
    await sent(app);
    expect(told()).toEqual(['alice@example.org']);
    expect(await entries(app, '@sso:localhost')).toMatchObject([{ detail: { exempt: 'no_password' } }]);
    await app.enrol('alice');
    await later(app, 40 * DAY);
    expect(told()).toEqual(['alice@example.org']);
    // After 2FA was turned off there is no grace: the sign-in asks for it.
    await app.storage.factors.removeAllFactors(ALICE);
    await later(app, 2 * HOUR);
    expect(await events(app)).toEqual(['policy.required']);
  });

  test('a grace that was set by command begins, and is told, once more; without one nothing is', async () => {
    const app = await begin('{ default: required, grace: 30d }');
    await signIn(app);
    await later(app, 40 * DAY);
    expect(await events(app)).toEqual(['policy.required', 'policy.overdue']);
    await setGrace(app, undefined);
    await signIn(app);
    await later(app, 2 * HOUR);
    expect(await events(app)).toHaveLength(2);
    await setGrace(app, { durationMs: 3 * DAY });
    await later(app, 2 * HOUR);
    expect(await events(app)).toHaveLength(2);
    await signIn(app);
    await later(app, 2 * HOUR);
    expect(await events(app)).toHaveLength(3);
    await later(app, 2 * DAY);
    await later(app, DAY);
    expect((await events(app)).slice(2)).toEqual(['policy.required', 'policy.required', 'policy.overdue']);
  });

  test('a set-up that is confirmed while a reminder is decided is not followed by it', async () => {
    const app = await begin('{ default: required, grace: 30d }');
    await signIn(app);
    app.clock.advance(40 * DAY);
    await Promise.all([app.enrol('alice'), app.proxy.keepHouse()]);
    const [overdue] = (await entries(app)).filter(({ event }) => event === 'policy.overdue');
    const enrolledAt = await app.storage.read(
      ask<{ at: number }>('SELECT enabled_at AS at FROM authenticators'),
    );
    expect(enrolledAt).toHaveLength(1);
    if (overdue !== undefined) expect(overdue.at).toBeLessThanOrEqual(enrolledAt[0]?.at ?? 0);
  });
});
