import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { seedText } from '../../src/factors/totp/totp_seed.ts';
import { foldLocalpart } from '../../src/matrix/user_id.ts';
import { listMayOwe } from '../../src/storage/tables/policies.ts';
import { systemRandom } from '../../src/system/random.ts';
import { loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { describeOnOperated, type OperatedDatabase } from './operated_database.ts';

const FIXTURES = join('test', 'rescue', 'fixtures');
const ANN = '@ann:example.org';
const BEN = '@ben:example.org';
const SEED = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

describeOnOperated('user import', (at) => {
  async function type(...words: string[]) {
    // Only serve makes a database.
    await at.database.with(async () => undefined);
    return at.database.line.type('user', 'import', ...words);
  }

  function table(...rows: string[]): string {
    const file = join(at.database.line.folder, 'import.csv');
    writeFileSync(file, ['user_id,seed,name,algorithm,digits,period', ...rows, ''].join('\n'));
    return file;
  }

  function opened(database: OperatedDatabase, userId: string): Promise<Buffer[]> {
    const vault = new SealingVault(loadKeyRing(database.keys), systemRandom);
    return database.with(async ({ factors }) =>
      (await factors.authenticators(userId)).map(({ id, sealedSeed }) =>
        vault.open(sealedSeed, `authenticator:${id}:${userId}`),
      ),
    );
  }

  test.each([
    ['authelia', 'authelia.csv', 0],
    ['authelia', 'authelia.yaml', 0],
    ['privacyidea', 'privacyidea.csv', 2],
    ['privacyidea', 'privacyidea.yaml', 6, '--skip-unusable'],
    ['keycloak', 'keycloak.json', 2],
    ['csv', 'plain.csv', 0],
  ])('%s, %s: users go on with their apps', async (format, file, skipped, ...more: string[]) => {
    const { database } = at;
    const words = ['--from', format, '--server-name', 'example.org', ...more, join(FIXTURES, file)];
    const dry = await type(...words, '--dry-run', '--json');
    expect(JSON.parse(dry.out)).toEqual({ imported: 2, skipped: expect.anything(), errors: [] });
    expect(await database.enrolled()).toEqual([]);

    const { code, out, err } = await type(...words);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`2 users imported, ${skipped} left out.`);
    expect(await database.enrolled()).toEqual([ANN, BEN]);
    const seed = createHash('sha256').update('ann').digest().subarray(0, 20);
    expect((await opened(database, ANN)).some((each) => each.equals(seed))).toBe(true);
    await database.with(async (storage) => {
      const { factors, audit } = storage;
      const [first] = await factors.authenticators(ANN);
      expect(first).toMatchObject({ lastStep: Math.floor(database.line.clock.now() / 30_000), kind: 'totp' });
      expect(await storage.read(listMayOwe([foldLocalpart(BEN)]))).toEqual([{ userId: BEN }]);
      expect(await factors.recoverySet(ANN)).toBeUndefined();
      expect(await audit.list({ userId: BEN })).toMatchObject([
        { event: 'operator.imported', detail: { authenticators: 1, from: format } },
      ]);
    });
  });

  test('attack 188: one bad line and nothing is written; each is named, and no seed is shown', async () => {
    await at.database.enrol(BEN);
    const short = SEED.slice(0, 8);
    const file = table(
      `${ANN},${SEED},,,,`,
      `${ANN},${SEED},,,,`,
      `${BEN},${SEED},,,,`,
      `@cid:example.org,${short},,,,`,
      `@dee:example.org,${SEED}1,,,,`,
      `@eva:example.org,${SEED},,sha256,,`,
      `@flo:example.org,${SEED},,,8,`,
      `@gil:example.org,${SEED},,,,60`,
      `Hal,${SEED},,,,`,
      `@ida:example.org,${SEED},${'x'.repeat(101)},,,`,
      `@a b:example.org,${SEED},,,,`,
    );
    const { code, out, err } = await type('--from', 'csv', '--server-name', 'example.org', file);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.replaceAll('matrix-2fa-proxy: ', '').split('\n')).toEqual([
      'line 3 (@ann:example.org): @ann:example.org stands at line 2 too',
      'line 4 (@ben:example.org): the user has two-factor authentication on',
      'line 5 (@cid:example.org): its seed has 40 bits: at least 80 are needed',
      'line 6 (@dee:example.org): its seed cannot be read',
      'line 7 (@eva:example.org): its algorithm is not totp.algorithm (sha1)',
      'line 8 (@flo:example.org): its digits are not totp.digits (6)',
      'line 9 (@gil:example.org): its period is not totp.period (30)',
      'line 10 (Hal): this is not the name of a Matrix user',
      'line 11 (@ida:example.org): its name is too long, or holds characters that are not shown',
      'line 12 (@a b:example.org): this is not the name of a Matrix user',
      'nothing was imported',
    ]);
    expect(err).not.toContain(short);
    expect(await at.database.enrolled()).toEqual([BEN]);
  });

  test('what is left out when the operator says so', async () => {
    await at.database.enrol(BEN);
    const file = table(`${ANN},${SEED},,,,`, `${BEN},${SEED},,,,`, `@cid:example.org,GEZDGNBV,,,,`);
    const words = ['--from', 'csv', file];
    expect(await type(...words, '--skip-existing')).toMatchObject({ code: 1 });
    expect(await type(...words, '--skip-unusable')).toMatchObject({ code: 1 });
    const done = await type(...words, '--skip-unusable', '--skip-existing', '--json');
    expect(done.code).toBe(0);
    expect(JSON.parse(done.out)).toMatchObject({
      imported: 1,
      skipped: [
        { place: 'line 3', user: BEN },
        { place: 'line 4', user: '@cid:example.org' },
      ],
      errors: [],
    });
    expect(await at.database.enrolled()).toEqual([ANN, BEN]);
    // A second time there is nothing left to do.
    expect(await type(...words)).toMatchObject({ code: 1 });
    expect((await opened(at.database, ANN)).map(seedText)).toEqual([SEED]);
  });

  test('names without a server need one', async () => {
    const file = table(`ann,${SEED},,,,`);
    expect(await type('--from', 'csv', file)).toMatchObject({
      code: 1,
      err: expect.stringContaining('line 2 (ann): it needs --server-name'),
    });
    expect(await type('--from', 'csv', file, '--server-name', 'a/b')).toMatchObject({ code: 2 });
    expect(await type('--from', 'pskc', file)).toMatchObject({ code: 2 });
    expect(await type('--from', 'csv', join(at.database.line.folder, 'no.csv'))).toMatchObject({
      code: 1,
      err: expect.stringContaining('no.csv: cannot be read: ENOENT'),
    });
  });

  test('of two imports at once one is done, whole', async () => {
    const rows = (from: number) =>
      Array.from({ length: 50 }, (_, at) => `@user${from + at}:example.org,${SEED},,,,`);
    await type('--from', 'csv', table(...rows(0)), '--dry-run');
    const first = table(...rows(0));
    const second = join(at.database.line.folder, 'second.csv');
    writeFileSync(second, ['user_id,seed', ...rows(49).map((row) => row.replace(/,+$/, '')), ''].join('\n'));
    const done = await Promise.all([
      at.database.line.type('user', 'import', '--from', 'csv', first),
      at.database.line.type('user', 'import', '--from', 'csv', second),
    ]);
    expect(done.map(({ code }) => code).toSorted()).toEqual([0, 1]);
    expect(await at.database.enrolled()).toHaveLength(50);
  });
});
