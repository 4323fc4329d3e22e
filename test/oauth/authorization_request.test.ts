import { describe, expect, test } from '@jest/globals';
import { addressBack, goesByItself } from '../../src/oauth/authorization_answer.ts';
import { AuthorizationRequests, type JudgedRequest } from '../../src/oauth/authorization_request.ts';
import type { RegisteredClient } from '../../src/oauth/clients.ts';

const WEB: RegisteredClient = {
  clientId: 'web',
  applicationType: 'web',
  redirectUris: ['https://app.example.com/back', 'https://app.example.com/b?x=1'],
  grantTypes: ['authorization_code', 'refresh_token'],
  name: 'An app',
};
const NATIVE: RegisteredClient = {
  ...WEB,
  clientId: 'native',
  applicationType: 'native',
  redirectUris: ['com.example:/back', 'http://127.0.0.1/back', 'https://example.com/native'],
};
const DEVICE_ONLY = { ...WEB, clientId: 'devices', grantTypes: ['refresh_token'] };
const CLIENTS = [WEB, NATIVE, DEVICE_ONLY];

const requests = new AuthorizationRequests(
  { find: async (id) => CLIENTS.find(({ clientId }) => clientId === id) },
  'https://matrix.example.org/',
);

const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
const SCOPE = 'urn:matrix:client:api:* urn:matrix:client:device:ABCDEFGH';
const ASKED = {
  response_type: 'code',
  client_id: 'web',
  redirect_uri: 'https://app.example.com/back',
  scope: SCOPE,
  state: 'a state',
  code_challenge: CHALLENGE,
  code_challenge_method: 'S256',
};

/** @param changes a parameter that is undefined is left out */
function judge(
  changes: Readonly<Record<string, string | undefined>> = {},
  more = '',
): Promise<JudgedRequest> {
  const entries = Object.entries({ ...ASKED, ...changes }).filter(([, value]) => value !== undefined);
  return requests.judge(new URLSearchParams(entries as [string, string][]).toString() + more);
}

async function errorOf(changes: Readonly<Record<string, string | undefined>>, more = ''): Promise<string> {
  const judged = await judge(changes, more);
  return judged.is === 'faulty' ? judged.error : judged.is;
}

describe('a request that is in order', () => {
  test('is for its client, address, scope, device and challenge', async () => {
    const judged = await judge({ nonce: 'n', login_hint: 'mxid:@bob:example.org' });
    expect(judged).toMatchObject({
      is: 'fine',
      request: {
        client: WEB,
        challenge: CHALLENGE,
        nonce: 'n',
        hint: '@bob:example.org',
        scope: { granted: SCOPE, deviceId: 'ABCDEFGH', openid: false },
        back: { responseMode: 'query', state: 'a state', issuer: 'https://matrix.example.org/' },
      },
    });
  });

  test.each([
    ['without a state', { state: undefined }],
    ['with the answer in the fragment', { response_mode: 'fragment' }],
    ['with parameters that mean nothing here', { prompt: 'create', max_age: '0', request_uri: 'urn:x' }],
    ['with a prompt for what happens anyway', { prompt: 'login consent' }],
    ['with another port on loopback', { client_id: 'native', redirect_uri: 'http://127.0.0.1:51234/back' }],
    ['with a scheme of the app', { client_id: 'native', redirect_uri: 'com.example:/back' }],
  ])('%s', async (_how, changes) => {
    expect(await errorOf(changes)).toBe('fine');
  });

  test('a hint that is not a user id fills nothing in', async () => {
    for (const login_hint of ['bob', 'mxid:bob', '@bob:example.org', 'mxid:"><script>']) {
      expect(await judge({ login_hint })).toMatchObject({ request: { hint: undefined } });
    }
  });
});

describe('whose client or address is not known leads nowhere', () => {
  test.each([
    ['an unknown client', { client_id: 'other' }],
    ['no client', { client_id: undefined }],
    ['no address', { redirect_uri: undefined }],
    ['another host', { redirect_uri: 'https://app.example.com.evil.net/back' }],
    ['user info', { redirect_uri: 'https://app.example.com@evil.net/back' }],
    ['another path', { redirect_uri: 'https://app.example.com/back/..' }],
    ['a suffix', { redirect_uri: 'https://app.example.com/back2' }],
    ['a trailing slash', { redirect_uri: 'https://app.example.com/back/' }],
    ['another case', { redirect_uri: 'https://app.example.com/BACK' }],
    ['another case of the host', { redirect_uri: 'https://App.example.com/back' }],
    ['a port', { redirect_uri: 'https://app.example.com:443/back' }],
    ['an escape', { redirect_uri: 'https://app.example.com/%2e/back' }],
    ['a query', { redirect_uri: 'https://app.example.com/back?next=https://evil.net' }],
    ['a fragment', { redirect_uri: 'https://app.example.com/back#' }],
    ['another scheme', { redirect_uri: 'http://app.example.com/back' }],
    ['the address of another client', { redirect_uri: 'com.example:/back' }],
    ['another loopback name', { client_id: 'native', redirect_uri: 'http://localhost/back' }],
    ['loopback with user info', { client_id: 'native', redirect_uri: 'http://127.0.0.1:1@evil.net/back' }],
    ['another path on loopback', { client_id: 'native', redirect_uri: 'http://127.0.0.1:1/back/x' }],
  ])('%s', async (_what, changes) => {
    expect(await judge(changes)).toEqual({ is: 'unknown' });
  });

  test.each(['client_id=web', 'redirect_uri=https%3A%2F%2Fapp.example.com%2Fback'])(
    '%s twice',
    async (twice) => {
      expect(await judge({}, `&${twice}`)).toEqual({ is: 'unknown' });
    },
  );
});

