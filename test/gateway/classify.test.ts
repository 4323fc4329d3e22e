import { describe, expect, test } from '@jest/globals';

import { classify } from '../../src/gateway/classify.ts';
import { mountedPaths, ROUTES } from '../../src/http/routes.ts';

const LOGIN_PREFIXES = ['r0', 'v1', 'v3', 'unstable', 'api/v1'];

/** What the classifier says, in one word. */
function verdict(method: string, target: string, hasOauth = false): string {
  const found = classify(method, target, () => hasOauth);
  if (found.kind === 'route') return found.route.id;
  return found.kind === 'refuse' ? found.refusal : found.kind;
}

test.each([
  '/_matrix/client/v3/sync?since=s1&timeout=30000',
  '/_matrix/client/v3/rooms/!AbC%3Aexample.org/send/m.room.message/m1',
  '/_matrix/client/v3/rooms/!a%3Ab/state/m.room.x/login%2Fx',
  '/_matrix/client/r0/rooms/!a:b/state/account/password',
  '/_matrix/client/v3/user/@a:b/account_data/login',
  '/_matrix/client/v3/directory/room/%23room%3Aexample.org',
  '/_matrix/client/v3/profile/@a%3Ab/displayname',
  '/_matrix/client/v3/devices',
  '/_matrix/client/v3/keys/query',
  '/_matrix/client/v3/account/whoami',
  '/_matrix/client/v3/account/password/email/requestToken',
  '/_matrix/client/v3/register/available?username=x',
  '/_matrix/client/v3/user/@a:b/openid/request_token',
  '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync',
  '/_matrix/client/v1/media/download/example.org/abc',
  '/_matrix/media/v3/download/example.org/abc.png',
  '/_matrix/federation/v1/version',
  '/_matrix/key/v2/server',
  '/_synapse/client/oidc/callback?code=x',
  '/.well-known/matrix/server',
])('%s passes, with any method', (target) => {
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS'])
    expect(verdict(method, target)).toBe('pass');
});

test.each(['/', '/health', '/_2fa/x', '/favicon.ico', '/_matrix', '/_matrixx/client', '/_synapse/clientx'])(
  '%s is nothing that passes',
  (target) => {
    expect(verdict('GET', target)).toBe('unrecognized');
  },
);

test('every path of the table leads to its row, and no method passes that the row does not let pass', () => {
  for (const row of ROUTES) {
    for (const { path } of mountedPaths(row)) {
      const target = path.replaceAll(/\{\w+\}/g, 'ABC');
      expect(verdict(row.method, target, true)).toBe(row.id);
      expect(verdict(row.method, `${target}?x=1`, true)).toBe(row.id);
      const other = verdict('PATCH', target, true);
      expect(other).toBe(row.othersPass ? 'pass' : 'method_not_allowed');
    }
  }
});

test('a parameter is decoded once and encoded anew', () => {
  expect(classify('DELETE', '/_matrix/client/v3/devices/a%20b%21%2fc;d?x=1')).toMatchObject({
    kind: 'route',
    params: { deviceId: 'a b!/c;d' },
    path: '/_matrix/client/v3/devices/a%20b!%2Fc%3Bd',
    rawQuery: 'x=1',
  });
});

test.each(['', '.', '..', '%2e%2e', '%zz', '%ff'])('%j is no device id', (id) => {
  expect(verdict('DELETE', `/_matrix/client/v3/devices/${id}`)).toBe('unrecognized');
});

test('other methods on a path that is gated for one only go to the homeserver', () => {
  expect(verdict('GET', '/_matrix/client/v3/devices/A%2FB;x')).toBe('pass');
  expect(verdict('PUT', '/_matrix/client/r0/devices/ABC')).toBe('pass');
  expect(verdict('GET', '/_matrix/client/v3/account/3pid')).toBe('pass');
});

test('a passing method on a gated pattern does not smuggle another gated path in its parameter', () => {
  expect(verdict('POST', '/_matrix/client/v3/devices/a%2f..%2f..%2flogin')).toBe('unrecognized');
});

