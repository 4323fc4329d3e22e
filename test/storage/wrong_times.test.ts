import { beforeEach, expect, test } from '@jest/globals';
import { effect } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { findFactorToken } from '../../src/storage/tables/factor_tokens.ts';
import { endWrongTimes } from '../../src/storage/tables/wrong_times.ts';
import { describeOnBothStores } from './on_both.ts';
import { ALICE, BOB, claim, held, MINUTE, NOW, session, setup, upTo } from './rows.ts';

describeOnBothStores('times that are wrong', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  const DAY = 24 * 60 * MINUTE;

  test('attack 144: what begins in the future has ended, or waits no longer than its kind may', async () => {
    const ahead = { createdAt: NOW + DAY, expiresAt: NOW + DAY + MINUTE };
    await storage.holds.hold(held({ id: 'ahead', ...ahead }));
    await claim(opened.at(NOW + DAY), 'ahead', 'finisher', NOW + DAY + MINUTE);
    await storage.holds.hold(held({ id: 'now' }));
    await storage.sessions.open(session({ idHash: 'ahead', ...ahead }), upTo(9));
    await storage.sessions.open(session({ idHash: 'now' }), upTo(9));
    await opened.at(NOW).sessionLeases.take('now', NOW + DAY);
    await storage.factors.beginSetup(setup(ALICE, { id: 'ahead', expiresAt: NOW + DAY }));
    await storage.factors.beginSetup(setup(BOB, { id: 'now', expiresAt: NOW + 10 * MINUTE }));
    await storage.loginTokens.remember({ tokenHash: 'ahead', userId: ALICE, expiresAt: NOW + DAY }, 0);
    await storage.loginTokens.remember({ tokenHash: 'now', userId: ALICE, expiresAt: NOW + MINUTE }, 0);
    const factorToken = (tokenHash: string, expiresAt: number) =>
      effect(
        `INSERT INTO factor_tokens (token_hash, user_id, authenticator_id, kind, version, expires_at)
         VALUES (:tokenHash, :userId, 'a', 'webauthn', 1, :expiresAt)`,
        { tokenHash, userId: ALICE, expiresAt },
      );
    await storage.commit([], [factorToken('ahead', NOW + DAY), factorToken('now', NOW + MINUTE)]);
    opened.clock.set(NOW);
    await storage.commit([], endWrongTimes(10 * MINUTE));

    expect(await storage.read(findFactorToken('ahead'))).toEqual([]);
    expect(await storage.read(findFactorToken('now'))).toHaveLength(1);
    expect(await storage.holds.find('now')).toBeDefined();
    const ended = await storage.holds.leaseEnded(NOW + DAY, 10);
    expect(ended.map(({ id }) => id)).toEqual(['ahead']);
    expect(await storage.sessions.find('ahead')).toBeUndefined();
    expect(await storage.sessions.find('now')).toBeDefined();
    expect(await storage.sessionLeases.take('now', NOW + MINUTE)).toBe(true);
    expect(await storage.factors.findSetup('ahead')).toBeUndefined();
    expect(await storage.factors.findSetup('now')).toBeDefined();
    expect(await storage.loginTokens.redeem('ahead', ALICE)).toBe(false);
    expect(await storage.loginTokens.redeem('now', ALICE)).toBe(true);

    // The lease of a sweep that died, too.
    await storage.commit([], endWrongTimes(10 * MINUTE));
    expect(await storage.holds.leaseEnded(NOW + MINUTE, 10)).toHaveLength(1);
  });
});
