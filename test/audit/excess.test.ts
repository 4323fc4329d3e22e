/**
 * Of what needs no second factor only the newest entries of each user stay. What looks for the others goes on where it
 * ended, so that a round costs what is new in the record, however long that is.
 */
import { expect, test } from '@jest/globals';
import { type AuditEvent, isUnproven } from '../../src/audit/events.ts';
import { Pruning } from '../../src/audit/pruning.ts';
import { ask, effect } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { findNotLookedAt, LOOKED_AT_ONCE } from '../../src/storage/tables/audit_pruning.ts';
import { HOUR, MINUTE } from '../../src/system/clock.ts';
import { describeOnBothStores, replicasOf } from '../storage/on_both.ts';
import { ALICE, BOB, NOW } from '../storage/rows.ts';
import { entryOn } from '../support/entries.ts';
import { MortalStores } from '../support/mortal_stores.ts';
import { testVault } from '../support/test_vault.ts';
import { verified } from './audited.ts';

const KEPT = 200;
/** Longer than what prunes has its lease. */
const LEASE_IS_OVER = 6 * MINUTE;

interface Line {
  readonly number: number;
  readonly userId: string;
  readonly event: AuditEvent;
}

/** What is on record, one after the other: each is a part of the record, by turns with what stays. */
const FLOODS: readonly Omit<Line, 'number'>[] = [
  { userId: ALICE, event: 'factor.refused' },
  { userId: BOB, event: 'factor.refused' },
  { userId: ALICE, event: 'totp.renamed' },
  { userId: '', event: 'admin.refused' },
];
const STAYS: Omit<Line, 'number'> = { userId: BOB, event: 'login.completed' };
const TURNS = 260;
const TURNS_A_COMMIT = 65;

async function flood(storage: Storage): Promise<void> {
  for (const each of FLOODS) {
    for (let turn = 0; turn < TURNS; turn += TURNS_A_COMMIT) {
      const turns = Array.from({ length: TURNS_A_COMMIT }, () => [each, STAYS]).flat();
      await storage.commit(
        [],
        turns.map((line) => entryOn(storage, { at: NOW, ...line })),
      );
    }
  }
}

async function linesOf(storage: Storage): Promise<Line[]> {
  return storage.read(ask<Line>('SELECT number, user_id AS "userId", event FROM audit ORDER BY number'));
}

function staying(lines: readonly Line[]): Line[] {
  return lines.filter(({ number, userId, event }) => {
    const newer = lines.filter(
      (each) => each.userId === userId && each.event === event && each.number > number,
    );
    return !isUnproven(event) || newer.length < KEPT;
  });
}

describeOnBothStores('what there is too much of in the audit', (opened) => {
  const pruning = (storage: Storage, holder = 'one') => {
    const settings = { keepMs: 24 * HOUR, keepAddressesMs: 24 * HOUR };
    return new Pruning({ storage, vault: testVault(), clock: opened.clock, holder, settings });
  };
  const notLookedAt = async () => (await opened.storage.read(findNotLookedAt()))[0]?.count;

  test('attack 356: goes, and nothing else, with a process that dies at any commit of it', async () => {
    const { storage } = opened;
    await flood(storage);
    const wanted = staying(await linesOf(storage));
    expect(wanted).toHaveLength(FLOODS.length * (KEPT + TURNS));
    const mortal = new MortalStores(new Set([storage]));
    const all = { userId: '', alsoNameless: true };
    let at = 1;
    for (; await mortal.dying(all, at, () => pruning(storage).prune()); at += 1) {
      opened.clock.advance(LEASE_IS_OVER);
    }
    expect(at).toBeGreaterThan(6);
    expect(await linesOf(storage)).toEqual(wanted);
    expect((await verified(storage)).fault).toBeUndefined();
    expect(await notLookedAt()).toBeLessThan(LOOKED_AT_ONCE);
  });

  test('is looked for among what is new, by any process, and found with the next of its kind', async () => {
    const [one, other] = await replicasOf(opened);
    await flood(one);
    await Promise.all([pruning(one).prune(), pruning(other, 'other').prune()]);
    await flood(other);
    const wanted = staying(await linesOf(one));
    await pruning(other, 'other').prune();
    expect(await linesOf(one)).toEqual(wanted);
    // As one that was committed long after it had its number.
    await one.commit(
      [],
      effect(
        `INSERT INTO audit (number, at, user_id, event, detail) VALUES (0, ${NOW}, '${ALICE}', 'factor.refused', '{}')`,
      ),
    );
    expect(await pruning(one).prune()).toMatchObject({ removed: 0 });
    await one.commit([], entryOn(one, { at: NOW, userId: ALICE, event: 'factor.refused' }));
    expect(await pruning(one).prune()).toMatchObject({ removed: 2 });
  });
});