describe('what else is wrong is told in an address back', () => {
  test.each([
    ['another response type', { response_type: 'token' }, 'unsupported_response_type'],
    ['code and more', { response_type: 'code id_token' }, 'unsupported_response_type'],
    ['no response type', { response_type: undefined }, 'invalid_request'],
    ['no scope', { scope: undefined }, 'invalid_scope'],
    ['no device', { scope: 'urn:matrix:client:api:*' }, 'invalid_scope'],
    ['two devices', { scope: `${SCOPE} urn:matrix:client:device:OTHER` }, 'invalid_scope'],
    ['no challenge', { code_challenge: undefined }, 'invalid_request'],
    ['a plain challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['no method', { code_challenge_method: undefined }, 'invalid_request'],
    ['a short challenge', { code_challenge: CHALLENGE.slice(1) }, 'invalid_request'],
    ['a challenge of other signs', { code_challenge: `${CHALLENGE.slice(1)}+` }, 'invalid_request'],
    ['an unknown mode', { response_mode: 'form_post' }, 'invalid_request'],
    ['without a word', { prompt: 'none' }, 'login_required'],
    ['without a word, and more', { prompt: 'consent none' }, 'login_required'],
    ['a long state', { state: 's'.repeat(2049) }, 'invalid_request'],
    ['a grant that was not registered', { client_id: 'devices' }, 'unauthorized_client'],
  ])('%s', async (_what, changes, error) => {
    expect(await errorOf(changes)).toBe(error);
  });

  test.each(['scope=openid', 'state=x', 'code_challenge=x', 'nonce=x', 'response_mode=query'])(
    'twice: %s',
    async (more) => {
      expect(await errorOf({ nonce: 'n', response_mode: 'fragment' }, `&${more}`)).toBe('invalid_request');
    },
  );

  test('in the mode that was asked for; what is wrong with the mode, in the query', async () => {
    const iss = 'iss=https%3A%2F%2Fmatrix.example.org%2F';
    expect(await judge({ scope: '', response_mode: 'fragment' })).toMatchObject({
      href: `https://app.example.com/back#error=invalid_scope&state=a%20state&${iss}`,
    });
    expect(await judge({ response_mode: 'web_message' })).toMatchObject({
      href: `https://app.example.com/back?error=invalid_request&state=a%20state&${iss}`,
    });
    expect(
      await judge({ redirect_uri: 'https://app.example.com/b?x=1', state: undefined, scope: '' }),
    ).toMatchObject({
      href: `https://app.example.com/b?x=1&error=invalid_scope&${iss}`,
    });
  });

  test('a state that came twice, or is too long, is not repeated', async () => {
    expect(JSON.stringify(await judge({}, '&state=two'))).not.toMatch(/state=/);
    expect(JSON.stringify(await judge({ state: 's'.repeat(5000) }))).not.toMatch(/state=/);
  });
});

test('a state cannot break out of the address', () => {
  const state = '&code=stolen#code=x\r\nSet-Cookie: a=b" onclick=""><\u{2028}ä';
  const back = {
    ...{ redirectUri: 'https://app.example.com/back', issuer: 'https://matrix.example.org/', state },
    responseMode: 'query' as const,
  };
  const address = addressBack(back, { code: 'mine' });
  expect(address).toMatch(/^[\x21-\x7e]+$/);
  const { searchParams, hash } = new URL(address);
  expect(searchParams.getAll('code')).toEqual(['mine']);
  expect(searchParams.get('state')).toBe(state);
  expect(hash).toBe('');
});

test.each([
  ['https://app.example.com/back', 'web', true],
  ['http://127.0.0.1:1/back', 'native', true],
  ['https://example.com/native', 'native', false],
  ['com.example:/back', 'native', false],
] as const)('%s of a %s app is reached by itself: %s', (uri, type, byItself) => {
  expect(goesByItself(uri, type)).toBe(byItself);
});
