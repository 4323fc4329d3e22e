import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { run } from '../../src/cli/program.ts';
import { processSurroundings } from '../../src/cli/surroundings.ts';
import { loadConfig } from '../../src/config/load.ts';
import { openStorage } from '../../src/storage/open_storage.ts';
import { effect } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { LiveProcesses } from '../../src/storage/tables/processes.ts';
import { systemClock } from '../../src/system/clock.ts';
import { systemRandom } from '../../src/system/random.ts';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { codeNow, type Enrolled } from '../support/enrolment.ts';
import { call, type HttpAnswer } from '../support/http.ts';
import { ServeProcess } from '../support/serve_process.ts';
import { loginsOf, PASSWORD, TOTP } from './support.ts';

/** Those who sign in all the time, and those who began before the rotation and finish after it. */
const STORMING = ['ann', 'bob'];
const WAITING = ['cem', 'dee'];
const NAMES = [...STORMING, ...WAITING];

describeOnBothDatabases('a key is rotated and retired while two `serve` run', (start) => {
  let app: TestApp;
  let users: Enrolled[];
  let processes: ServeProcess[];
  let config: string;
  /** The storm's latest sign-ins. */
  let round: Promise<readonly HttpAnswer[]>;

  beforeEach(async () => {
    app = await start({
      users: NAMES.map((name) => ({ name, password: PASSWORD })),
      config: 'limits: { per_address: { per_second: 10000, burst_count: 100000 } }',
    });
    users = [];
    round = Promise.resolve([]);
    for (const name of NAMES) users.push(await app.enrol(name));
    await app.shutDown();
    config = join(app.directory, 'config.yaml');
    processes = await Promise.all([ServeProcess.start(config), ServeProcess.start(config)]);
  });

  afterEach(() => Promise.all(processes.map((each) => each.stop())));

  const keyFile = () => join(app.directory, 'keys.json');
  const at = (process: number) => processes[process]?.url ?? '';
  const signIn = (process: number, name: string) =>
    call(at(process), { target: LOGIN, json: passwordLogin(name, PASSWORD) });
  const signInAll = (names: readonly string[]) =>
    Promise.all(names.flatMap((name) => [0, 1].map((process) => signIn(process, name))));

  /** A command, as an operator types it now. */
  async function type(...words: string[]): Promise<{ code: number; err: string; out: string }> {
    const [out, err]: string[][] = [[], []];
    const code = await run(words, {
      ...processSurroundings(),
      environment: { MATRIX_2FA_CONFIG: config },
      out: (...lines) => void out?.push(...lines),
      err: (...lines) => void err?.push(...lines),
    });
    return { code, out: out?.join('\n') ?? '', err: err?.join('\n') ?? '' };
  }

  /** A new key that is not active yet, and that both processes have read: so it is within its first minute. */
  async function rotate(): Promise<{ before: string }> {
    const before = JSON.parse(readFileSync(keyFile(), 'utf8')).active;
    expect(await type('keys', 'rotate', '--active-in', '60s')).toMatchObject({ code: 0 });
    expect(await type('keys', 'retire', before)).toMatchObject({ code: 1 });
    for (const each of processes) each.child.kill('SIGHUP');
    while ((await listed()).at(-1)?.processes !== 2) await round;
    return { before };
  }

  /** The new key is active, as if its minute had passed, for those processes that read the file again. */
  function activate(): void {
    const ring = JSON.parse(readFileSync(keyFile(), 'utf8'));
    ring.keys[1].active_from = new Date(Date.now() - 61_000).toISOString();
    writeFileSync(keyFile(), JSON.stringify(ring));
  }

  async function listed(): Promise<readonly { readonly state: string; readonly processes: number }[]> {
    return JSON.parse((await type('keys', 'list', '--json')).out);
  }

  /** Opens the store for the time of `work`. */
  async function stored<T>(work: (storage: Storage) => Promise<T>): Promise<T> {
    const storage = await openStorage(loadConfig(config, {}).storage, {
      clock: systemClock,
      random: systemRandom,
      make: false,
    });
    try {
      return await work(storage);
    } finally {
      await storage.close();
    }
  }

  const renewRecoveryCodes = () =>
    stored((storage) => storage.commit([], effect('DELETE FROM recovery_sets')));

  /** The key is in use by a third process. The two that run tell when they have changed, which is soon on some machines. */
  async function refusedWhileUsed(key: string): Promise<void> {
    const described = { host: 'here', version: '1.0.0', keyIds: key, sealingKey: key, settingsDigest: '' };
    await stored(async (storage) => {
      const third = new LiveProcesses(storage, 'third', () => described);
      await third.announce();
      expect(await type('keys', 'retire', key)).toMatchObject({
        code: 1,
        err: expect.stringContaining('running processes'),
      });
      await third.leave();
    });
  }

  test('attack 169: in a storm of sign-ins equal ones stay equal, and what was begun is finished', async () => {
    const begun = await signInAll(WAITING);
    const answers: HttpAnswer[] = [];
    let isOver = false;
    const storm = (async () => {
      while (!isOver) {
        round = signInAll(STORMING);
        answers.push(...(await round));
      }
    })();

    const { before } = await rotate();
    activate();
    // For a few rounds the new key is active in one of them, and not in the other.
    for (const each of processes) {
      each.child.kill('SIGHUP');
      for (let rounds = 0; rounds < 5; rounds += 1) await round;
    }
    await refusedWhileUsed(before);
    let refused = await type('keys', 'retire', before);
    while (refused.err.includes('running processes')) {
      await round;
      refused = await type('keys', 'retire', before);
    }
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('4 sets of recovery codes') });
    await renewRecoveryCodes();
    expect(await type('keys', 'retire', before)).toMatchObject({ code: 0 });
    const [left, ...others] = await listed();
    expect(left).toMatchObject({ state: 'active', processes: 2 });
    expect(others).toEqual([]);

    isOver = true;
    await storm;
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(loginsOf(app)).toHaveLength(NAMES.length);
    const finished = await Promise.all(
      users.slice(STORMING.length).map(({ seed }, place) => {
        const session = String(begun[2 * place]?.json.session);
        const auth = { type: TOTP, session, token: codeNow(seed) };
        return call(at(place % 2), { target: LOGIN, json: { auth } });
      }),
    );
    expect(finished.map(({ status }) => status)).toEqual(WAITING.map(() => 200));
  });
});
