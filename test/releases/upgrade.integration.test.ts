import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { READABLE_FROM } from '../../src/storage/sqlite/migrations/migrate.ts';
import { systemClock } from '../../src/system/clock.ts';
import { commandLine } from '../cli/command_line.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { ServeProcess } from '../support/serve_process.ts';
import { type StubHomeserver, startStub } from '../support/stub/stub.ts';
import { TestDatabase } from '../support/test_database.ts';
import { buildProgram, mainOf, nextRelease, run } from './built.ts';
import { linkDependencies, RELEASES } from './release.ts';
import { UpgradeMachine } from './upgrade_machine.ts';
import { digest, gapsDuring, NAME, PASSWORD, Person, untilReady, walk } from './walk.ts';

const SERVICE = 'matrix-2fa-proxy';
const ETC = 'etc/matrix-2fa-proxy';
/** As docs/operate.md of release 0.1 has it. */
const SERVICE_OF_0_1 = `[Service]
User=matrix-2fa
WorkingDirectory=/opt/matrix-2fa-proxy
ExecStart=/usr/bin/node dist/cli/main.js serve --config /etc/matrix-2fa-proxy/config.yaml
`;

let folder: string;
/** This version, as it is built. */
let built: string;
let stub: StubHomeserver;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'upgrade-'));
  linkDependencies(folder);
  built = buildProgram(join(folder, 'built'));
  stub = await startStub({
    clock: systemClock,
    serverName: 'example.org',
    users: [{ name: NAME, password: PASSWORD }],
  });
});
afterAll(async () => {
  await stub.stop();
  rmSync(folder, { recursive: true, force: true });
});

const GRANTED = { status: 200, json: { access_token: expect.any(String) } };

/** Variables for a `serve` that is no service. */
const HERE = () => ({ MATRIX_2FA_LISTEN: '127.0.0.1:0', MATRIX_2FA_HOMESERVER_URL: stub.url });

const withOneStop = RELEASES.filter(({ schema }) => schema < READABLE_FROM);
describe.each(withOneStop)('from $version, with one stop', (release) => {
  const person = new Person(release.user);

  test('the commands of the page, as printed, and the way back', async () => {
    const machine = await UpgradeMachine.make();
    try {
      release.unpackProgram(machine.file(`opt/${SERVICE}`));
      const { databaseFile } = release.unpackInstallation(machine.file(ETC));
      machine.placeConfiguration(stub.url);
      writeFileSync(machine.file(`etc/systemd/system/${SERVICE}.service`), SERVICE_OF_0_1);
      machine.offer(built);
      await walkWithOneStop(machine, databaseFile);
    } finally {
      await machine.stop();
    }
  });

  async function walkWithOneStop(machine: UpgradeMachine, databaseFile: string): Promise<void> {
    const [url] = machine.urls;
    const before = digest(databaseFile);
    await walk(machine, '2. Beside the old version', 0);
    const looks = await walk(machine, '2. Beside the old version', 1);
    expect(looks).toMatch(/would go from schema version 3 to \d+; nothing was changed/);
    expect(digest(databaseFile)).toBe(before);

    await machine.run(`systemctl start ${SERVICE}`);
    await untilReady(url);
    const begun = await person.login(url);
    await walk(machine, 'From 0.1', 0);
    await walk(machine, 'From 0.1', 1);

    expect(await person.finish(url, begun, person.code(0))).toMatchObject(GRANTED);
    await walk(machine, '3. In its place', 3);
    expect(await person.recover(url, 0)).toMatchObject(GRANTED);
    expect(await walk(machine, '4. Look at it')).toMatch(/^Nothing found/);
    const config = `--config /${ETC}/config.yaml`;
    const shown = await machine.run(`${SERVICE} user show ${release.user.user_id} ${config}`);
    expect(shown.out).toMatch(/two-factor authentication is on\n.*\n.*recovery codes: 9 of 10/);
    // Entries of 0.1 stand in no chain.
    expect(await machine.run(`${SERVICE} audit verify ${config}`)).toMatchObject({ code: 0 });

    const refused = await machine.run(`cd /opt/${SERVICE}.old && node dist/cli/main.js serve ${config}`);
    expect(refused).toEqual({
      code: 2,
      out: '',
      err: expect.stringMatching(/^[^\n]* has schema version \d+, but [^\n]* only up to 3: [^\n]*\n$/),
    });
    await walk(machine, 'From 0.1', 2);
    expect(await person.recover(url, 0)).toMatchObject(GRANTED);
    expect(await person.finish(url, await person.login(url), person.code(1))).toMatchObject(GRANTED);
  }

  test('storage.migrate: never leaves it to migrate, and then it can go to PostgreSQL', async () => {
    const place = join(folder, `from ${release.version}`);
    const { configFile, databaseFile } = release.unpackInstallation(place);
    const main = mainOf(built);
    const text = readFileSync(configFile, 'utf8');
    const never = join(place, 'never.yaml');
    writeFileSync(never, text.replace('path: data/2fa.db', 'path: data/2fa.db, migrate: never'));
    const program = [release.unpackProgram(join(folder, `program ${release.version}`))];
    const old = await ServeProcess.start(configFile, { program, environment: HERE() });

    expect(await run(main, 'serve', '--config', never)).toEqual({
      code: 2,
      out: '',
      err: expect.stringMatching(/ has schema version 3, and this program \d+: run migrate,[^\n]*\n$/),
    });
    expect(await run(main, 'migrate', '--config', never)).toMatchObject({ code: 0 });
    // The release that was not stopped.
    const behind = ` ${person.code(0)}`;
    expect((await person.login(old.url, behind)).status).toBeGreaterThanOrEqual(500);
    await old.stop();

    const young = await ServeProcess.start(never, { program: [main], environment: HERE() });
    expect(await person.login(young.url, behind)).toMatchObject(GRANTED);
    await young.stop();
    if (postgresPrograms() !== undefined) await walkToPostgres(configFile, databaseFile);
  });

  async function walkToPostgres(configFile: string, databaseFile: string): Promise<void> {
    const postgres = await TestDatabase.make(postgresPrograms());
    const text = readFileSync(configFile, 'utf8');
    writeFileSync(configFile, text.replace(/^storage: .*$/m, `storage: ${postgres.settings()}`));
    const words = ['--from', `sqlite:${databaseFile}`, '--to', postgres.url, '--config', configFile];
    expect(await run(mainOf(built), 'migrate', ...words)).toMatchObject({ code: 0 });
    const serve = await ServeProcess.start(configFile, { program: [mainOf(built)], environment: HERE() });
    expect(await person.recover(serve.url, 0)).toMatchObject(GRANTED);
    expect(await person.finish(serve.url, await person.login(serve.url), person.code(1))).toMatchObject(
      GRANTED,
    );
    await serve.stop();
    await postgres.drop();
  }
});

