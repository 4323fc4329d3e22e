import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { openOAuthLogin } from '../../src/second_factor/oauth_login.ts';
import { findGrant } from '../../src/storage/tables/oauth_grants.ts';
import { systemRandom } from '../../src/system/random.ts';
import { hashToken } from '../../src/system/token_hash.ts';
import { loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { seedIn } from '../account/account.ts';
import { askedIn, OWN_TOKEN, passwordless, VERIFIED } from '../login/lone_person.ts';
import { type AppOptions, startApp, type TestApp } from '../support/app.ts';
import { codeAt, type Enrolled } from '../support/enrolment.ts';
import { call, type HttpAnswer } from '../support/http.ts';
import { PasskeyUser } from '../support/passkey_user.ts';
import { SoftwareAuthenticator } from '../support/software_authenticator.ts';
import { Visitor } from '../support/visitor.ts';
import { leadsTo, NATIVE_BACK, registerApp, requestOf } from './asking.ts';

const ON = 'oauth: { enabled: true }';

let app: TestApp;
let visitor: Visitor;
let clientId: string;

async function start(options: AppOptions): Promise<void> {
  app = await startApp(options);
  visitor = new Visitor(app.url);
  clientId = await registerApp(app);
}

afterEach(() => app.stop());

/** What the login of a code has to go by. */
async function loginOf(address: URL) {
  const idHash = hashToken(address.searchParams.get('code') ?? '');
  const [grant] = await app.storage.read(findGrant(idHash));
  if (grant?.userId == null || grant.sealedLogin === null) throw new Error('there is no such code');
  const vault = new SealingVault(loadKeyRing(join(app.directory, 'keys.json')), systemRandom);
  return { grant, login: openOAuthLogin(vault, { idHash, userId: grant.userId }, grant.sealedLogin) };
}

describe('through the homeserver’s own single sign-on', () => {
  const SSO = {
    users: [{ name: 'bob', password: 'bob password' }],
    sso: { providers: [{ id: 'oidc', name: 'University' }], signedInAs: 'bob' },
    config: ON,
  };
  const AS = {
    applicationServices: [{ token: OWN_TOKEN, senderLocalpart: 'two-factor', prefix: '' }],
    ownToken: OWN_TOKEN,
  };
  let bob: Enrolled;

  async function throughProvider(answer: HttpAnswer): Promise<string> {
    expect(answer.status).toBe(303);
    const provider = new URL(answer.headers.location ?? '');
    expect(provider.origin).toBe(app.stub.url);
    const back = await call(app.stub.url, { target: provider.pathname + provider.search });
    const { pathname, search } = new URL(back.headers.location ?? '');
    return pathname + search;
  }

  /** From the first page by its link to the provider, and the code. */
  async function toConsent(request: string): Promise<HttpAnswer> {
    bob = await app.enrol('bob');
    const first = await visitor.open(request);
    const link = /href="([^"]*\/login\/sso\/redirect\/oidc[^"]*)"/.exec(first.text)?.[1] ?? '';
    const lead = await visitor.open(link.replaceAll('&amp;', '&'));
    const code = await visitor.open(await throughProvider(lead));
    expect(code.text).toContain('one-time-code');
    app.clock.advance(30_000);
    return visitor.send({ code: app.code(bob) });
  }

  test('once more after the consent, and that login token is sealed with the code', async () => {
    await start(SSO);
    const consent = await toConsent(requestOf({ client_id: clientId }));
    expect(consent.text).toContain('value="allow"');
    const again = await visitor.open(await throughProvider(await visitor.send({ decision: 'allow' })));
    expect(again.status).toBe(303);
    const { grant, login } = await loginOf(leadsTo(again));
    expect(grant.userId).toBe('@bob:localhost');
    expect(login).toMatchObject({ loginToken: expect.any(String), password: undefined, hasFactor: true });
  });

  test('for an app of the device that ends on the page with the link', async () => {
    await start(SSO);
    const native = await registerApp(app, { application_type: 'native', redirect_uris: [NATIVE_BACK] });
    await toConsent(requestOf({ client_id: native, redirect_uri: NATIVE_BACK }));
    const page = await visitor.open(await throughProvider(await visitor.send({ decision: 'allow' })));
    expect(page.status).toBe(200);
    expect((await loginOf(leadsTo(page))).grant.clientId).toBe(native);
  });

  test('where the proxy can log in by itself, not once more', async () => {
    await start({ ...SSO, ...AS });
    await toConsent(requestOf({ client_id: clientId }));
    const back = await visitor.send({ decision: 'allow' });
    const { login } = await loginOf(leadsTo(back));
    expect(login).toMatchObject({ loginToken: undefined, password: undefined, hasFactor: true });
  });

  test('a device that waits is let in after the second round, in the browser in which its code was typed', async () => {
    await start(SSO);
    const grant = 'urn:ietf:params:oauth:grant-type:device_code';
    const device = await registerApp(app, { grant_types: [grant] });
    const scope = 'urn:matrix:client:api:* urn:matrix:client:device:TELEVISION';
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const send = (endpoint: string, fields: Record<string, string>) =>
      call(app.url, {
        ...{ method: 'POST', target: `/_2fa/oauth2/${endpoint}`, headers: form },
        body: new URLSearchParams(fields).toString(),
      });
    const codes = JSON.parse((await send('device', { client_id: device, scope })).text);
    await visitor.open('/_2fa/link');
    await visitor.send({ user_code: codes.user_code });
    await toConsent(visitor.led ?? '');
    const done = await visitor.open(await throughProvider(await visitor.send({ decision: 'allow' })));
    expect(done.text).toContain('Your device has access');
    const poll = { grant_type: grant, device_code: codes.device_code, client_id: device };
    expect(JSON.parse((await send('token', poll)).text)).toMatchObject({ token_type: 'Bearer', scope });
  });

  test('the second round in another browser gives no code', async () => {
    await start(SSO);
    await toConsent(requestOf({ client_id: clientId }));
    const back = await throughProvider(await visitor.send({ decision: 'allow' }));
    expect((await new Visitor(app.url).open(back)).status).toBe(410);
  });
});

test('a person who owes 2FA sets it up here, and is asked then', async () => {
  await start({
    users: [{ name: 'carol', password: 'carol password' }],
    config: `${ON}\npolicy: { users: { "@carol:localhost": required } }`,
  });
  await visitor.open(requestOf({ client_id: clientId }));
  const offer = await visitor.send({ user: 'carol', password: 'carol password' });
  expect(offer.text).not.toContain('value="allow"');
  const shown = await visitor.send({ step: 'set_up' });
  const key = /<code class="secret">([^<]+)<\/code>/.exec(shown.text)?.[1] ?? '';
  const code = codeAt(seedIn(key.replaceAll(' ', '')), app.clock.now());
  await visitor.send({ step: 'set_up_code', code });
  const consent = await visitor.send({ step: 'saved', saved: '1' });
  expect(consent.text).toContain('value="allow"');
  const { login } = await loginOf(leadsTo(await visitor.send({ decision: 'allow' })));
  expect(login).toMatchObject({ password: 'carol password', hasFactor: true, appName: 'An app' });
});

test('a passkey alone signs in, and the consent is asked for', async () => {
  await start({
    ...passwordless(`webauthn: { passwordless: true }\n${ON}`),
    users: [{ name: 'dora', password: 'dora password' }],
  });
  const dora = new PasskeyUser(app, 'dora', new SoftwareAuthenticator({ flags: VERIFIED }));
  await dora.enrol();
  for (const decision of ['deny', 'allow']) {
    const first = await visitor.open(requestOf({ client_id: clientId }));
    const { options, form } = askedIn(first.text);
    const credential = JSON.stringify(dora.key.get(options));
    const consent = await visitor.post({ ...form.fields, credential }, {}, form.action);
    expect(consent.text).toContain('@dora:localhost');
    const address = leadsTo(await visitor.send({ decision }));
    if (decision === 'deny') expect(address.searchParams.get('error')).toBe('access_denied');
    else expect((await loginOf(address)).login).toMatchObject({ password: undefined, hasFactor: true });
  }
});
