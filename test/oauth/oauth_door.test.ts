import { beforeAll, expect, test } from '@jest/globals';
import { IdTokens } from '../../src/oauth/id_token.ts';
import { findClient } from '../../src/storage/tables/oauth_clients.ts';
import { keepSessionOf } from '../storage/oauth_rows.ts';
import type { TestApp } from '../support/app.ts';
import { describeOnSharedDatabases } from '../support/both_databases.ts';
import type { HttpAnswer } from '../support/http.ts';
import { testVault } from '../support/test_vault.ts';

const DAY = 24 * 60 * 60_000;
const BASE = 'https://matrix.example.org';
const REGISTER = '/_2fa/oauth2/register';
const METADATA = [
  '/_matrix/client/v1/auth_metadata',
  '/_matrix/client/unstable/org.matrix.msc2965/auth_metadata',
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
];
const ELEMENT = {
  client_name: 'Element',
  'client_name#de': 'Element auf Deutsch',
  client_uri: 'https://element.io/',
  logo_uri: 'https://static.element.io/logo.png',
  tos_uri: 'https://element.io/terms',
  policy_uri: 'https://evil.example/policy',
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types: ['refresh_token', 'authorization_code', 'implicit'],
  response_types: ['code', 'id_token'],
  redirect_uris: ['io.element.android:/', 'https://app.element.io/cb'],
  contacts: ['someone@element.io'],
};
const JSON_TEXT = { method: 'POST', headers: { 'content-type': 'application/json' } };
const REGISTERED = {
  client_name: 'Element',
  'client_name#de': 'Element auf Deutsch',
  client_uri: 'https://element.io/',
  logo_uri: 'https://static.element.io/logo.png',
  tos_uri: 'https://element.io/terms',
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  redirect_uris: ['io.element.android:/', 'https://app.element.io/cb'],
};

function expectOauthError(answer: HttpAnswer, status: number, error: string): void {
  expect([answer.status, answer.json]).toEqual([
    status,
    { error, error_description: expect.stringMatching(/^[ -~]+$/) },
  ]);
  expect(answer.headers['content-type']).toBe('application/json');
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(answer.headers['access-control-allow-origin']).toBe('*');
}

