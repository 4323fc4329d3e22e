import { expect } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { type AppOptions, startApp, type TestApp } from '../support/app.ts';
import type { StartApp } from '../support/both_databases.ts';
import { makeCrossSigningKeys } from '../support/cross_signing_keys.ts';
import type { Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer, HttpCall } from '../support/http.ts';
import { judgeAll } from '../support/judged.ts';
import type { EndpointName, PersonalityName } from '../support/stub/personality.ts';
import { PERSONALITIES as BY_NAME } from '../support/stub/stub.ts';

export const PERSONALITIES = Object.keys(BY_NAME) as PersonalityName[];

export const TOTP = 'm.login.2fa.totp';
export const RECOVERY = 'm.login.2fa.recovery';
export const PASSWORD = 'm.login.password';

export const BOBS_PASSWORD = 'correct horse';
export const ALICES_PASSWORD = 'battery staple';

/** A guarded endpoint with a body that it would take. */
export interface GuardedCall {
  readonly name: string;
  readonly method: 'POST' | 'DELETE';
  readonly target: string;
  readonly body: JsonObject;
  /** What the stub calls it. */
  readonly endpoint: EndpointName;
  /** Homeservers ask for no proof here: the password goes there by the probe. */
  readonly probed?: true;
}

const V3 = '/_matrix/client/v3';

export const DELETE_DEVICES: GuardedCall = {
  name: 'delete_devices',
  method: 'POST',
  target: `${V3}/delete_devices`,
  body: { devices: ['OLDPHONE'] },
  endpoint: 'delete_devices',
};
export const DELETE_DEVICE: GuardedCall = {
  name: 'DELETE devices/{id}',
  method: 'DELETE',
  target: `${V3}/devices/OLDPHONE`,
  body: {},
  endpoint: 'devices',
};
export const CHANGE_PASSWORD: GuardedCall = {
  name: 'account/password',
  method: 'POST',
  target: `${V3}/account/password`,
  body: { new_password: 'entirely different words', logout_devices: false },
  endpoint: 'password',
};
export const DEACTIVATE: GuardedCall = {
  name: 'account/deactivate',
  method: 'POST',
  target: `${V3}/account/deactivate`,
  body: { erase: true },
  endpoint: 'deactivate',
};
export const ADD_ADDRESS: GuardedCall = {
  name: '3pid/add',
  method: 'POST',
  target: `${V3}/account/3pid/add`,
  body: { client_secret: 'secret', sid: 'sid1' },
  endpoint: 'threepid_add',
};
export const ADD_ADDRESS_OF_OLD: GuardedCall = {
  name: '3pid',
  method: 'POST',
  target: `${V3}/account/3pid`,
  body: { three_pid_creds: { client_secret: 'secret', sid: 'sid1' } },
  endpoint: 'threepid_post',
  probed: true,
};
export const DELETE_ADDRESS: GuardedCall = {
  name: '3pid/delete',
  method: 'POST',
  target: `${V3}/account/3pid/delete`,
  body: { medium: 'email', address: 'bob@example.org' },
  endpoint: 'threepid',
  probed: true,
};
export const UNBIND_ADDRESS: GuardedCall = {
  ...DELETE_ADDRESS,
  name: '3pid/unbind',
  target: `${V3}/account/3pid/unbind`,
};
export const UPLOAD_KEYS: GuardedCall = {
  name: 'device_signing/upload',
  method: 'POST',
  target: `${V3}/keys/device_signing/upload`,
  body: { ...makeCrossSigningKeys('@bob:localhost') },
  endpoint: 'device_signing',
};
export const GET_TOKEN: GuardedCall = {
  name: 'login/get_token',
  method: 'POST',
  target: '/_matrix/client/v1/login/get_token',
  body: {},
  endpoint: 'get_token',
};

export const GUARDED_CALLS: readonly GuardedCall[] = [
  DELETE_DEVICES,
  DELETE_DEVICE,
  CHANGE_PASSWORD,
  DEACTIVATE,
  ADD_ADDRESS,
  ADD_ADDRESS_OF_OLD,
  DELETE_ADDRESS,
  UNBIND_ADDRESS,
  UPLOAD_KEYS,
  GET_TOKEN,
];

