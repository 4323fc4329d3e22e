import { beforeEach, expect, test } from '@jest/globals';
import { SessionLeases } from '../../src/guard/homeserver_stages.ts';
import { StoredLineLeases } from '../../src/login/stored_line_leases.ts';
import { OwedWrites } from '../../src/storage/owed_writes.ts';
import { migrate } from '../../src/storage/sqlite/migrations/migrate.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { effect } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { findChallenge, keepChallenge } from '../../src/storage/tables/challenges.ts';
import { findSealed, SEALED_COLUMNS } from '../../src/storage/tables/sealed_values.ts';
import { silentLog } from '../../src/system/log.ts';
import { systemRandom } from '../../src/system/random.ts';
import { SessionSeals } from '../../src/uia/session_seals.ts';
import type { RingKey } from '../../src/vault/key_ring.ts';
import { countUnder, resealFrom } from '../../src/vault/resealing.ts';
import { SealingVault, sealHeader } from '../../src/vault/sealing_vault.ts';
import { describeOnBothStores } from '../storage/on_both.ts';
import { ALICE, BOB, session, setup } from '../storage/rows.ts';

const first: RingKey = { id: 'first', created: 1, secret: Buffer.alloc(32, 1) };
const second: RingKey = { id: 'second', created: 2, secret: Buffer.alloc(32, 2) };
const old = new SealingVault({ active: first, keys: [first] }, systemRandom);
const both = new SealingVault({ active: second, keys: [first, second] }, systemRandom);
const later = new SealingVault({ active: second, keys: [second] }, systemRandom);
const progress = () => undefined;

/** Setups of so many users, under the old key. */
async function fill(storage: Storage, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) {
    const userId = `@user${number}:hs.example`;
    const { id } = setup(userId);
    await storage.factors.beginSetup(
      setup(userId, { sealedSeed: old.seal(`seed ${number}`, `setup:${id}:${userId}`) }),
    );
  }
}