describeOnSharedDatabases('the OAuth door', (start) => {
  let app: TestApp;
  let address = 0;

  beforeAll(async () => {
    app = await start({
      config: 'oauth: { enabled: true, max_clients: 10 }\ntrusted_proxies: [127.0.0.1]',
      users: [{ name: 'alice', password: 'pw' }],
    });
  });

  /** From an address of its own each, so that no test meets the limit of another one. */
  const register = (
    json: object,
    from = `192.0.${Math.floor(++address / 250)}.${(address % 250) + 1}`,
    at: Pick<TestApp, 'call'> = app,
  ) => at.call({ target: REGISTER, json: json as never, headers: { 'x-forwarded-for': from } });
  const isThere = async (clientId: unknown) =>
    (await app.storage.read(findClient(String(clientId)))).length === 1;

  test('attack 294: metadata is one document on four paths, with the configured address in it', async () => {
    for (const target of METADATA) {
      const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example' };
      const answer = await app.call({ target, headers });
      expect(answer.status).toBe(200);
      expect(answer.headers['cache-control']).toBe('public, max-age=300');
      expect(answer.headers['access-control-allow-origin']).toBe('*');
      expect(answer.text).not.toContain('evil');
      expect(answer.json).toMatchObject({
        issuer: `${BASE}/`,
        authorization_endpoint: `${BASE}/_2fa/oauth2/authorize`,
        token_endpoint: `${BASE}/_2fa/oauth2/token`,
        registration_endpoint: `${BASE}${REGISTER}`,
        revocation_endpoint: `${BASE}/_2fa/oauth2/revoke`,
        device_authorization_endpoint: `${BASE}/_2fa/oauth2/device`,
        jwks_uri: `${BASE}/_2fa/oauth2/jwks`,
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['none'],
        authorization_response_iss_parameter_supported: true,
        account_management_uri: `${BASE}/_2fa/account`,
      });
      expect(answer.json).not.toHaveProperty('prompt_values_supported');
      expect((await app.call({ method: 'OPTIONS', target })).status).toBe(200);
      expect((await app.call({ method: 'HEAD', target })).status).toBe(200);
    }
    const issuer = await app.call({ target: '/_matrix/client/v1/auth_issuer' });
    expect([issuer.status, issuer.json.errcode]).toEqual([404, 'M_UNRECOGNIZED']);
  });

  test('a registration answers what was registered, and equal metadata has an equal id', async () => {
    const first = await register(ELEMENT);
    expect(first.status).toBe(201);
    const { client_id: id, client_id_issued_at: issuedAt, ...registered } = first.json;
    expect(id).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(issuedAt).toBe(Math.floor(app.clock.now() / 1000));
    expect(registered).toEqual(REGISTERED);
    app.clock.advance(60_000);
    const again = await register(Object.fromEntries(Object.entries(ELEMENT).toReversed()));
    expect(again.json).toEqual(first.json);
    const other = await register({ ...ELEMENT, client_name: 'Other' });
    expect(other.json.client_id).not.toBe(id);
  });

  test('what is left out has its usual value', async () => {
    const { json } = await register({
      client_uri: 'https://a.example',
      redirect_uris: ['https://a.example/'],
    });
    expect(json).toMatchObject({
      application_type: 'web',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    });
    const device = 'urn:ietf:params:oauth:grant-type:device_code';
    const tv = await register({ client_uri: 'https://tv.example', grant_types: [device, 'refresh_token'] });
    expect(tv.json).toMatchObject({ grant_types: ['refresh_token', device], response_types: [] });
    expect(tv.json).not.toHaveProperty('redirect_uris');
  });

  test.each<[string, object, string]>([
    ['no client_uri', { client_uri: null }, 'invalid_client_metadata'],
    ['one of http', { client_uri: 'http://element.io/' }, 'invalid_client_metadata'],
    ['one without a dot', { client_uri: 'https://localhost/' }, 'invalid_client_metadata'],
    ['one with user info', { client_uri: 'https://a@element.io/' }, 'invalid_client_metadata'],
    ['another type', { application_type: 'browser' }, 'invalid_client_metadata'],
    ['a secret', { token_endpoint_auth_method: 'client_secret_basic' }, 'invalid_client_metadata'],
    ['grants that are no list', { grant_types: 'authorization_code' }, 'invalid_client_metadata'],
    ['a name that is no text', { client_name: 1 }, 'invalid_client_metadata'],
    ['a row of more than 4 KiB', { redirect_uris: manyLong() }, 'invalid_client_metadata'],
    ['more than 16 KiB', { x: 'x'.repeat(17 * 1024) }, 'invalid_client_metadata'],
    ['no redirect', { redirect_uris: undefined }, 'invalid_redirect_uri'],
    ['none in the list', { redirect_uris: [] }, 'invalid_redirect_uri'],
    [
      'eleven',
      { redirect_uris: Array.from({ length: 11 }, (_, at) => `io.element:/${at}`) },
      'invalid_redirect_uri',
    ],
    ['a long one', { redirect_uris: [`io.element:/${'x'.repeat(1024)}`] }, 'invalid_redirect_uri'],
    ['one that is no text', { redirect_uris: [{}] }, 'invalid_redirect_uri'],
    [
      'one of another host among others',
      { redirect_uris: ['io.element:/', 'https://evil.example/'] },
      'invalid_redirect_uri',
    ],
    [
      'loopback for a web app',
      { application_type: 'web', redirect_uris: ['http://localhost/'] },
      'invalid_redirect_uri',
    ],
  ])('attack 292: %s is refused', async (_, different, error) => {
    expectOauthError(await register({ ...ELEMENT, ...different }), 400, error);
  });

  test('attack 301: pages on another host, and schemes that run in a browser, are not registered', async () => {
    const { json } = await register({
      ...ELEMENT,
      logo_uri: 'data:image/svg+xml,<svg/>',
      tos_uri: 'javascript:alert(1)',
      policy_uri: 'https://element.io.evil.example/',
    });
    expect([json.logo_uri, json.tos_uri, json.policy_uri]).toEqual([undefined, undefined, undefined]);
  });

  test.each([
    ['that turns the text around it', 'Element\u202e'],
    ['with a control character', 'Element\u0007'],
    ['with a line break', 'Element\nis safe'],
    ['of blanks', '  '],
    ['that is long', 'E'.repeat(256)],
    ['of a megabyte', 'E'.repeat(1024 * 1024)],
  ])('attack 291: a name %s is refused', async (_, name) => {
    const answer = await register({ ...ELEMENT, client_name: name });
    expect([answer.status, answer.json.errcode]).toEqual([400, undefined]);
    const localised = await register({ ...ELEMENT, 'client_name#fr': name });
    expect(localised.status).toBe(400);
  });

  test('attack 291: markup in a name is a text like any other', async () => {
    const { json } = await register({ ...ELEMENT, client_name: '<b>Element</b> & "co"' });
    expect(json.client_name).toBe('<b>Element</b> & "co"');
  });

  test.each<[string, object]>([
    ['another content type', { headers: { 'content-type': 'text/plain' }, body: '{}' }],
    ['no content type', { body: '{}' }],
    ['no JSON', { headers: { 'content-type': 'application/json' }, body: '{' }],
    ['a list', { json: [] }],
    [
      'a key twice',
      { ...JSON_TEXT, body: `{"client_uri":"https://a.example",${JSON.stringify(ELEMENT).slice(1)}` },
    ],
    [
      'a key twice, spelt in two ways',
      {
        ...JSON_TEXT,
        body: `${JSON.stringify(ELEMENT).slice(0, -1)},"client\\u005furi":"https://a.example"}`,
      },
    ],
    ['a key twice within another', { ...JSON_TEXT, body: '{"x":[{"y":1,"y":1}]}' }],
    ['nothing', JSON_TEXT],
    ['more than 64 KiB', { json: { x: 'x'.repeat(65 * 1024) } }],
  ])('attack 300: %s is 400 invalid_request', async (_, sent) => {
    const headers = {
      'x-forwarded-for': `198.51.100.${++address}`,
      ...('headers' in sent ? (sent.headers as object) : {}),
    };
    expectOauthError(await app.call({ target: REGISTER, ...sent, headers }), 400, 'invalid_request');
  });

  test('attack 290: the twenty-first of a minute and an address is 429 at each process, and others go on', async () => {
    const other = await app.startAnother();
    const both = [app, other];
    const statuses: number[] = [];
    for (let at = 0; at < 20; at++) {
      statuses.push((await register({}, '203.0.113.7', both[at % 2])).status);
    }
    expect(new Set(statuses)).toEqual(new Set([400]));
    for (const each of both) {
      const answer = await register(ELEMENT, '203.0.113.7', each);
      expectOauthError(answer, 429, 'temporarily_unavailable');
      expect(answer.headers['retry-after']).toBe('3');
    }
    expect((await register(ELEMENT)).status).toBe(201);
    app.clock.advance(3000);
    expect((await register(ELEMENT, '203.0.113.7', other)).status).toBe(201);
    expect((await register(ELEMENT, '203.0.113.7')).status).toBe(429);
    await other.shutDown();
  });

  test('attack 290: where there are max_clients, unused ones make room, and a used one never goes', async () => {
    const used = (await register({ ...ELEMENT, client_name: 'used' })).json.client_id;
    await keepSessionOf(app.storage, { sessionId: 'kept', accessHash: 'kept', clientId: String(used) });
    for (let at = 0; at < 15; at++) {
      app.clock.advance(1);
      expect((await register({ ...ELEMENT, client_name: `flood ${at}` })).status).toBe(201);
    }
    expect(await isThere(used)).toBe(true);
    const last = (await register({ ...ELEMENT, client_name: 'last' })).json.client_id;
    await app.proxy.keepHouse();
    expect(await isThere(last)).toBe(true);
    app.clock.advance(DAY);
    await app.proxy.keepHouse();
    expect([await isThere(used), await isThere(last)]).toEqual([true, false]);
  });

  test('attack 290: where all are used, a new one is 503', async () => {
    for (let at = 0; at < 10; at++) {
      const { json, status } = await register({ ...ELEMENT, client_name: `full ${at}` });
      if (status !== 201) break;
      const row = { sessionId: `full ${at}`, accessHash: `full ${at}`, clientId: String(json.client_id) };
      await keepSessionOf(app.storage, row);
    }
    const answer = await register({ ...ELEMENT, client_name: 'one too many' });
    expectOauthError(answer, 503, 'temporarily_unavailable');
    expect(answer.headers['retry-after']).toBe('60');
  });

  test('attack 299: two processes sign by one key, which is sealed, and the tokens can be checked', async () => {
    const other = await app.startAnother();
    const parts = { storage: app.storage, vault: testVault(), clock: app.clock };
    const both = await Promise.all([app, other].map((each) => each.call({ target: '/_2fa/oauth2/jwks' })));
    expect(both[0]?.json).toEqual(both[1]?.json);
    const keys = both[0]?.json.keys as { kid: string; d?: string }[];
    expect(keys).toHaveLength(1);
    expect(Object.keys(keys[0] ?? {}).toSorted()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
    // Sealed by the keys of this installation: by others it does not open.
    const about = { clientId: 'client', userId: '@alice:localhost', nonce: 'n' };
    await expect(new IdTokens(parts, `${BASE}/`).issue(about)).rejects.toThrow('does not open');
    await other.shutDown();
  });

  test('OPTIONS and other methods', async () => {
    const preflight = await app.call({ method: 'OPTIONS', target: REGISTER });
    expect(preflight.headers['access-control-allow-methods']).toContain('POST');
    expect((await app.call({ target: REGISTER })).status).toBe(405);
    expect((await app.call({ target: `${REGISTER}/` })).status).toBe(404);
  });
});

function manyLong(): string[] {
  return Array.from({ length: 5 }, (_, at) => `io.element:/${at}${'x'.repeat(1000)}`);
}
