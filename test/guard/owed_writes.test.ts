/** What the homeserver has done is on record, and what follows from it follows, also where the store was away just then. */
import { expect, test } from '@jest/globals';
import { CommitUnanswered, StoreUnavailable } from '../../src/storage/errors.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { findVersion } from '../../src/storage/tables/accounts.ts';
import { countLiveHolds } from '../../src/storage/tables/holds.ts';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import {
  ALICES_PASSWORD,
  BOBS_PASSWORD,
  bobsPassword,
  CHANGE_PASSWORD,
  DEACTIVATE,
  type GuardedApp,
  type GuardedCall,
  startGuarded,
  TOTP,
} from './guarded.ts';

const ALICE = '@alice:localhost';
/** So long the homeserver may take where it is too slow. */
const TIME_MS = 300;

describeOnBothDatabases('guarded, and the store goes away', (start) => {
  const oneShot = ({ app, bob }: GuardedApp) => bobsPassword(`${BOBS_PASSWORD} ${app.code(bob)}`);
  const signIn = (app: TestApp, name: string, password: string) =>
    app.post(LOGIN, passwordLogin(name, password));
  const heldOf = async ({ app, bob }: GuardedApp) =>
    (await app.storage.read(countLiveHolds(bob.userId)))[0]?.count;
  const versionOf = async (app: TestApp, userId: string) =>
    (await app.storage.read(findVersion(userId)))[0]?.version ?? 0;
  const eventsOf = async ({ app, bob }: GuardedApp) =>
    (await app.storage.audit.list({ userId: bob.userId })).map(({ event }) => event);

  /** The store is away from the moment at which the homeserver has done it, until it is brought back. */
  function goesAway(app: TestApp, { target }: Pick<GuardedCall, 'target'>): () => void {
    const { storage, stub } = app;
    const { commit, read, factors } = storage;
    const { endProofs } = factors;
    const away = () => Promise.reject(new StoreUnavailable(new Error('away')));
    const end = stub.override(target, async (_exchange, next) => {
      const answer = await next();
      Object.assign(storage, { commit: away, read: away });
      Object.assign(factors, { endProofs: away });
      return answer;
    });
    return () => {
      end();
      Object.assign(storage, { commit, read });
      Object.assign(factors, { endProofs });
    };
  }

  test('attack 370: a password was changed: held logins end when it is there again, once on record', async () => {
    const it = await startGuarded({}, start);
    expect((await signIn(it.app, 'bob', BOBS_PASSWORD)).status).toBe(401);
    expect(await heldOf(it)).toBe(1);
    const comesBack = goesAway(it.app, CHANGE_PASSWORD);
    expect((await it.asBob(CHANGE_PASSWORD, oneShot(it))).status).toBe(503);
    expect(it.app.stub.passwordOf('bob')).toBe(CHANGE_PASSWORD.body.new_password);
    comesBack();
    expect([await heldOf(it), (await eventsOf(it)).includes('guard.passed')]).toEqual([1, false]);
    await it.app.proxy.keepHouse();
    await it.app.proxy.keepHouse();
    expect(await heldOf(it)).toBe(0);
    expect((await eventsOf(it)).filter((event) => event === 'guard.passed')).toHaveLength(1);
  });

  test('attack 370: an account was closed: of a user with 2FA the record is left', async () => {
    const it = await startGuarded({}, start);
    const comesBack = goesAway(it.app, DEACTIVATE);
    expect((await it.asBob(DEACTIVATE, oneShot(it))).status).toBe(503);
    comesBack();
    expect(await it.app.storage.factors.isEnrolled(it.bob.userId)).toBe(true);
    await it.app.proxy.keepHouse();
    expect(await it.app.storage.factors.isEnrolled(it.bob.userId)).toBe(false);
    expect(await eventsOf(it)).toEqual(['guard.passed', 'totp.used']);
  });

  test('attack 370: a user without 2FA changed their password: what was begun before ends', async () => {
    const { app, alicesToken } = await startGuarded({}, start);
    const before = await versionOf(app, ALICE);
    const comesBack = goesAway(app, CHANGE_PASSWORD);
    const identifier = { type: 'm.id.user', user: ALICE };
    const auth = { type: 'm.login.password', identifier, password: ALICES_PASSWORD };
    const json = { ...CHANGE_PASSWORD.body, auth };
    expect((await app.call({ target: CHANGE_PASSWORD.target, token: alicesToken, json })).status).toBe(503);
    comesBack();
    await app.proxy.keepHouse();
    expect(await versionOf(app, ALICE)).toBe(before + 1);
  });

  test('a wrong password was judged: its session goes on when the store is there again', async () => {
    const it = await startGuarded({}, start);
    const { session } = (await it.asBob(CHANGE_PASSWORD)).json as { session: string };
    await it.authAlone(CHANGE_PASSWORD, { type: TOTP, session, token: it.app.code(it.bob) });
    const comesBack = goesAway(it.app, CHANGE_PASSWORD);
    expect((await it.authAlone(CHANGE_PASSWORD, bobsPassword('wrong', { session }))).status).toBe(503);
    comesBack();
    await it.app.proxy.keepHouse();
    const right = await it.authAlone(CHANGE_PASSWORD, bobsPassword(BOBS_PASSWORD, { session }));
    expect(right.status).toBe(200);
  });

  test('attack 370: all were signed out: held logins end when it is there again', async () => {
    const it = await startGuarded({}, start);
    await signIn(it.app, 'bob', BOBS_PASSWORD);
    const target = '/_matrix/client/v3/logout/all';
    const { factors } = it.app.storage;
    const { endProofs } = factors;
    const away: Storage['factors']['endProofs'] = () =>
      Promise.reject(new StoreUnavailable(new Error('away')));
    Object.assign(factors, { endProofs: away });
    expect((await it.app.post(target, {}, it.bobsToken)).status).toBe(503);
    Object.assign(factors, { endProofs });
    expect(await heldOf(it)).toBe(1);
    await it.app.proxy.keepHouse();
    expect(await heldOf(it)).toBe(0);
  });

  test.each([
    ['written', 1],
    ['not_written', 1],
  ] as const)(
    'attack 370: a commit that was not answered, and is %s, is once on record',
    async (outcome, times) => {
      const it = await startGuarded({}, start);
      const { storage } = it.app;
      const { commit } = storage;
      const end = it.app.stub.override(CHANGE_PASSWORD.target, async (_exchange, next) => {
        const answer = await next();
        const unanswered: typeof commit = async (accounts, unit) => {
          Object.assign(storage, { commit });
          if (outcome === 'written') await commit(accounts, unit);
          throw new CommitUnanswered(new Error('cut'), async () => outcome);
        };
        Object.assign(storage, { commit: unanswered });
        return answer;
      });
      expect((await it.asBob(CHANGE_PASSWORD, oneShot(it))).status).toBe(503);
      end();
      await it.app.proxy.keepHouse();
      await it.app.proxy.keepHouse();
      expect((await eventsOf(it)).filter((event) => event === 'guard.passed')).toHaveLength(times);
    },
  );

  test('attack 371: a password is changed after its client was told that the homeserver is slow', async () => {
    const it = await startGuarded({ times: { answerMs: TIME_MS } }, start);
    await signIn(it.app, 'bob', BOBS_PASSWORD);
    let change: () => void = () => undefined;
    const goesOn = new Promise<void>((resolve) => {
      change = resolve;
    });
    it.app.stub.override(CHANGE_PASSWORD.target, async (_exchange, next) => {
      await goesOn;
      return next();
    });
    expect((await it.asBob(CHANGE_PASSWORD, oneShot(it))).status).toBe(504);
    expect(await heldOf(it)).toBe(1);
    change();
    // It ends with what is under way, as it does at the end of the process.
    await it.app.shutDown(5_000);
    await it.app.start();
    expect([await heldOf(it), await eventsOf(it)]).toEqual([0, ['guard.passed', 'totp.used']]);
  });
});
