import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { READABLE_FROM } from '../../src/storage/sqlite/migrations/migrate.ts';
import { systemClock } from '../../src/system/clock.ts';
import { describeOnOperated, OperatedDatabase } from '../cli/operated_database.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { codeNow, type Enrolled } from '../support/enrolment.ts';
import { call, type HttpAnswer } from '../support/http.ts';
import { ServeProcess } from '../support/serve_process.ts';
import { type StubHomeserver, startStub } from '../support/stub/stub.ts';
import { buildProgram, mainOf, nextRelease, run } from './built.ts';
import { linkDependencies, RELEASES } from './release.ts';

const PASSWORD = 'correct horse';
const BOB = '@bob:example.org';
const CAROL = '@carol:example.org';
const ADDS =
  'ALTER TABLE accounts ADD COLUMN nickname TEXT; CREATE TABLE nicknames (name TEXT NOT NULL) STRICT;';
const TAKES_AWAY = 'DROP TABLE known_places;';

let folder: string;
let stub: StubHomeserver;
/** This version; one that adds to its schema; and the one after that, which takes away what this version needs. */
let now: string;
let next: string;
let later: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'side-by-side-'));
  linkDependencies(folder);
  const built = buildProgram(join(folder, 'now'));
  const added = nextRelease(built, join(folder, 'next'), { adds: ADDS });
  const taken = nextRelease(added, join(folder, 'later'), { adds: TAKES_AWAY, leavesBehind: 1 });
  [now, next, later] = [mainOf(built), mainOf(added), mainOf(taken)];
  const users = [BOB, CAROL].map((userId) => ({ name: localpart(userId), password: PASSWORD }));
  stub = await startStub({ clock: systemClock, serverName: 'example.org', users });
});
afterAll(async () => {
  await stub.stop();
  rmSync(folder, { recursive: true, force: true });
});

const running: ServeProcess[] = [];
afterEach(() => Promise.all(running.splice(0).map((each) => each.stop())));

function localpart(userId: string): string {
  return userId.slice(1, userId.indexOf(':'));
}

function login(serve: ServeProcess, userId: string): Promise<HttpAnswer> {
  return call(serve.url, { target: LOGIN, json: passwordLogin(localpart(userId), PASSWORD) });
}

function finish(serve: ServeProcess, challenge: HttpAnswer, token: string): Promise<HttpAnswer> {
  const auth = { type: 'm.login.2fa.totp', session: String(challenge.json.session), token };
  return call(serve.url, { target: LOGIN, json: { auth } });
}

function code({ seed }: Enrolled, steps: 0 | 1): string {
  return codeNow(seed, steps);
}

/** Programs that serve on one database: the older one and the newer one. */
const PAIRS: readonly (readonly [string, () => string, () => string])[] = [
  ['this version and the next one', () => now, () => next],
  ...RELEASES.slice(-1)
    .filter(({ schema }) => schema >= READABLE_FROM)
    .map((release): (typeof PAIRS)[number] => [
      `release ${release.version} and this version`,
      () => release.unpackProgram(mkdtempSync(join(folder, 'release-'))),
      () => now,
    ]),
];

for (const [title, older, newer] of PAIRS) {
  describeOnOperated(title, (at) => {
    async function start(program: string): Promise<ServeProcess> {
      const serve = await ServeProcess.start(at.database.line.configFile, {
        program: [program],
        environment: { MATRIX_2FA_LISTEN: '127.0.0.1:0', MATRIX_2FA_HOMESERVER_URL: stub.url },
      });
      running.push(serve);
      return serve;
    }

    test('serve side by side, and the way back is the old program', async () => {
      const [bob, carol] = [await at.database.enrol(BOB), await at.database.enrol(CAROL)];
      const old = await start(older());
      const begunAtOld = await login(old, BOB);
      const young = await start(newer());

      const spent = code(bob, 0);
      expect(await finish(young, begunAtOld, spent)).toMatchObject({ status: 200 });
      const begunAtYoung = await login(young, CAROL);
      expect(await finish(old, begunAtYoung, code(carol, 0))).toMatchObject({ status: 200 });
      expect(await finish(old, await login(old, BOB), spent)).toMatchObject({ status: 401 });
      expect(await finish(old, await login(old, BOB), code(bob, 1))).toMatchObject({ status: 200 });

      const { line } = at.database;
      const { out } = await line.type('doctor', '--only', 'schema,keys,processes');
      expect(out).toMatch(/^warn {2}processes: they are of different versions: .*\n.*$/);
      await Promise.all(running.splice(0).map((each) => each.stop()));

      const back = await start(older());
      expect(await finish(back, await login(back, CAROL), code(carol, 1))).toMatchObject({ status: 200 });
    });
  });
}

test('one that takes away what this version needs ends it with exit code 2, and only it', async () => {
  const database = new OperatedDatabase();
  const config = ['--config', database.line.configFile];
  await database.enrol(BOB);
  expect(await run(later, 'migrate', ...config)).toMatchObject({ code: 0 });
  const [refused, listed] = await Promise.all([
    run(now, 'serve', ...config),
    run(next, 'user', 'list', ...config),
  ]);
  expect(refused).toEqual({
    code: 2,
    out: '',
    err: expect.stringMatching(/^matrix-2fa-proxy: the database has schema version \d+, but .*\n$/),
  });
  expect(listed).toMatchObject({ code: 0, out: expect.stringContaining(BOB) });
  database.line.remove();
});
