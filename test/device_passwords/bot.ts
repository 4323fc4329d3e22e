import { expect } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { type AppOptions, LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import type { StartApp } from '../support/both_databases.ts';
import type { Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';
import { judgeAll } from '../support/judged.ts';

export const API = '/_matrix/client/unstable/org.matrix.2fa/device_passwords';
export const PASSWORD = 'bobs password';
export const BOB = '@bob:localhost';
/** What a wrong device password is answered, byte by byte. */
export const REFUSED = '{"errcode":"M_FORBIDDEN","error":"Invalid username or password"}';

/** A device password as its owner got it. */
export interface Made {
  readonly id: string;
  readonly password: string;
  readonly deviceId: string;
}

/** The application with bob, who has 2FA on, and eve, who has not. */
export class BotApp {
  private constructor(
    readonly app: TestApp,
    readonly bob: Enrolled,
    /** Of bob's phone, and of eve's. */
    readonly phone: string,
    readonly eve: string,
  ) {}

  static async start(start: StartApp, options: AppOptions = {}): Promise<BotApp> {
    const users = [
      { name: 'bob', password: PASSWORD },
      { name: 'eve', password: 'eves password' },
    ];
    const app = await start({ users, ...options });
    const bob = await app.enrol('bob');
    const [phone, eve] = [app.stub.signIn('bob', 'BOBSPHONE').token, app.stub.signIn('eve').token];
    app.stub.clear();
    return new BotApp(app, bob, phone, eve);
  }

  /** A call; its answer fits our schemas and the official ones. */
  async ask(method: string, target: string, token?: string, json?: JsonObject): Promise<HttpAnswer> {
    const named = { ...(token !== undefined && { token }), ...(json && { json }) };
    const answer = await this.app.call({ method, target, ...named });
    const path = target.split('?')[0] ?? '';
    expect(judgeAll({ method, path, status: answer.status, body: answer.json })).toEqual([]);
    return answer;
  }

  /** A code that is good; each is a step later. */
  freshCode(): string {
    this.app.clock.advance(30_000);
    return this.app.code(this.bob);
  }

  /** Asks for a device password, all in one request. */
  askToMake(name: string, code = this.freshCode(), password = PASSWORD): Promise<HttpAnswer> {
    const identifier = { type: 'm.id.user', user: BOB };
    const auth = { type: 'm.login.password', identifier, password: `${password} ${code}` };
    return this.ask('POST', API, this.phone, { name, auth });
  }

  async make(name = 'bot'): Promise<Made> {
    const { status, json } = await this.askToMake(name);
    expect(status).toBe(200);
    return {
      id: json.id as string,
      password: json.device_password as string,
      deviceId: json.device_id as string,
    };
  }

  /** A sign-in with a device password. */
  signIn(password: string, more: JsonObject = {}, name = 'bob'): Promise<HttpAnswer> {
    return this.ask('POST', LOGIN, undefined, passwordLogin(name, password, more));
  }

  async list(): Promise<JsonObject[]> {
    return (await this.ask('GET', API, this.phone)).json.device_passwords as JsonObject[];
  }

  revoke({ id }: Made): Promise<HttpAnswer> {
    return this.ask('DELETE', `${API}/${id}`, this.phone);
  }

  /** What happened to bob, the newest first. */
  async events(): Promise<string[]> {
    return (await this.app.storage.audit.list({ userId: BOB })).map(({ event }) => event);
  }

  /** What went to the homeserver, each as method and target. */
  upstream(): string[] {
    return this.app.stub.requests.map(({ method, target }) => `${method} ${target}`);
  }
}

/** A refused sign-in: the same bytes for all. */
export function expectRefused(answer: HttpAnswer): void {
  expect([answer.status, answer.text]).toEqual([403, REFUSED]);
}
