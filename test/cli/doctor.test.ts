import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CHECKS } from '../../src/doctor/list.ts';
import { MIGRATIONS, migrate } from '../../src/storage/sqlite/migrations/migrate.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { announceProcess, dropProcess, listProcesses } from '../../src/storage/tables/processes.ts';
import { systemRandom } from '../../src/system/random.ts';
import { programVersion } from '../../src/system/version.ts';
import { createKeyFile, loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { TestDatabase } from '../support/test_database.ts';
import { type CommandLine, commandLine } from './command_line.ts';

const IDS = CHECKS.map(({ id }) => id);

let app: TestApp;
let line: CommandLine;

beforeAll(async () => {
  app = await startApp({ config: 'brand: { help_url: "https://example.org/help" }' });
  line = commandLine();
  line.clock.followMachine();
});
afterAll(async () => {
  line.remove();
  await app.stop();
});

/** Types it with the configuration of the application; nothing that needs the public address, which is made up. */
async function doctor(...words: string[]) {
  app.clock.set(Date.now());
  await app.proxy.keepHouse();
  const skip = CHECKS.filter(({ id, outside }) => outside || PUBLIC.includes(id)).map(({ id }) => id);
  return line.type(
    'doctor',
    '--config',
    join(app.directory, 'config.yaml'),
    '--skip',
    skip.join(','),
    ...words,
  );
}

/** There is no web server here, and no trusted one. */
const PUBLIC = ['public-path', 'routes', 'client-address', 'config'];

describe('the report', () => {
  test('as JSON has each check once, in order, and says when and by which version', async () => {
    const begun = Date.now();
    const { code, out } = await doctor('--json');
    const ended = Date.now();
    const report = JSON.parse(out);
    expect(code).toBe(0);
    expect(Object.keys(report)).toEqual(['version', 'checked_at', 'verdict', 'checks']);
    expect(report).toMatchObject({ version: programVersion(), verdict: 'ok' });
    expect(report.checked_at).toBeGreaterThanOrEqual(begun);
    expect(report.checked_at).toBeLessThanOrEqual(ended);
    expect(report.checks.map(({ id }: { id: string }) => id)).toEqual(IDS);
    for (const check of report.checks) {
      expect(Object.keys(check).toSorted()).toEqual(['fix', 'found', 'id', 'tried', 'verdict']);
    }
  });

  test('as text is one line where nothing is found, and two lines a finding', async () => {
    const right = await doctor();
    expect(right.out.split('\n')).toHaveLength(1);
    const self = { host: 'h', version: '0.0.1', sealingKey: '', settingsDigest: '' };
    const [own] = await app.storage.read(listProcesses());
    await app.storage.commit([], announceProcess('old', { ...self, keyIds: own?.keyIds ?? '' }));
    const warned = await doctor();
    const strict = await doctor('--strict');
    await app.storage.commit([], dropProcess('old'));
    expect(warned.code).toBe(0);
    expect(warned.out.split('\n')).toEqual([
      expect.stringMatching(/^warn {2}processes: they are of different versions: /),
      expect.stringMatching(/^ {6}finish the upgrade/),
    ]);
    expect([strict.code, strict.out, strict.err]).toEqual([1, warned.out, '']);
  });

  test('--only asks nothing else', async () => {
    app.stub.clear();
    const { out } = await doctor('--only', 'store, schema', '--json');
    const asked = JSON.parse(out).checks.filter(({ tried }: { tried: string[] }) => tried.length > 0);
    expect(asked.map(({ id }: { id: string }) => id)).toEqual(['store', 'schema']);
    expect(app.stub.requests).toEqual([]);
  });
});

describe('wrong use is exit code 2', () => {
  test.each([
    [['--only', 'store,stoer'], '--only: there is no check "stoer"; see doctor --help'],
    [['--skip', ''], '--skip: there is no check ""'],
    [['--server-name', 'a b/'], '--server-name a b/ is not a server name'],
    [['--outside', 'matrix.example.org'], '--outside must be a URL'],
    [
      ['--homeserver-config', '/nowhere/homeserver.yaml'],
      '--homeserver-config /nowhere/homeserver.yaml cannot be read: ENOENT',
    ],
  ])('%j', async (words, text) => {
    const { code, out, err } = await line.type(
      'doctor',
      '--config',
      join(app.directory, 'config.yaml'),
      ...words,
    );
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(text);
  });

  test('a configuration that cannot be used is the only finding', async () => {
    const config = join(line.folder, 'broken.yaml');
    writeFileSync(config, 'listen: nowhere\n');
    const { code, out, err } = await line.type('doctor', '--config', config);
    expect([code, err]).toEqual([2, '']);
    expect(out.split('\n')).toEqual([
      expect.stringMatching(/^fail {2}config: .*broken\.yaml/),
      expect.any(String),
    ]);
    const json = await line.type('doctor', '--config', config, '--json');
    expect([json.code, JSON.parse(json.out).checks.length]).toEqual([2, IDS.length]);
  });
});

test('a public address that does not answer is a failure, not a report', async () => {
  expect(await line.type('doctor', '--outside', 'http://127.0.0.1:9')).toEqual({
    code: 1,
    out: '',
    err: 'matrix-2fa-proxy: http://127.0.0.1:9 does not answer: ECONNREFUSED',
  });
});

test('keys that systemd hands to the service alone: it says how to run it', async () => {
  const config = join(line.folder, 'credential.yaml');
  const text = readFileSync(join(app.directory, 'config.yaml'), 'utf8');
  writeFileSync(config, text.replace('file: keys.json', 'credential: keys.json, marks: marks.json'));
  const { code, out } = await line.type('doctor', '--config', config, '--only', 'keys');
  expect([code, out.split('\n')[1]]).toEqual([1, expect.stringContaining('CREDENTIALS_DIRECTORY')]);
});

test('a database of an older version is left as it is', async () => {
  const path = join(line.folder, 'older.db');
  const older = openDatabase(path);
  migrate(older, MIGRATIONS.slice(0, 3));
  const ring = loadKeyRing(join(app.directory, 'keys.json'));
  const seed = new SealingVault(ring, systemRandom).seal(Buffer.alloc(20), 'authenticator:a:@bob:hs');
  older.prepare("INSERT INTO accounts VALUES ('@bob:hs', 'bob')").run();
  older.prepare("INSERT INTO authenticators VALUES ('a', '@bob:hs', 'A', ?, 0, NULL, 0)").run(seed);
  older.prepare("INSERT INTO recovery_sets VALUES ('@bob:hs', x'00', ?, 0)").run(ring.active.id);
  older.close();
  const config = join(line.folder, 'older.yaml');
  const text = readFileSync(join(app.directory, 'config.yaml'), 'utf8');
  writeFileSync(
    config,
    text.replace('path: 2fa.db', `path: ${path}`).replace('keys.json', join(app.directory, 'keys.json')),
  );
  const look = async () => {
    const { out } = await line.type(
      'doctor',
      '--config',
      config,
      '--only',
      'store,schema,keys,mark',
      '--json',
    );
    const checks = JSON.parse(out).checks as { id: string; verdict: string; found: string }[];
    return Object.fromEntries(checks.map(({ id, ...check }) => [id, check]));
  };
  expect(await look()).toMatchObject({
    schema: { verdict: 'ok', found: `it is 3; serve brings it to ${MIGRATIONS.length} at its start` },
    keys: { verdict: 'ok', found: expect.stringContaining('opens all of it') },
    mark: { verdict: 'skipped' },
  });
  writeFileSync(config, readFileSync(config, 'utf8').replace(/(path: \S+older\.db)/, '$1, migrate: never'));
  expect(await look()).toMatchObject({
    schema: { verdict: 'fail', found: expect.stringContaining('run migrate, as storage.migrate is never') },
  });
  createKeyFile(join(line.folder, 'others.json'), systemRandom, line.clock);
  writeFileSync(config, readFileSync(config, 'utf8').replace(/file: \S+keys\.json/, 'file: others.json'));
  expect(await look()).toMatchObject({
    keys: { verdict: 'fail', found: expect.stringMatching(/^1 of 1 authenticators do not open; recovery/) },
  });
  const after = openDatabase(path);
  expect(after.pragma('user_version', { simple: true })).toBe(3);
  after.close();
});

const programs = postgresPrograms();
(programs === undefined ? describe.skip : describe)('on PostgreSQL', () => {
  test('fsync that is off is found, and only it; before a migration keys are looked at as well', async () => {
    const database = await TestDatabase.make(programs);
    const other = await startApp({ storage: database.settings() });
    const config = join(other.directory, 'config.yaml');
    const looked = async () => {
      other.clock.set(Date.now());
      await other.proxy.keepHouse();
      const only = 'files,store,schema,keys,mark,processes,homeserver,clock';
      return line.type('doctor', '--config', config, '--only', only);
    };
    expect((await looked()).out.split('\n')).toEqual([
      expect.stringMatching(/^fail {2}store: fsync is off: after a crash a spent code would count again$/),
      expect.stringContaining('fsync = on'),
    ]);
    await database.administer(`ALTER DATABASE ${database.name} SET synchronous_commit = off`);
    expect((await looked()).out).toContain('store: fsync and synchronous_commit are off');
    await other.enrol('bob');
    await other.shutDown();
    await database.administer('DROP TABLE emergency_codes; UPDATE schema_info SET version = 20');
    const { out } = await line.type('check-config', '--online', '--config', config, '--json');
    expect(JSON.parse(out).checks).toContainEqual(expect.objectContaining({ id: 'keys', verdict: 'ok' }));
    await other.stop();
    await database.drop();
  });
});