describeOnBothStores('values that are sealed under another key', (opened) => {
  let storage: Storage;
  beforeEach(() => {
    storage = opened.storage;
  });

  test("open without the old one, in every user's row, and are told on the way", async () => {
    await fill(storage, 120);
    const told: [number, number][] = [];
    const tell = (done: number, all: number) => void told.push([done, all]);
    expect(await resealFrom('first', { storage, vault: both, progress: tell })).toEqual({
      done: 120,
      broken: 0,
    });
    expect(told).toEqual([
      [100, 120],
      [120, 120],
    ]);
    expect([await countUnder(storage, 'first'), await countUnder(storage, 'second')]).toEqual([0, 120]);
    const [column] = SEALED_COLUMNS.filter(({ table }) => table === 'setups');
    const values = column && (await storage.read(findSealed(column, sealHeader('second'), -1, 200)));
    const opened = values?.map(({ sealed, identity }) => later.open(sealed, identity).toString());
    expect(opened?.sort()).toEqual(Array.from({ length: 120 }, (_, number) => `seed ${number}`).sort());
  });

  test('are as many as are left where it was cut off, and all after the next time', async () => {
    await fill(storage, 250);
    let commits = 0;
    const cut: Pick<Storage, 'commit' | 'read'> = {
      read: (query) => storage.read(query),
      commit: (accounts, unit) => {
        commits += 1;
        if (commits === 2) throw new Error('cut off');
        return storage.commit(accounts, unit);
      },
    };
    await expect(resealFrom('first', { storage: cut, vault: both, progress })).rejects.toThrow('cut off');
    expect(await countUnder(storage, 'first')).toBe(150);
    expect(await resealFrom('first', { storage, vault: both, progress })).toEqual({ done: 150, broken: 0 });
    expect(await countUnder(storage, 'first')).toBe(0);
  });

  test('stay as they are where they do not open, and keep none of the others from it', async () => {
    await fill(storage, 2);
    await storage.factors.beginSetup(setup(BOB, { sealedSeed: old.seal('seed', 'another row') }));
    expect(await resealFrom('first', { storage, vault: both, progress })).toEqual({ done: 2, broken: 1 });
    expect(await countUnder(storage, 'first')).toBe(1);
  });

  test('that were changed meanwhile are not overwritten', async () => {
    await fill(storage, 1);
    const userId = '@user0:hs.example';
    const [column] = SEALED_COLUMNS.filter(({ table }) => table === 'setups');
    if (column === undefined) throw new Error('setups are sealed');
    const meanwhile = later.seal('newer', `setup:${setup(userId).id}:${userId}`);
    const changing: Pick<Storage, 'commit' | 'read'> = {
      read: (query) => storage.read(query),
      commit: async (accounts, unit) => {
        await storage.commit([], effect('UPDATE setups SET sealed_seed = :meanwhile', { meanwhile }));
        return storage.commit(accounts, unit);
      },
    };
    await resealFrom('first', { storage: changing, vault: both, progress });
    const [found] = await storage.read(findSealed(column, sealHeader('second'), -1, 1));
    expect(found?.sealed).toEqual(meanwhile);
  });

  test('of sessions, turns, lines and challenges are found by those who sealed them', async () => {
    const seals = new SessionSeals(old);
    const idHash = 'hash of a session';
    const open = session({
      idHash,
      userId: ALICE,
      sealedId: seals.seal('id', idHash, 'id'),
      sealedBody: seals.seal('body', idHash, '{"a":1}'),
      bodyDigest: seals.digestsOf({ a: 1 })[0] ?? null,
      sealedPassword: seals.seal('password', idHash, 'password'),
      sealedToken: seals.seal('token', idHash, 'token'),
    });
    await storage.sessions.open(open, { perPot: 9, perUser: 9, perHoldOrToken: 9 });
    const homeserverStages = { session: 's', proven: [], flows: [], completed: [], params: {} };
    const binding = { target: 't', userId: ALICE, tokenHash: null };
    const turnOf = (vault: SealingVault) =>
      new SessionLeases({ storage, vault, clock: opened.clock, owedWrites: new OwedWrites(silentLog) });
    const ours = { idHash, binding } as Parameters<SessionLeases['find']>[0];
    await turnOf(old).take(ours);
    await turnOf(old).settle(ours, turnOf(old).keepHomeserverStages(ours, homeserverStages));
    const left = { exact: 'e', outcome: { is: 'held' } } as const;
    await new StoredLineLeases({ storage, vault: old }).take('line', 'holder', 1_000);
    await new StoredLineLeases({ storage, vault: old }).leave('line', 'holder', left);
    const challenge = { session: idHash, kind: 'dummy', userId: ALICE };
    const sealed = old.seal('question', `challenge:${idHash}`);
    await storage.commit([ALICE], keepChallenge({ ...challenge, sealed }, 1_000));

    expect(await resealFrom('first', { storage, vault: both, progress })).toEqual({ done: 7, broken: 0 });

    const found = await storage.sessions.find(idHash);
    expect(found && new SessionSeals(later).open(found)).toMatchObject({
      id: 'id',
      body: { a: 1 },
      password: 'password',
      token: 'token',
    });
    expect(await turnOf(later).find(ours)).toEqual(homeserverStages);
    expect(await new StoredLineLeases({ storage, vault: later }).look('line', 'holder')).toEqual({
      is: 'over',
      left,
    });
    const [question] = await storage.read(findChallenge(idHash, 'dummy', ALICE));
    expect(later.open(question?.sealed ?? Buffer.alloc(0), `challenge:${idHash}`).toString()).toBe(
      'question',
    );
  });
});

test('every sealed column of the schema is known', () => {
  const database = openDatabase(':memory:');
  migrate(database);
  const rows = database
    .prepare<[], { place: string }>(
      `SELECT tables.name || '.' || columns.name AS place
       FROM sqlite_schema AS tables, pragma_table_xinfo(tables.name) AS columns
       WHERE tables.type = 'table' AND columns.type = 'BLOB' AND columns.name <> 'salt'`,
    )
    .all();
  database.close();
  expect(SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`).sort()).toEqual(
    rows.map(({ place }) => place).sort(),
  );
});

test('values of a key whose id begins like another one are not counted with it', () => {
  expect(sealHeader('first').subarray(0, 4)).not.toEqual(sealHeader('fir').subarray(0, 4));
});
