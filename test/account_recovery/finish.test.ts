import { expect, test } from '@jest/globals';
import { Refusal } from '../../src/matrix/refusals.ts';
import { growVersion } from '../../src/storage/tables/accounts.ts';
import { seedIn } from '../account/account.ts';
import type { TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { codeAt } from '../support/enrolment.ts';
import { operate } from '../support/operate.ts';
import { servicesOf } from '../support/services.ts';
import { Visitor } from '../support/visitor.ts';
import {
  BEGIN,
  BOB,
  begin,
  credentials,
  DAY,
  GROUNDS,
  HOUR,
  PASSWORD,
  recorded,
  requestFrom,
  startRecovering,
  status,
  wait,
} from './recovering.ts';

const BROWSER = 'a browser';

/** The name of what a promise was refused by; undefined where it was not. */
async function refusal(of: Promise<unknown>): Promise<string | undefined> {
  return of.then(
    () => undefined,
    (error: unknown) => (error instanceof Refusal ? error.refusal : String(error)),
  );
}

describeOnBothDatabases('the end of an account recovery', (start) => {
  let app: TestApp;

  /** A request of bob that is open, with its claim code. */
  async function opened(): Promise<string> {
    app = (await startRecovering(start)).app;
    const { claim_code } = (await begin(app)).json;
    expect((await operate(app, 'recovery', 'approve', BOB, ...GROUNDS)).code).toBe(0);
    return String(claim_code);
  }

  async function signedIn(name = 'bob'): Promise<string> {
    const credentials = {
      name,
      password: PASSWORD,
      browser: BROWSER,
      redirectUrl: 'https://app.example.net/',
    };
    return (await servicesOf(app).pageSignIn.begin(requestFrom(), credentials)).standing.id;
  }

  const claim = (id: string, code: string) => servicesOf(app).recoveryClaims.claim(requestFrom(), id, code);

  /** A set-up whose first code is known. */
  async function begun(session: string) {
    const { recoverySetUp } = servicesOf(app);
    const { setup_id: setupId, seed } = await recoverySetUp.begin(requestFrom(), {
      session,
      factor: 'totp',
    });
    const code = codeAt(seedIn(String(seed)), app.clock.now());
    return () => recoverySetUp.confirmSent(requestFrom(), { session, setupId, sent: code });
  }

  test('puts a new authenticator and new codes in the place of all others, and ends all other sessions', async () => {
    const code = await opened();
    const before = await app.storage.factors.authenticators(BOB);
    const { token } = app.stub.signIn('bob', 'STOLEN');
    const session = (await claim(await signedIn(), ` ${code.toUpperCase()} `)) ?? '';
    const confirm = await begun(session);
    expect(await app.storage.factors.authenticators(BOB)).toEqual(before);
    const { recoveryCodes, authenticatorId } = await confirm();
    expect(recoveryCodes).toHaveLength(10);
    const after = await app.storage.factors.authenticators(BOB);
    expect(after.map(({ id }) => id)).toEqual([authenticatorId]);
    expect(await status(app)).toMatchObject({ state: 'finished' });

    // What the homeserver has not ended keeps the login back.
    const restore = app.stub.override(/delete_devices/, () => ({ status: 500, body: {} }));
    const { pageSignIn } = servicesOf(app);
    expect(await refusal(pageSignIn.issueTicket(requestFrom(), session))).toBe('others_not_signed_out');
    restore();
    expect(await pageSignIn.issueTicket(requestFrom(), session)).toMatchObject({ kind: 'client' });
    expect(app.stub.liveTokens('bob')).not.toContain(token);
    expect(app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).not.toContain('STOLEN');
    expect(await recorded(app)).toEqual(['begun', 'approved', 'finished']);
  });

  test('attack 284: the others are signed out also where no one comes back to the page after the last step', async () => {
    const code = await opened();
    const { token } = app.stub.signIn('bob', 'STOLEN');
    const session = (await claim(await signedIn(), code)) ?? '';
    const { recoveryCodes } = await (await begun(session))();
    // The process died here. An equal sign-in takes nothing of it away.
    const owner = new Visitor(app.url);
    await owner.open('/_2fa/account');
    await owner.send({ user: 'bob', password: PASSWORD });
    await owner.send({ recovery_code: recoveryCodes[0] ?? '' });
    expect(owner.led).toBe('/_2fa/account');
    // For a while the homeserver does not do it, then it is away.
    const restore = app.stub.override(/delete_devices/, () => ({ status: 500, body: {} }));
    app.clock.advance(HOUR);
    await app.proxy.keepHouse();
    expect(app.stub.isLive(token)).toBe(true);
    restore();
    await app.stub.setDown('error');
    app.clock.advance(HOUR);
    await app.proxy.keepHouse();
    await app.stub.setDown(undefined);
    app.clock.advance(HOUR);
    await app.proxy.keepHouse();
    expect(app.stub.devicesOf('bob')).toEqual([]);
    expect(app.stub.isLive(token)).toBe(false);
  });

  test('once they are signed out, no one else is: who signs in by the new authenticator stays', async () => {
    const code = await opened();
    const session = (await claim(await signedIn(), code)) ?? '';
    await (await begun(session))();
    expect(await servicesOf(app).pageSignIn.endOtherDevices(requestFrom(), session)).toBe(true);
    const { token } = app.stub.signIn('bob', 'NEWPHONE');
    app.clock.advance(HOUR);
    await app.proxy.keepHouse();
    expect(app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).toEqual(['NEWPHONE']);
    expect(app.stub.isLive(token)).toBe(true);
  });

  test('attack 265: without its claim code, with another one, before it opens and after it ended there is none', async () => {
    const code = await opened();
    const wrong = 'claim-aaaa-aaaa-aaaa-aaaa';
    const id = await signedIn();
    expect(await refusal(claim(id, wrong))).toBe('wrong_claim');
    expect(await refusal(claim(id, ''))).toBe('wrong_claim');
    await app.enrol('alice');
    expect(await refusal(claim(await signedIn('alice'), code))).toBe('recovery_over');
    // The same where hers is open, too.
    await app.post(BEGIN, credentials('alice'));
    await operate(app, 'recovery', 'approve', '@alice:localhost', ...GROUNDS);
    expect(await refusal(claim(await signedIn('alice'), code))).toBe('wrong_claim');
    // Five wrong ones end that page session, and never the request.
    for (let wrongs = 0; wrongs < 3; wrongs += 1) await refusal(claim(id, wrong));
    expect(await claim(id, code)).toBeUndefined();
    expect(await status(app)).toMatchObject({ state: 'open' });

    const session = (await claim(await signedIn(), code)) ?? '';
    const confirm = await begun(session);
    await operate(app, 'recovery', 'deny', BOB, ...GROUNDS);
    expect(await refusal(confirm())).toBe('recovery_over');
    expect(await refusal(claim(await signedIn(), code))).toBe('recovery_over');

    await begin(app);
    expect(await refusal(claim(await signedIn(), code))).toBe('recovery_over');
    expect(await recorded(app)).toEqual(['begun', 'approved', 'denied', 'begun']);
  });

  test('attack 266: of 20 at once one wins, and a second time there is none', async () => {
    const code = await opened();
    const confirms = [];
    for (let at = 0; at < 4; at += 1) confirms.push((await claim(await signedIn(), code)) ?? '');
    // A set-up of the user takes the place of the one before: all confirm the last one of their session.
    const last = await begun(confirms.at(-1) ?? '');
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => refusal(last())));
    expect(outcomes.filter((outcome) => outcome === undefined)).toHaveLength(1);
    expect(await recorded(app)).toEqual(['begun', 'approved', 'finished']);
    expect(await refusal(last())).toBeDefined();
    expect(await refusal(claim(await signedIn(), code))).toBe('recovery_over');
    expect(await app.storage.factors.authenticators(BOB)).toHaveLength(1);
  });

  test('attack 267: a change of password or factors since the sign-in, or the end of its window, ends it', async () => {
    const code = await opened();
    const session = (await claim(await signedIn(), code)) ?? '';
    const confirm = await begun(session);
    await app.storage.commit([BOB], growVersion(BOB));
    expect(await refusal(confirm())).toBe('recovery_over');

    const other = (await claim(await signedIn(), code)) ?? '';
    const late = await begun(other);
    await wait(app, 60_000);
    expect(await status(app)).toMatchObject({ state: 'open' });
    app.clock.advance(7 * DAY);
    expect(await refusal(late())).toBe('unknown_sign_in');
    expect(await refusal(claim(await signedIn(), code))).toBe('recovery_over');
    expect(await recorded(app)).toEqual(['begun', 'approved']);
  });

  test('attack 276: the password is judged once more before anything is written: one that was changed meanwhile ends the sign-in', async () => {
    const code = await opened();
    const before = await app.storage.factors.authenticators(BOB);
    const confirm = await begun((await claim(await signedIn(), code)) ?? '');
    const restore = app.stub.override(/delete_devices/, () => ({ status: 500, body: {} }));
    expect(await refusal(confirm())).toBe('homeserver_unclear');
    restore();
    // As at the homeserver itself, past us: without an end of all logins, and with it.
    const user = app.stub.user('bob');
    user.password = 'changed after a warning';
    expect(await refusal(confirm())).toBe('unknown_sign_in');
    user.password = PASSWORD;
    for (const token of app.stub.liveTokens('bob')) app.stub.expire(token);
    expect(await refusal(confirm())).toBe('unknown_sign_in');
    expect(await app.storage.factors.authenticators(BOB)).toEqual(before);
    expect(await status(app)).toMatchObject({ state: 'open' });
    expect(await recorded(app)).toEqual(['begun', 'approved']);
    // The next sign-in joins none whose token has ended, though it is equal.
    await (await begun((await claim(await signedIn(), code)) ?? ''))();
    expect(await status(app)).toMatchObject({ state: 'finished' });
  });
});
