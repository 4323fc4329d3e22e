import { expect } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { type AppOptions, startApp, type TestApp } from '../support/app.ts';
import { codeAt, seedIn } from '../support/enrolment.ts';
import type { HttpAnswer, HttpCall } from '../support/http.ts';
import { judgeAll } from '../support/judged.ts';

export { seedIn };

export const TOTP = 'm.login.2fa.totp';
export const RECOVERY = 'm.login.2fa.recovery';
export const PASSWORD = 'm.login.password';

export const STATE = '/_matrix/client/v3/account/two-factor';
export const TOTP_API = `${STATE}/totp`;
export const CONFIRM = `${TOTP_API}/confirm`;
export const RECOVERY_API = `${STATE}/recovery`;

export const DORAS_PASSWORD = 'doras password';

/** The application with dora, who is to turn 2FA on, and eve, who has an account of her own. */
export interface AccountApp {
  readonly app: TestApp;
  readonly dora: string;
  readonly eve: string;
  /** A call; its answer fits our schemas and the official ones. */
  ask(method: string, target: string, token: string, json?: JsonObject): Promise<HttpAnswer>;
  /** Set-up by password (and `code` behind it) and confirmation, with dora's token. */
  turnOn(code?: string): Promise<TurnedOn>;
}

export interface TurnedOn {
  readonly authenticatorId: string;
  readonly recoveryCodes: readonly string[];
  readonly seed: Buffer;
  /** A code that is valid now; each call is a step later. */
  freshCode(): string;
}

/** @param start what starts the application; it ends it, too, where it is not `startApp` */
export async function startAccount(options: AppOptions = {}, start = startApp): Promise<AccountApp> {
  const app = await start({
    users: [
      { name: 'dora', password: DORAS_PASSWORD },
      { name: 'eve', password: 'eves password' },
    ],
    ...options,
  });
  const dora = app.stub.signIn('dora', 'DORASPHONE').token;
  const eve = app.stub.signIn('eve', 'EVESPHONE').token;
  const ask = async (method: string, target: string, token: string, json?: JsonObject) => {
    const what: HttpCall = { method, target, token, ...(json && { json }) };
    const answer = await app.call(what);
    expect(answer.headers['content-type']).toBe('application/json');
    const path = target.split('?')[0] ?? '';
    expect(judgeAll({ method, path, status: answer.status, body: answer.json })).toEqual([]);
    return answer;
  };
  const turnOn = async (code = ''): Promise<TurnedOn> => {
    const setup = await ask('POST', TOTP_API, dora, { name: 'phone', auth: dorasPassword(code) });
    const seed = seedIn(setup.json.seed);
    const token = codeAt(seed, app.clock.now());
    const confirmed = await ask('POST', CONFIRM, dora, { setup_id: setup.json.setup_id as string, token });
    return {
      authenticatorId: confirmed.json.authenticator_id as string,
      recoveryCodes: confirmed.json.recovery_codes as string[],
      seed,
      freshCode: () => {
        app.clock.advance(30_000);
        return codeAt(seed, app.clock.now());
      },
    };
  };
  return { app, dora, eve, ask, turnOn };
}

/** Dora's password as a one-shot stage, with a code behind it. */
export function dorasPassword(code = '', more: JsonObject = {}): JsonObject {
  const password = code === '' ? DORAS_PASSWORD : `${DORAS_PASSWORD} ${code}`;
  return { type: PASSWORD, identifier: { type: 'm.id.user', user: '@dora:localhost' }, password, ...more };
}
