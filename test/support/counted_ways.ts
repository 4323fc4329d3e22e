/** What requests ask of the store, counted: for the bench that prints it, and the test that holds it. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { login, Scene, WAYS, type Way } from '../../tools/ways/ways.ts';
import { LOGIN, passwordLogin, type TestApp } from './app.ts';
import { type Asked, StatementRecorder } from './statements.ts';

export interface CountedWay {
  readonly name: string;
  readonly asked: Asked;
  /** How many pages SQLite writes into its log (`-wal`): once for each commit that changes them. 0 in PostgreSQL. */
  readonly pages: number;
}

/** Of a `-wal` file, in bytes (https://www.sqlite.org/fileformat2.html#walformat). */
const WAL_HEADER = 32;
const WAL_FRAME = 24 + 4096;

type CountableWay = Pick<Way, 'name' | 'prepare'>;

const MORE_WAYS: readonly CountableWay[] = [
  {
    name: 'appended code',
    prepare: async (scene) => {
      const json = passwordLogin('bob', `bob password ${scene.freshCode()}`);
      return async () => void (await scene.expect(200, { method: 'POST', target: LOGIN, json }));
    },
  },
  {
    name: 'code → token, device named',
    prepare: async (scene) => {
      const named = passwordLogin('bob', 'bob password', { initial_device_display_name: 'phone' });
      const { json } = await scene.expect(401, { method: 'POST', target: LOGIN, json: named });
      const auth = { type: 'm.login.2fa.totp', session: json.session ?? '', token: scene.freshCode() };
      return async () => void (await scene.expect(200, { method: 'POST', target: LOGIN, json: { auth } }));
    },
  },
  {
    name: 'recovery code → token',
    prepare: async (scene) => {
      const { json } = await scene.expect(401, login('bob'));
      const [code = ''] = scene.bob.recoveryCodes;
      const auth = { type: 'm.login.2fa.recovery', session: json.session ?? '', token: code };
      return async () => void (await scene.expect(200, { method: 'POST', target: LOGIN, json: { auth } }));
    },
  },
];

/** What one sign-in comes to, of the requests that it is made of. */
const WHOLE: Readonly<Record<string, readonly string[]>> = {
  'whole TOTP sign-in': ['login → 401', 'code → token'],
  'whole sign-in on the page': ['page GET', 'page password', 'page code'],
};

/** @param app its stub has the `USERS` of `tools/ways` */
export async function countWays(app: TestApp): Promise<CountedWay[]> {
  const scene = await Scene.on(app);
  // From then on the network is known, from which users mostly sign in. And once a day it is noted that a user was seen,
  // for which no answer waits (`src/server/seen_users.ts`).
  const first = passwordLogin('bob', `bob password ${scene.freshCode()}`);
  await scene.expect(200, { method: 'POST', target: LOGIN, json: first });
  const recorder = StatementRecorder.start();
  try {
    const counted: CountedWay[] = [];
    for (const way of [...WAYS, ...MORE_WAYS]) counted.push(await count(way, scene, recorder));
    const wholes = Object.entries(WHOLE).map(([name, parts]) => sumOf(name, parts, counted));
    return [...counted, ...wholes];
  } finally {
    recorder.stop();
  }
}

async function count(
  { name, prepare }: CountableWay,
  scene: Scene,
  recorder: StatementRecorder,
): Promise<CountedWay> {
  scene.letOldSignInsEnd();
  const send = await prepare(scene);
  // The clock was set on: the process has to announce itself again, which is no part of the request that is counted.
  await scene.expect(200, login('alice'));
  const log = LogOfPages.of(scene.app);
  return { name, asked: await recorder.during(send), pages: log?.count() ?? 0 };
}

/** The log of an SQLite database, from now on. */
class LogOfPages {
  private constructor(private readonly file: string) {}

  static of(app: TestApp): LogOfPages | undefined {
    if (app.isOnPostgres) return undefined;
    const file = join(app.directory, '2fa.db');
    const database = openDatabase(file);
    database.pragma('wal_checkpoint(TRUNCATE)');
    database.close();
    return new LogOfPages(`${file}-wal`);
  }

  count(): number {
    return Math.max(0, statSync(this.file).size - WAL_HEADER) / WAL_FRAME;
  }
}

function sumOf(name: string, parts: readonly string[], counted: readonly CountedWay[]): CountedWay {
  const ways = parts.map((part) => {
    const found = counted.find((way) => way.name === part);
    if (found === undefined) throw new Error(`there is no way ${part}`);
    return found;
  });
  const total = (of: (each: CountedWay) => number) => ways.reduce((sum, each) => sum + of(each), 0);
  return {
    name,
    asked: {
      statements: ways.flatMap(({ asked }) => asked.statements),
      commits: total(({ asked }) => asked.commits),
      roundTrips: total(({ asked }) => asked.roundTrips),
    },
    pages: total(({ pages }) => pages),
  };
}
