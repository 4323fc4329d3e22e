import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LOGIN, passwordLogin, startApp, type TestApp } from '../support/app.ts';
import { codeNow, type Enrolled } from '../support/enrolment.ts';
import { call, type HttpAnswer } from '../support/http.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { ServeProcess } from '../support/serve_process.ts';
import { TestDatabase } from '../support/test_database.ts';
import { MINUTE, PASSWORD, TOTP } from './support.ts';

const OFF = 5 * MINUTE;
/** How many time steps that is. */
const NAMES = ['bob', 'carol', 'dora'] as const;

const programs = postgresPrograms();
const suite = programs === undefined ? describe.skip : describe;

suite('F-9: replicas on one PostgreSQL whose clocks are five minutes ahead and behind', () => {
  let database: TestDatabase;
  let app: TestApp;
  let enrolled: Record<(typeof NAMES)[number], Enrolled>;
  let right: ServeProcess;
  let ahead: ServeProcess;
  let behind: ServeProcess;

  beforeAll(async () => {
    database = await TestDatabase.make(programs);
    app = await startApp({
      users: NAMES.map((name) => ({ name, password: PASSWORD })),
      storage: database.settings(),
    });
    const [bob, carol, dora] = [await app.enrol('bob'), await app.enrol('carol'), await app.enrol('dora')];
    enrolled = { bob, carol, dora };
    await app.shutDown();
    [right, ahead, behind] = await Promise.all([serve(0), serve(OFF), serve(-OFF)]);
  });

  afterAll(async () => {
    await Promise.all([right, ahead, behind].map((each) => each.stop()));
    await app.stop();
    await database.drop();
  });

  /** A process whose machine has a clock that is so far off. */
  function serve(offMs: number): Promise<ServeProcess> {
    const clock = join(app.directory, `clock${offMs}.mjs`);
    writeFileSync(clock, `const { now } = Date; Date.now = () => now() + ${offMs};`);
    return ServeProcess.start(join(app.directory, 'config.yaml'), { preload: [clock] });
  }

  const signIn = (at: ServeProcess, name: string) =>
    call(at.url, { target: LOGIN, json: passwordLogin(name, PASSWORD) });
  const submit = (at: ServeProcess, challenge: HttpAnswer, token: string) => {
    const auth = { type: TOTP, session: String(challenge.json.session), token };
    return call(at.url, { target: LOGIN, json: { auth } });
  };
  const code = (name: keyof typeof enrolled, offMs = 0) => codeNow(enrolled[name].seed, 0, offMs);

  /** Resolves once each process has done a round of its housekeeping after this was called. */
  async function everyRound(): Promise<void> {
    await database.asOther(async (client) => {
      const seen = async () => (await client.query('SELECT id, seen_at FROM processes ORDER BY id')).rows;
      const before = await seen();
      expect(before).toHaveLength(3);
      const isOver = (now: typeof before) =>
        now.every(({ seen_at: at }, index) => at !== before[index]?.seen_at);
      while (!isOver(await seen())) await delay(50);
    });
  }

  test('a login that one holds is not ended by the clock of another, and is finished where the clock is right', async () => {
    const begun = await Promise.all([signIn(ahead, 'bob'), signIn(behind, 'bob'), signIn(right, 'bob')]);
    expect(begun.map(({ status }) => status)).toEqual([401, 401, 401]);
    await everyRound();
    expect(app.stub.liveTokens('bob')).toHaveLength(1);
    expect((await submit(ahead, begun[0], code('bob'))).json.access_token).toBeUndefined();
    expect(await submit(right, begun[0], code('bob'))).toMatchObject({
      status: 200,
      json: { access_token: expect.any(String) },
    });
  });

  test('a code that one has accepted counts at none of the others', async () => {
    const token = code('carol');
    expect(await submit(right, await signIn(right, 'carol'), token)).toMatchObject({ status: 200 });
    for (const other of [right, ahead, behind]) {
      expect((await submit(other, await signIn(other, 'carol'), token)).json.access_token).toBeUndefined();
    }
  });

  test('a code of a clock that is ahead is spent for good: the steps of a user only grow', async () => {
    const token = code('dora', OFF);
    expect(await submit(ahead, await signIn(ahead, 'dora'), token)).toMatchObject({ status: 200 });
    // At the one that is ahead a step may have turned by now: only the same code is certain to be spent.
    for (const [other, spent] of [
      [ahead, () => token],
      [right, () => code('dora')],
      [behind, () => code('dora', -OFF)],
    ] as const) {
      const answer = await submit(other, await signIn(other, 'dora'), spent());
      expect(answer.json.access_token).toBeUndefined();
    }
  });
});
