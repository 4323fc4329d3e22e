import { afterEach, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { type AppOptions, startApp, type TestApp } from '../support/app.ts';
import { expectJudged } from '../support/judged.ts';

let app: TestApp;

afterEach(() => app.stop());

async function get(path: string) {
  return expectJudged(await supertest(app.url).get(path));
}

async function start(options: AppOptions = {}): Promise<void> {
  app = await startApp({ users: [{ name: 'alice', password: 'x' }], ...options });
}

test('versions are those of the homeserver, and tell of us', async () => {
  await start();
  const { body } = await get('/_matrix/client/versions');
  expect(body.versions.length).toBeGreaterThan(0);
  expect(body.unstable_features['org.matrix.2fa']).toBe(true);
});

test('attack 101: .well-known names us and no OAuth, whatever the homeserver says', async () => {
  await start({
    personality: 'conduit',
    wellKnown: {
      'm.homeserver': { base_url: 'https://homeserver.internal' },
      'm.identity_server': { base_url: 'https://identity.example' },
      'm.authentication': { issuer: 'https://oauth.internal' },
      'org.matrix.msc2965.authentication': { issuer: 'https://oauth.internal' },
    },
  });
  const { body } = await get('/.well-known/matrix/client');
  expect(body).toEqual({
    'm.homeserver': { base_url: 'https://matrix.example.org' },
    'm.identity_server': { base_url: 'https://identity.example' },
  });
});

test('attack 101: a homeserver without .well-known gets one that names us', async () => {
  await start();
  const { body } = await get('/.well-known/matrix/client');
  expect(body).toEqual({ 'm.homeserver': { base_url: 'https://matrix.example.org' } });
});

test('client quirk: identity_providers is never an empty list', async () => {
  await start({ sso: { providers: [], signedInAs: 'alice' } });
  const { body } = await get('/_matrix/client/v3/login');
  for (const flow of body.flows) expect(flow.identity_providers ?? ['one']).not.toEqual([]);
});

test('without passwords at the homeserver the sign-in page could let no one in, and is not listed', async () => {
  const providers = [{ id: 'oidc', name: 'University' }];
  await start({ passwords: 'off', sso: { providers, signedInAs: 'alice' } });
  const { body } = await get('/_matrix/client/v3/login');
  expect(body.flows[0]).toEqual({ type: 'm.login.sso', identity_providers: providers });
  expect(JSON.stringify(body)).not.toContain('two-factor');
});

test('the login types of the homeserver are listed', async () => {
  await start();
  const { body } = await get('/_matrix/client/v3/login');
  const types = body.flows.map(({ type }: { type: string }) => type);
  expect(types).toEqual(expect.arrayContaining(['m.login.password', 'm.login.application_service']));
});

test('attack 91: health is ours alone, readiness names what is missing', async () => {
  await start();
  expect((await supertest(app.url).get('/_2fa/ready')).body).toEqual({
    status: 'ok',
    store: 'ok',
    homeserver: 'ok',
  });
  await app.stub.setDown('error');
  const ready = await supertest(app.url).get('/_2fa/ready');
  expect(ready.status).toBe(503);
  expect(ready.body).toEqual({ status: 'unavailable', store: 'ok', homeserver: 'unavailable' });
  expect((await supertest(app.url).get('/_2fa/health')).status).toBe(200);
});
