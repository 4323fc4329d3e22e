import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  ALICES_PASSWORD,
  BOBS_PASSWORD,
  bobsPassword,
  CHANGE_PASSWORD,
  DELETE_DEVICES,
  GET_TOKEN,
  type GuardedApp,
  type GuardedCall,
  startGuarded,
  UPLOAD_KEYS,
} from '../guard/guarded.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import type { HttpCall } from '../support/http.ts';
import { until } from '../support/until.ts';

/** Connections for what clients ask before they sign in. */
const ESSENTIAL = 32;
const VERSIONS = '/_matrix/client/versions';

let it: GuardedApp;
beforeEach(async () => {
  it = await startGuarded();
});
afterEach(() => it.app.stop());

interface Stalled {
  /** Requests that reached the homeserver. */
  arrived: number;
  /** Those of them that the proxy has ended. */
  cancelled: number;
  /** Lets the homeserver answer. */
  readonly answer: () => void;
}

/** From now on the homeserver answers nothing on these paths before it is told to. */
function stall(path: RegExp): Stalled {
  let answer: () => void = () => undefined;
  const told = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const stalled: Stalled = { arrived: 0, cancelled: 0, answer };
  it.app.stub.override(path, async ({ response }, next) => {
    stalled.arrived += 1;
    response.on('close', () => {
      if (!response.writableFinished) stalled.cancelled += 1;
    });
    await told;
    return next();
  });
  return stalled;
}

/** Sends a request, hangs up when the homeserver has it, and returns once the application has heard of that. */
async function leave(what: HttpCall, stalled: Stalled): Promise<void> {
  // A question that ends with its client shows that the application hears of both.
  const marker = stall(/\/versions$/);
  const clients = new AbortController();
  const { signal } = clients;
  const before = stalled.arrived;
  const sent = [what, { target: VERSIONS }].map((call) =>
    it.app.call({ ...call, signal }).catch(() => 'cut'),
  );
  await until(() => stalled.arrived > before && marker.arrived === 1);
  clients.abort();
  expect(await Promise.all(sent)).toEqual(['cut', 'cut']);
  await until(() => marker.cancelled === 1);
}

const asAlice = ({ method, target, body }: GuardedCall): HttpCall => ({
  method,
  target,
  json: body,
  token: it.alicesToken,
});

describe('a client that goes away while the homeserver is asked', () => {
  test.each<[string, RegExp, () => HttpCall]>([
    ['about its versions', /\/versions$/, () => ({ target: VERSIONS })],
    ['how to log in', /GET .*\/login$/, () => ({ target: LOGIN })],
    ['whose a token is', /\/whoami$/, () => asAlice(DELETE_DEVICES)],
    ['for what needs no second factor', /device_signing\/upload$/, () => asAlice(UPLOAD_KEYS)],
    [
      'for the keys of a user with 2FA',
      /\/keys\/query$/,
      () => ({ method: 'POST', target: UPLOAD_KEYS.target, json: UPLOAD_KEYS.body, token: it.bobsToken }),
    ],
  ])('ends the question %s', async (_what, path, what) => {
    const stalled = stall(path);
    const clients = new AbortController();
    const sent = it.app.call({ ...what(), signal: clients.signal }).catch(() => 'cut');
    await until(() => stalled.arrived === 1);
    clients.abort();
    expect(await sent).toBe('cut');
    await until(() => stalled.cancelled === 1);
  });

  test('gives its place to others at once', async () => {
    const stalled = stall(/\/versions$/);
    const clients = new AbortController();
    const { signal } = clients;
    const sent = Array.from({ length: 2 * ESSENTIAL }, () =>
      it.app.call({ target: VERSIONS, signal }).catch(() => 'cut'),
    );
    await until(() => stalled.arrived === ESSENTIAL);
    clients.abort();
    expect(new Set(await Promise.all(sent))).toEqual(new Set(['cut']));
    expect((await it.app.call({ target: LOGIN })).status).toBe(200);
    await until(() => stalled.cancelled === stalled.arrived);
  });
});

describe('a client that goes away before an answer that must be known', () => {
  test('attack 164: a login without 2FA goes on, and is logged out', async () => {
    const stalled = stall(/POST .*\/login$/);
    const before = it.app.stub.liveTokens('alice');
    await leave({ target: LOGIN, json: passwordLogin('alice', ALICES_PASSWORD) }, stalled);
    expect(stalled.cancelled).toBe(0);
    stalled.answer();
    await until(() => it.app.stub.requestsTo('logout').some(({ status }) => status === 200));
    expect(it.app.stub.liveTokens('alice')).toEqual(before);
  });

  test('attack 164: an equal login that waits for it asks for itself', async () => {
    const stalled = stall(/POST .*\/login$/);
    const login = { target: LOGIN, json: passwordLogin('alice', ALICES_PASSWORD) };
    await leave(login, stalled);
    const other = it.app.call(login);
    stalled.answer();
    const { status, json } = await other;
    expect(status).toBe(200);
    expect(it.app.stub.liveTokens('alice')).toContain(json.access_token);
  });

  test('attack 164: a registration goes on, and its token is logged out', async () => {
    const stalled = stall(/POST .*\/register$/);
    const json = { username: 'carl', password: 'a long password', auth: { type: 'm.login.dummy' } };
    await leave({ target: '/_matrix/client/v3/register', json }, stalled);
    expect(stalled.cancelled).toBe(0);
    stalled.answer();
    await until(() => it.app.stub.requestsTo('logout').some(({ status }) => status === 200));
    expect(it.app.stub.liveTokens('carl')).toEqual([]);
  });

  test('attack 164: a login token of a user without 2FA is not asked for twice', async () => {
    const stalled = stall(/\/get_token$/);
    await leave(asAlice(GET_TOKEN), stalled);
    expect(stalled.cancelled).toBe(0);
    stalled.answer();
  });

  test('attack 164: a change of password ends what was under way', async () => {
    const { json } = await it.asBob(DELETE_DEVICES);
    const stalled = stall(/\/account\/password$/);
    const auth = bobsPassword(`${BOBS_PASSWORD} ${it.app.code(it.bob)}`);
    const { method, target, body } = CHANGE_PASSWORD;
    await leave({ method, target, token: it.bobsToken, json: { ...body, auth } }, stalled);
    expect(stalled.cancelled).toBe(0);
    stalled.answer();
    await it.app.shutDown(4000);
    await it.app.start();
    expect((await it.asBob(DELETE_DEVICES)).json.session).not.toBe(json.session);
  });
});
