import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { validator } from '../../src/matrix/registry.ts';
import type { ShapeName } from '../../src/matrix/shapes.ts';
import { startApp, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { Visitor } from '../support/visitor.ts';

const ISSUER = new URL('https://matrix.example.org/');
const REDIRECT = 'https://app.example.net/callback';
const SCOPE = 'openid urn:matrix:client:api:* urn:matrix:client:device:FOREIGN';
const CLIENT = {
  client_uri: 'https://app.example.net/',
  client_name: 'An app',
  redirect_uris: [REDIRECT],
  grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

let app: TestApp;
let bob: Enrolled;

beforeAll(async () => {
  app = await startApp({ users: [{ name: 'bob', password: 'pw' }], config: 'oauth: { enabled: true }' });
  bob = await app.enrol('bob');
});
afterAll(() => app.stop());

/** The shape of a good answer, by path. */
const ANSWERS: Readonly<Record<string, ShapeName>> = {
  '/.well-known/oauth-authorization-server': 'oauth_metadata_answer',
  '/_2fa/oauth2/register': 'oauth_register_answer',
  '/_2fa/oauth2/token': 'oauth_token_answer',
  '/_2fa/oauth2/device': 'oauth_device_answer',
  '/_2fa/oauth2/jwks': 'oauth_keys_answer',
  '/_2fa/oauth2/revoke': 'empty_answer',
};

/** What the libraries ask at the public address is asked where the application listens; our schemas judge the answer. */
const reach = async (url: string, options: object): Promise<Response> => {
  const { origin, pathname, search } = new URL(url);
  expect(origin).toBe(ISSUER.origin);
  const answer = await fetch(`${app.url}${pathname}${search}`, options);
  const check = validator(answer.ok ? (ANSWERS[pathname] ?? 'error') : 'oauth_error');
  check(JSON.parse(await answer.clone().text()));
  expect({ pathname, faults: check.errors ?? [] }).toEqual({ pathname, faults: [] });
  return answer;
};

/** Each code is good once. */
const newCode = (): string => {
  app.clock.advance(30_000);
  return app.code(bob);
};

async function authorized(url: URL): Promise<URL> {
  const visitor = new Visitor(app.url);
  await visitor.open(url.pathname + url.search);
  await visitor.send({ user: 'bob', password: 'pw' });
  await visitor.send({ code: newCode() });
  const back = await visitor.send({ decision: 'allow' });
  expect(back.status).toBe(303);
  return new URL(String(back.headers.location));
}

test('oauth4webapi finds, registers, authorizes, exchanges, refreshes and revokes', async () => {
  const options = { [oauth.customFetch]: reach };
  const found = await oauth.discoveryRequest(ISSUER, { algorithm: 'oauth2', ...options });
  const server = await oauth.processDiscoveryResponse(ISSUER, found);
  const registered = await oauth.dynamicClientRegistrationRequest(server, CLIENT, options);
  const client = await oauth.processDynamicClientRegistrationResponse(registered);

  const verifier = oauth.generateRandomCodeVerifier();
  const nonce = oauth.generateRandomNonce();
  const url = new URL(String(server.authorization_endpoint));
  url.search = new URLSearchParams({
    ...{ client_id: client.client_id, redirect_uri: REDIRECT, response_type: 'code', scope: SCOPE },
    ...{ code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' },
    ...{ nonce, state: 'a state' },
  }).toString();
  const back = oauth.validateAuthResponse(server, client, await authorized(url), 'a state');

  const exchanged = await oauth.authorizationCodeGrantRequest(
    ...([server, client, oauth.None(), back, REDIRECT, verifier, options] as const),
  );
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, exchanged, {
    expectedNonce: nonce,
    requireIdToken: true,
  });
  await oauth.validateApplicationLevelSignature(server, exchanged, options);
  expect(oauth.getValidatedIdTokenClaims(tokens)).toMatchObject({ sub: bob.userId });
  expect(app.stub.isLive(tokens.access_token)).toBe(true);

  const refreshed = await oauth.processRefreshTokenResponse(
    ...([server, client] as const),
    await oauth.refreshTokenGrantRequest(
      ...([server, client, oauth.None(), String(tokens.refresh_token), options] as const),
    ),
  );
  expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);

  const revoked = await oauth.revocationRequest(
    ...([server, client, oauth.None(), refreshed.access_token, options] as const),
  );
  await oauth.processRevocationResponse(revoked);
  expect(app.stub.isLive(tokens.access_token)).toBe(false);
});

test('oauth4webapi signs in by a code that is typed on another device', async () => {
  const options = { [oauth.customFetch]: reach };
  const found = await oauth.discoveryRequest(ISSUER, { algorithm: 'oauth2', ...options });
  const server = await oauth.processDiscoveryResponse(ISSUER, found);
  const registered = await oauth.dynamicClientRegistrationRequest(server, CLIENT, options);
  const client = await oauth.processDynamicClientRegistrationResponse(registered);
  const begun = await oauth.processDeviceAuthorizationResponse(
    ...([server, client] as const),
    await oauth.deviceAuthorizationRequest(server, client, oauth.None(), { scope: SCOPE }, options),
  );
  const poll = async () =>
    oauth.processDeviceCodeResponse(
      ...([server, client] as const),
      await oauth.deviceCodeGrantRequest(
        ...([server, client, oauth.None(), begun.device_code, options] as const),
      ),
    );
  await expect(poll()).rejects.toMatchObject({ error: 'authorization_pending' });

  const visitor = new Visitor(app.url);
  await visitor.open(new URL(begun.verification_uri).pathname);
  await visitor.send({ user_code: begun.user_code });
  await visitor.send({ user: 'bob', password: 'pw' });
  await visitor.send({ code: newCode() });
  await visitor.send({ decision: 'allow' });
  app.clock.advance(10_000);
  expect(app.stub.isLive((await poll()).access_token)).toBe(true);
});

test('openid-client finds, registers, authorizes, exchanges, refreshes and revokes', async () => {
  const options = { algorithm: 'oauth2' as const, [openid.customFetch]: reach };
  const client = await openid.dynamicClientRegistration(ISSUER, CLIENT, openid.None(), options);
  client[openid.customFetch] = reach;
  const verifier = openid.randomPKCECodeVerifier();
  const url = openid.buildAuthorizationUrl(client, {
    ...{ redirect_uri: REDIRECT, scope: SCOPE, state: 'a state' },
    ...{
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    },
  });
  const tokens = await openid.authorizationCodeGrant(client, await authorized(url), {
    pkceCodeVerifier: verifier,
    expectedState: 'a state',
  });
  expect(app.stub.isLive(tokens.access_token)).toBe(true);
  const refreshed = await openid.refreshTokenGrant(client, String(tokens.refresh_token));
  expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
  await openid.tokenRevocation(client, String(refreshed.refresh_token));
  expect(app.stub.isLive(tokens.access_token)).toBe(false);
});
