/** The requests whose way through the code is followed, and how many files each may run. */
import { LOGIN, passwordLogin, startApp, type TestApp } from '../../test/support/app.ts';
import type { Enrolled } from '../../test/support/enrolment.ts';
import type { HttpAnswer, HttpCall } from '../../test/support/http.ts';
import { Visitor } from '../../test/support/visitor.ts';

/** Files, folders and functions of `src/`. */
export interface Extent {
  readonly files: number;
  readonly folders: number;
  readonly functions: number;
}

export interface Way {
  readonly name: string;
  /** The most files that the request may run (`test/house/ways.test.ts`): lower it where a change makes it shorter. */
  readonly mostFiles: number;
  /** What has to be done before the request; answers with the request itself. */
  prepare(scene: Scene): Promise<() => Promise<void>>;
}

const DELETE_DEVICES = '/_matrix/client/v3/delete_devices';
const PAGE = `/_2fa/login?redirectUrl=${encodeURIComponent('https://app.example.net/')}`;

/** Who is at the stub. */
export const USERS = ['alice', 'bob'].map((name) => ({ name, password: `${name} password` }));

/** The application before a stub: alice has no 2FA, bob has. */
export class Scene {
  private constructor(
    readonly app: TestApp,
    readonly bob: Enrolled,
  ) {}

  static async start(): Promise<Scene> {
    return Scene.on(await startApp({ users: USERS }));
  }

  /** @param app its stub has `USERS` */
  static async on(app: TestApp): Promise<Scene> {
    return new Scene(app, await app.enrol('bob'));
  }

  stop(): Promise<void> {
    return this.app.stop();
  }

  /** Ends what earlier turns left: equal sign-ins would share it. */
  letOldSignInsEnd(): void {
    this.app.clock.advance(60 * 60_000);
  }

  /** A code of bob that was not used yet. */
  freshCode(): string {
    this.app.clock.advance(60_000);
    return this.app.code(this.bob);
  }

  /** Sends one request and demands the status. */
  async expect(status: number, what: HttpCall): Promise<HttpAnswer> {
    return demand(status, await this.app.call(what));
  }
}

function demand(status: number, answer: HttpAnswer): HttpAnswer {
  if (answer.status === status) return answer;
  throw new Error(`expected ${status}, but the answer was ${answer.status} ${answer.text}`);
}

export function login(name: string): HttpCall {
  return { method: 'POST', target: LOGIN, json: passwordLogin(name, `${name} password`) };
}

async function visitedPage(scene: Scene): Promise<Visitor> {
  const visitor = new Visitor(scene.app.url);
  demand(200, await visitor.open(PAGE));
  return visitor;
}

export const WAYS: readonly Way[] = [
  {
    name: 'pass-through',
    mostFiles: 14,
    prepare: async (scene) => async () => {
      await scene.expect(200, {
        target: '/_matrix/client/v3/sync',
        token: scene.app.stub.signIn('alice', 'SYNC').token,
      });
    },
  },
  {
    name: 'login without 2FA',
    mostFiles: 87,
    prepare: async (scene) => async () => {
      await scene.expect(200, login('alice'));
    },
  },
  {
    name: 'login → 401',
    mostFiles: 101,
    prepare: async (scene) => {
      return async () => {
        await scene.expect(401, login('bob'));
      };
    },
  },
  {
    name: 'code → token',
    mostFiles: 93,
    prepare: async (scene) => {
      const { json } = await scene.expect(401, login('bob'));
      const auth = { type: 'm.login.2fa.totp', session: json.session ?? '', token: scene.freshCode() };
      return async () => {
        await scene.expect(200, { method: 'POST', target: LOGIN, json: { auth } });
      };
    },
  },
  {
    name: 'guarded one-shot',
    mostFiles: 116,
    prepare: async (scene) => {
      const { token } = scene.app.stub.signIn('bob', 'PHONE');
      const identifier = { type: 'm.id.user', user: 'bob' };
      const password = `bob password ${scene.freshCode()}`;
      const json = { devices: ['OLD'], auth: { type: 'm.login.password', identifier, password } };
      return async () => {
        await scene.expect(200, { method: 'POST', target: DELETE_DEVICES, token, json });
      };
    },
  },
  {
    name: 'page GET',
    mostFiles: 48,
    prepare: async (scene) => async () => {
      await visitedPage(scene);
    },
  },
  {
    name: 'page password',
    mostFiles: 128,
    prepare: async (scene) => {
      const visitor = await visitedPage(scene);
      return async () => {
        demand(200, await visitor.send({ user: 'bob', password: 'bob password' }));
      };
    },
  },
  {
    name: 'page code',
    mostFiles: 107,
    prepare: async (scene) => {
      const visitor = await visitedPage(scene);
      demand(200, await visitor.send({ user: 'bob', password: 'bob password' }));
      const code = scene.freshCode();
      return async () => {
        demand(200, await visitor.send({ code }));
      };
    },
  },
];
