import { afterEach, expect, test } from '@jest/globals';
import { PASSWORD, startSignIns } from '../login/support.ts';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import { until } from '../support/until.ts';

const CROWD = 320;
const ADDRESSES = 8;

let app: TestApp;
/** What lets a login go on that the homeserver of this test has begun. */
let letGo: (() => void)[];

afterEach(async () => {
  const goOn = lettingAllGo();
  await app.stop();
  clearInterval(goOn);
});

/** Those that still come, too. */
function lettingAllGo(): NodeJS.Timeout {
  return setInterval(() => {
    for (const go of letGo.splice(0)) go();
  }, 1);
}

/** The homeserver does not answer logins until it is told to. */
async function startSlow(): Promise<void> {
  ({ app } = await startSignIns({ config: 'trusted_proxies: [127.0.0.1]' }));
  letGo = [];
  app.stub.override(/POST .*\/login$/, async (_exchange, next) => {
    await new Promise<void>((resolve) => letGo.push(resolve));
    return next();
  });
}

function signInFrom(ip: string, name: string) {
  return app.call({
    target: LOGIN,
    json: passwordLogin(name, PASSWORD),
    headers: { 'x-forwarded-for': ip },
  });
}

/** A crowd of different people from a few addresses, far more than there are connections for sign-ins. */
async function crowd(): Promise<void> {
  for (let turn = 0; turn < CROWD; turn++) {
    const away = signInFrom(`192.0.2.${turn % ADDRESSES}`, `somebody${turn}`);
    away.catch(() => undefined);
  }
  await until(() => letGo.length === 128);
}

test('attack 141: behind 320 slow sign-ins refresh, logout, versions, ready, state and guarded calls go through', async () => {
  await startSlow();
  const bob = app.stub.signIn('bob');
  const alice = app.stub.signIn('alice');
  const spare = app.stub.signIn('alice');
  await crowd();

  const state = '/_matrix/client/v3/account/two-factor';
  const calls = [
    app.call({ target: '/_2fa/health' }),
    app.call({ target: '/_2fa/ready' }),
    app.call({ target: '/_matrix/client/versions' }),
    app.call({ target: '/.well-known/matrix/client' }),
    app.call({ target: LOGIN }),
    app.call({ target: state, token: bob.token }),
    app.call({ method: 'POST', target: '/_matrix/client/v3/logout', token: spare.token, json: {} }),
  ];
  expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(calls.map(() => 200));
  const guarded = await app.post('/_matrix/client/v3/delete_devices', { devices: ['X'] }, alice.token);
  expect(guarded.status).toBe(401);
  expect(guarded.json.flows).toBeDefined();
  const refresh = await app.post('/_matrix/client/v3/refresh', { refresh_token: 'unknown' });
  expect(refresh.status).toBe(401);
  expect(letGo).toHaveLength(128);
});

test('attack 141: a sign-in from another address is served in its turn', async () => {
  await startSlow();
  await crowd();
  const other = signInFrom('198.51.100.7', 'bob');
  // By then it waits in its line.
  for (let turn = 0; turn < 5; turn++) await app.call({ target: '/_2fa/ready' });
  const hasArrived = () =>
    app.stub.requestsTo('login').some(({ json }) => JSON.stringify(json).includes('"bob"'));
  // As many as wait in turn from the crowd's addresses, and one more.
  for (let turn = 0; turn <= ADDRESSES && !hasArrived(); turn++) {
    const before = letGo.length;
    letGo.shift()?.();
    await until(() => letGo.length === before);
  }
  expect(hasArrived()).toBe(true);
  const goOn = lettingAllGo();
  expect((await other).status).toBe(401);
  clearInterval(goOn);
});
