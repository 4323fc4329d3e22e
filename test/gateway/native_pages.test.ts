import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.ts';

/** Pages and grants of homeservers that would let in anyone who knows a password. */
const NATIVE = [
  '/_continuwuity/account/login',
  '/_continuwuity/account/password/reset',
  '/_continuwuity/account/deactivate',
  '/_continuwuity/oauth2/authorize',
  '/_continuwuity/oauth2/grant/token',
  '/_continuwuity/oauth2/client/register',
  '/_continuwuity/3pid/email/validate',
  '/_continuwuity',
  '/_tuwunel/oidc/native',
  '/_tuwunel/oidc/token',
  '/_tuwunel/oidc/authorize',
  '/_tuwunel/sso/complete.js',
  '/_tuwunel/3pid/email/validate',
  '/_synapse/admin/v1/users/@v:hs/login',
  '/_synapse/mas/x',
  '/_dendrite/admin/x',
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
];

/** Ways to write a path that some server reads as the plain one. */
const SPELLINGS: readonly [string, (path: string) => string, number][] = [
  ['plainly', (path) => path, 404],
  ['with an escaped underscore', (path) => path.replace('_', '%5f'), 404],
  [
    'with an escaped letter',
    (path) => path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
    404,
  ],
  [
    'escaped twice',
    (path) => path.replace(/[a-z]/, (letter) => `%25${letter.charCodeAt(0).toString(16)}`),
    404,
  ],
  ['in capitals', (path) => path.toUpperCase(), 404],
  ['with a slash at its end', (path) => `${path}/`, 404],
  ['with an escaped slash', (path) => `/${path.slice(1).replace('/', '%2f')}`, 404],
  ['with a query', (path) => `${path}?client_id=x`, 404],
  ['with parameters', (path) => path.replace(/\/([^/]+)/, '/$1;x=1'), 404],
  ['with a dot segment', (path) => `/.${path}`, 404],
  ['behind what passes', (path) => `/_matrix/client/../..${path}`, 404],
  ['behind what passes, escaped', (path) => `/_matrix/media/%2e%2e/%2e%2e${path}`, 404],
  ['behind a module', (path) => `/_synapse/client/..%2f..${path}`, 404],
  ['behind another well-known', (path) => `/.well-known/matrix/..%2f..${path}`, 404],
  ['with two slashes', (path) => `/${path}`, 400],
  ['with a backslash', (path) => `${path}\\x`, 400],
  ['in absolute form', (path) => `http://matrix.example.org${path}`, 400],
];

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ users: [{ name: 'bob', password: 'pw' }], oauth: true });
});
afterAll(() => app.stop());

test.each(SPELLINGS)("attack 159: a homeserver's own pages, %s, are not there", async (_, write, status) => {
  for (const path of NATIVE) {
    for (const method of ['GET', 'POST', 'HEAD', 'PUT']) {
      const target = write(path);
      const answer = await app.call({
        method,
        target,
        ...(method === 'POST' && { body: 'username=bob&password=pw' }),
      });
      const errcode = method === 'HEAD' ? undefined : 'M_UNRECOGNIZED';
      expect([method, target, answer.status, answer.json.errcode]).toEqual([method, target, status, errcode]);
    }
  }
  expect(app.stub.requests).toEqual([]);
});