/** The application with bob, who has 2FA, and alice, who has none. */
export interface GuardedApp {
  readonly app: TestApp;
  readonly bob: Enrolled;
  /** An access token of each. */
  readonly bobsToken: string;
  readonly alicesToken: string;
  /** A call; its answer fits our schemas and the official ones. */
  ask(what: HttpCall): Promise<HttpAnswer>;
  /** A guarded call as bob, `auth` beside its body. */
  asBob(call: GuardedCall, auth?: JsonObject[string], more?: Partial<HttpCall>): Promise<HttpAnswer>;
  /** The same with nothing but `auth`. */
  authAlone(call: GuardedCall, auth: JsonObject): Promise<HttpAnswer>;
  /** What reached the stub beside the lookups that R6 allows. */
  upstream(): readonly string[];
}

export async function startGuarded(
  options: AppOptions = {},
  start: StartApp = startApp,
): Promise<GuardedApp> {
  const app = await start({
    users: [
      { name: 'bob', password: BOBS_PASSWORD, emails: ['bob@example.org'] },
      { name: 'alice', password: ALICES_PASSWORD },
    ],
    ...options,
  });
  const bob = await app.enrol('bob');
  const bobsToken = app.stub.signIn('bob', 'BOBSPHONE').token;
  const alicesToken = app.stub.signIn('alice', 'ALICESPHONE').token;
  app.stub.signIn('bob', 'OLDPHONE');
  app.stub.validateEmail('new@example.org');
  // Keys are there, so that replacing them is guarded.
  const { master_key: master, ...others } = makeCrossSigningKeys('@bob:localhost');
  Object.assign(app.stub.keysOf('bob'), {
    master,
    selfSigning: others.self_signing_key,
    userSigning: others.user_signing_key,
  });
  const ask = async (what: HttpCall): Promise<HttpAnswer> => {
    const answer = await app.call(what);
    expectSound(what, answer);
    return answer;
  };
  return {
    app,
    bob,
    bobsToken,
    alicesToken,
    ask,
    asBob: ({ method, target, body }, auth, more) => {
      const json = auth === undefined ? body : { ...body, auth };
      return ask({ method, target, token: bobsToken, json, ...more });
    },
    authAlone: ({ method, target }, auth) => ask({ method, target, token: bobsToken, json: { auth } }),
    upstream: () => app.stub.requestsBesideLookups().map(({ method, target }) => `${method} ${target}`),
  };
}

/** A password stage of bob's, with the full id. */
export function bobsPassword(password = BOBS_PASSWORD, more: JsonObject = {}): JsonObject {
  return { type: PASSWORD, identifier: { type: 'm.id.user', user: '@bob:localhost' }, password, ...more };
}

/** What the client was challenged with, to be compared as a whole. */
export function challengeIn({ status, json }: HttpAnswer) {
  const { session, flows, completed, errcode } = json;
  return {
    status,
    isOurs: typeof session === 'string' && session.startsWith('m2fa_'),
    flows: (Array.isArray(flows) ? flows : []).map((flow) => (flow as JsonObject).stages),
    completed,
    errcode,
  };
}

/** The flows of a guarded endpoint; `m.login.sso`, which leads to a page, is left out. */
export function codeFlows(answer: HttpAnswer): unknown[] {
  return challengeIn(answer).flows.filter((flow) => JSON.stringify(flow) !== '["m.login.sso"]');
}

export const BOTH_FLOWS = [
  [TOTP, PASSWORD],
  [RECOVERY, PASSWORD],
];

/** Content type, our schemas and the official ones. */
export function expectSound(what: HttpCall, answer: HttpAnswer): void {
  const path = what.target.split('?')[0] ?? '';
  const method = what.method ?? 'POST';
  expect(answer.headers['content-type']).toBe('application/json');
  // Dendrite leaves a required key out where it closes an account: what it answered is passed on.
  if (path.endsWith('/account/deactivate') && answer.text === '{}') return;
  // A challenge of the homeserver's own goes on as it is, and some say `params: null`.
  const body = answer.json?.params === null ? { ...answer.json, params: {} } : answer.json;
  expect(judgeAll({ method, path, status: answer.status, body })).toEqual([]);
}