test.each([
  ['/_matrix/client/v3/login/', 'unrecognized'],
  ['/_matrix/client/v3/LOGIN', 'unrecognized'],
  ['/_matrix/client/V3/login', 'unrecognized'],
  ['/_MATRIX/client/v3/login', 'unrecognized'],
  ['/_matrix/client/v3/%6Cogin', 'unrecognized'],
  ['/_matrix/client/v3/%256Cogin', 'unrecognized'],
  ['/_matrix/client/v3/login%2f', 'unrecognized'],
  ['/_matrix/client/v3/login%20', 'unrecognized'],
  ['/_matrix/client/v3/login%00', 'unrecognized'],
  ['/_matrix/client/v3/login%00x', 'unrecognized'],
  ['/_matrix/client/v3/lo%0agin', 'unrecognized'],
  ['/_matrix/client/v3/login%23x', 'unrecognized'],
  ['/_matrix/client/v3/login%3fx', 'unrecognized'],
  ['/_matrix/client/v3/login;x', 'unrecognized'],
  ['/_matrix/client/v3/login;x/../y', 'unrecognized'],
  ['/_matrix/client;a/v3;b/login;c', 'unrecognized'],
  ['/_matrix/client/v3%2flogin', 'unrecognized'],
  ['/_matrix%5cclient/v3/login', 'unrecognized'],
  ['/_matrix//client/v3/login', 'unrecognized'],
  ['/_matrix/client/v3//login', 'unrecognized'],
  ['/_matrix/./client/v3/login', 'unrecognized'],
  ['/_matrix/client/x/../v3/login', 'unrecognized'],
  ['/_matrix/client/x/%2e%2e/v3/login', 'unrecognized'],
  ['/_matrix/client/x/.%2e/v3/login', 'unrecognized'],
  ['/_matrix/client/x/..;/v3/login', 'unrecognized'],
  ['/_matrix/media/../client/v3/login', 'unrecognized'],
  ['/_matrix/client/v3/rooms/%2e%2e%2flogin', 'unrecognized'],
  ['/_matrix/client/v3/rooms/.%0a./login', 'unrecognized'],
  ['/_matrix/client/v3/rooms/%252e%252e/login', 'unrecognized'],
  ['/_matrix/client/v3/rooms/%2%65%2%65/login', 'unrecognized'],
  ['/_matrix/client/v3/%EF%BD%8Cogin', 'unrecognized'],
  ['/_matrix/client/v3/delete_device%C5%BF', 'unrecognized'],
  ['/_matrix/client/v3/%E2%84%AAeys/device_signing/upload', 'unrecognized'],
  ['/_matrix/../_matrix/client/v3/login', 'unrecognized'],
  ['//_matrix/client/v3/login', 'bad_target'],
  ['/_matrix/client/v3/login#x', 'bad_target'],
  ['/_matrix\\client/v3/login', 'bad_target'],
])('attack 2: POST %s is %s', (target, expected) => {
  expect(verdict('POST', target)).toBe(expected);
});

test.each([
  'http://evil/_matrix/client/v3/login',
  'HTTPS://u:p@evil/_matrix/client/v3/login',
  'x:/_matrix/client/v3/login',
  'ws://evil/',
  '*',
  'evil:443',
  '',
])('attack 3: the target %j is refused outright', (target) => {
  expect(verdict('POST', target)).toBe('bad_target');
  expect(verdict('OPTIONS', target)).toBe('bad_target');
});

test.each(['FOO', '/', '%20', '/x', ';x', '%2fx'])('attack 4: delete_devices%s reaches nobody', (tail) => {
  for (const prefix of ['r0', 'v3', 'unstable']) {
    expect(verdict('POST', `/_matrix/client/${prefix}/delete_devices${tail}`)).toBe('unrecognized');
  }
});

test('attack 5: two spellings of a device id have one canonical target', () => {
  const spelled = classify('DELETE', '/_matrix/client/v3/devices/%41BC');
  const plain = classify('DELETE', '/_matrix/client/v3/devices/ABC');
  expect(spelled).toEqual(plain);
  expect(plain).toMatchObject({ path: '/_matrix/client/v3/devices/ABC' });
});

test.each([
  ['login', 'login'],
  ['register', 'register'],
  ['refresh', 'refresh'],
  ['account/password', 'change_password'],
  ['account/deactivate', 'deactivate_account'],
  ['keys/device_signing/upload', 'upload_signing_keys'],
])('attack 6: %s is gated under every prefix', (path, id) => {
  for (const prefix of LOGIN_PREFIXES) expect(verdict('POST', `/_matrix/client/${prefix}/${path}`)).toBe(id);
});

test.each([
  'v1/login/get_token',
  'r0/login/get_token',
  'v3/login/get_token',
  'unstable/login/get_token',
  'unstable/org.matrix.msc3882/login/token',
  'unstable/org.matrix.msc3882/login/get_token',
])('attack 7: %s is gated', (path) => {
  expect(verdict('POST', `/_matrix/client/${path}`)).toBe('get_login_token');
});