async function initialise(etc: string): Promise<void> {
  const line = commandLine();
  await line.type('init', '--yes', '--dir', etc);
  line.remove();
}

const NEXT = { adds: 'ALTER TABLE accounts ADD COLUMN nickname TEXT;' };
const sideBySide = [
  ...RELEASES.filter(({ schema }) => schema >= READABLE_FROM).map((release) => ({
    from: release.version,
    installation: async (etc: string) => void release.unpackInstallation(etc),
    program: (place: string) => void release.unpackProgram(place),
    newer: () => built,
    who: async () => new Person(release.user),
  })),
  {
    from: 'this version to the next one',
    installation: initialise,
    program: (place: string) => cpSync(built, place, { recursive: true }),
    newer: () => nextRelease(built, join(folder, 'next'), NEXT),
    who: Person.whoTurnsItOn,
  },
];

describe.each(sideBySide)(
  'from $from, one process after the other',
  ({ installation, program, newer, who }) => {
    let machine: UpgradeMachine;
    beforeEach(async () => {
      machine = await UpgradeMachine.make();
      await installation(machine.file(ETC));
      machine.placeConfiguration(stub.url);
      mkdirSync(machine.file(`var/lib/${SERVICE}`));
      cpSync('deploy/systemd', machine.file('etc/systemd/system'), { recursive: true });
      program(machine.file('old'));
      machine.offer(machine.file('old'));
      const { err } = await machine.run(
        `npm i --prefix /opt/${SERVICE} --omit=dev ./*.tgz
       ln -s /opt/${SERVICE}/node_modules/.bin/${SERVICE} /usr/local/bin/
       systemctl start ${SERVICE}@${machine.ports[0]}; systemctl start ${SERVICE}@${machine.ports[1]}`,
      );
      expect(err).toBe('');
      machine.offer(newer());
    });
    afterEach(() => machine.stop());

    test('the commands of the page, as printed, and the way back', async () => {
      const [one, two] = machine.urls;
      await Promise.all([untilReady(one), untilReady(two)]);
      const person = await who(one);
      await walk(machine, '1. Before');
      await walk(machine, '2. Beside the old version', 0);
      const looks = await walk(machine, '2. Beside the old version', 1);
      expect(looks).toMatch(/schema version \d+/);
      const begun = await person.login(one);
      await walk(machine, '3. In its place', 0);
      await walk(machine, '3. In its place', 1);
      expect((await person.login(one)).status).toBe(401);

      const gaps = await gapsDuring([one, two], () => walk(machine, '3. In its place', 2));
      expect(gaps).toBe(0);
      expect(await person.finish(two, begun, person.code(1))).toMatchObject(GRANTED);
      expect(await walk(machine, '4. Look at it')).toMatch(/^Nothing found/);

      await walk(machine, 'Back');
      await walk(machine, '3. In its place', 2);
      expect(await person.recover(two, 0)).toMatchObject(GRANTED);
    });
  },
);