test.each([
  '/_tuwunel/oidc/native',
  '/_tuwunel/oidc/token',
  '/_continuwuity/account/login',
  '/_continuwuity/oauth2/token',
  '/_synapse/admin/v1/users/@v:hs/login',
  '/_synapse/mas/x',
  '/_dendrite/admin/x',
  '/%5fsynapse/admin/v1/users',
  '/_%73ynapse/admin/v1/users',
  '/_synapse/%61dmin/v1/users',
  '/_synapse/client/../admin/v1/users',
  '/_synapse/client/%2e%2e/admin/v1/users',
  '/_synapse/client/..%2fadmin/v1/users',
  '/_matrix/../_synapse/admin/v1/users',
  '/_matrix/%2e%2e%2f_dendrite/admin/x',
])('attack 8: %s is not there', (target) => {
  for (const method of ['GET', 'POST', 'PUT', 'DELETE']) expect(verdict(method, target)).toBe('unrecognized');
});

test('attack 8: doubled slashes in front are no way in either', () => {
  expect(verdict('POST', '//_synapse/admin/v1/users')).toBe('bad_target');
  expect(verdict('POST', '/_matrix//../_synapse//admin/v1/users')).toBe('unrecognized');
});

test.each([
  'v1/auth_metadata',
  'v3/auth_metadata',
  'unstable/auth_metadata',
  'unstable/org.matrix.msc2965/auth_metadata',
  'unstable/org.matrix.msc2965/auth_issuer',
  'v1/auth_issuer',
  'v1/auth%5fmetadata',
  'v9/auth_metadata',
])('attack 9: %s is not there', (path) => {
  expect(verdict('GET', `/_matrix/client/${path}`)).toBe('unrecognized');
});

test('attack 10: other methods on gated POST paths change nothing', () => {
  for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'TRACE']) {
    expect(verdict(method, '/_matrix/client/v3/account/password')).toBe('method_not_allowed');
    expect(verdict(method, '/_matrix/client/v3/register')).toBe('method_not_allowed');
  }
  expect(verdict('HEAD', '/_matrix/client/v3/login')).toBe('login_flows');
});

test.each([
  'v4/login',
  'v2/register',
  'r1/login',
  'r0.6.1/login',
  'x/login',
  'login',
  'r0/unstable/login',
  'v3/v1/account/password',
  'api/v2/login',
  'api/r0/login',
  'unstable/org.example.msc1/login',
  'unstable/org.example.msc1/devices/ABC',
])('attack 11: %s, under a version that nobody knows, fails closed', (path) => {
  expect(verdict('POST', `/_matrix/client/${path}`)).toBe('unrecognized');
});

describe('attack 102: bytes that have no place in a target', () => {
  test.each(['#f', ' ', '\t', '\0', '\x7f', '\x80', '\xff', '\\', '?#f', '?x=\\', '?x=é'])('%j', (tail) => {
    expect(verdict('POST', `/_matrix/client/v3/login${tail}`)).toBe('bad_target');
    expect(verdict('POST', `/_matrix/client/v3/delete_devices${tail}`)).toBe('bad_target');
    expect(verdict('GET', `/_matrix/client/v3/sync${tail}`)).toBe('bad_target');
  });
});

test('OPTIONS on gated, own and blocked paths is answered here', () => {
  for (const path of ['v3/login', 'v3/devices/ABC', 'v3/account/two-factor', 'v1/auth_metadata']) {
    expect(verdict('OPTIONS', `/_matrix/client/${path}`)).toBe('preflight');
  }
  expect(verdict('OPTIONS', '/_2fa/health')).toBe('preflight');
});

test('our own corner of the unstable API never reaches the homeserver', () => {
  expect(verdict('POST', '/_matrix/client/unstable/org.matrix.2fa/anything')).toBe('unrecognized');
  // The name of a factor that there may be: its handler says so.
  expect(verdict('GET', '/_matrix/client/v3/account/two-factor/unknown')).toBe('method_not_allowed');
  expect(verdict('GET', '/_matrix/client/v3/account/two-factor/totp/unknown')).toBe('unrecognized');
});

test('a path of absurd length or depth of encoding is refused rather than read', () => {
  expect(verdict('GET', `/_matrix/client/v3/x/${'%2e'.repeat(5000)}`)).toBe('unrecognized');
  expect(verdict('GET', `/_matrix/client/v3/x/%${'25'.repeat(20)}41`)).toBe('unrecognized');
});
