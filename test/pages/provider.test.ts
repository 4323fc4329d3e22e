import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { beforeCall } from '../login/support.ts';
import { type AppOptions, LOGIN, startApp, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';
import { expectJudged } from '../support/judged.ts';
import { formsOf, Visitor } from '../support/visitor.ts';
import { CLIENT, LEAD, throughProvider } from './provider_round.ts';

let app: TestApp;
let bob: Enrolled;
let visitor: Visitor;
let sso: { providers: { id: string; name: string }[]; signedInAs: string };

async function start(options: AppOptions = {}): Promise<void> {
  sso = { providers: [{ id: 'oidc', name: 'University' }], signedInAs: 'bob' };
  app = await startApp({
    users: [
      { name: 'alice', password: null },
      { name: 'bob', password: 'bob password' },
    ],
    sso,
    ...options,
  });
  bob = await app.enrol('bob');
  visitor = new Visitor(app.url);
}

beforeEach(() => start());

afterEach(() => app.stop());

/** The first round: from the client's button to our page. */
async function firstRound(): Promise<HttpAnswer> {
  return visitor.open(await throughProvider(app, await visitor.open(LEAD)));
}

/** From the confirmation to the client. */
async function secondRound(): Promise<URL> {
  const back = await visitor.open(await throughProvider(app, await visitor.send({ decision: 'allow' })));
  expect(back.status).toBe(303);
  return new URL(back.headers.location ?? '');
}

function redeem(address: URL, more: object = {}): supertest.Test {
  const token = address.searchParams.get('loginToken');
  return supertest(app.url)
    .post(LOGIN)
    .send({ type: 'm.login.token', token, ...more });
}

describe('single sign-on of the homeserver', () => {
  test('the languages that the client asks for come back with the person', async () => {
    visitor = new Visitor(app.url, { 'accept-language': 'en' });
    const lead = `${LEAD}&ui_locales=de`;
    const code = await visitor.open(await throughProvider(app, await visitor.open(lead)));
    expect(code.text).toContain('<html lang="de">');
    expect(code.text).toContain(`href="${lead.replace('&', '&amp;')}"`);
    expect((await visitor.send({ code: app.code(bob) })).text).toContain('<html lang="de">');
    expect((await secondRound()).origin).toBe('https://app.example.net');
  });

  test('with 2FA: once to learn who it is, the code, once more; the client’s device survives', async () => {
    app.stub.signIn('bob', 'BOBPHONE');
    const code = await firstRound();
    expect(code.text).toContain('one-time-code');
    // Whoever starts again does so where they came from.
    expect(code.text).toContain(`href="${LEAD}"`);
    const confirmation = await visitor.send({ code: app.code(bob) });
    expect(confirmation.text).toContain('app.example.net');
    const address = await secondRound();
    expect(address.origin).toBe('https://app.example.net');
    const answer = expectJudged(await redeem(address, { device_id: 'BOBPHONE' }));
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ user_id: '@bob:localhost', device_id: 'BOBPHONE' });
    await app.proxy.keepHouse();
    expect(app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).toEqual(['BOBPHONE']);
  });

  test('without passwords at the homeserver, a client that names no provider goes to the homeserver’s', async () => {
    await app.stop();
    await start({ passwords: 'off' });
    const target = `/_matrix/client/v3/login/sso/redirect?redirectUrl=${encodeURIComponent(CLIENT)}`;
    const code = await visitor.open(await throughProvider(app, await visitor.open(target)));
    expect(code.text).toContain('one-time-code');
  });

  test('without 2FA: confirmation, and no code', async () => {
    sso.signedInAs = 'alice';
    const confirmation = await firstRound();
    expect(confirmation.text).toContain('@alice:localhost');
    const answer = await redeem(await secondRound());
    expect(answer.body.user_id).toBe('@alice:localhost');
    await app.proxy.keepHouse();
    expect(app.stub.devicesOf('alice')).toHaveLength(1);
  });

  test('no code, no second round', async () => {
    await firstRound();
    const [form] = formsOf(visitor.last?.text ?? '');
    const answer = await visitor.post({ ...form?.fields, decision: 'allow' });
    expect(visitor.sent?.headers.location).toMatch(/^\/_2fa\/login\?v=/);
    expect(answer.text).toContain('one-time-code');
    app.clock.advance(5 * 60_000);
    await app.proxy.keepHouse();
    expect(app.stub.devicesOf('bob')).toEqual([]);
  });

  test('attack 36: a token for another user than the one who passed is gated', async () => {
    await app.enrol('alice');
    await firstRound();
    await visitor.send({ code: app.code(bob) });
    sso.signedInAs = 'alice';
    const answer = expectJudged(await redeem(await secondRound()));
    expect(answer.status).toBe(401);
    expect(answer.body.access_token).toBeUndefined();
  });

  test.each(['off', 'off and on', 'another authenticator'])(
    'attack 180: %s before the second round is back: no way to the client',
    async (change) => {
      await firstRound();
      await visitor.send({ code: app.code(bob) });
      const back = await throughProvider(app, await visitor.send({ decision: 'allow' }));
      if (change !== 'another authenticator') {
        await app.storage.factors.removeAllFactors(bob.userId);
      }
      if (change !== 'off') await app.enrol('bob');
      const answer = await visitor.open(back);
      expect(answer.status).toBe(410);
      expect(answer.headers.location).toBeUndefined();
    },
  );

  test('attack 183: a change of factors as the second token is put on record: it needs a code', async () => {
    await firstRound();
    await visitor.send({ code: app.code(bob) });
    beforeCall(app.storage.loginTokens, 'remember', () => app.enrol('bob'));
    const answer = expectJudged(await redeem(await secondRound()));
    expect(answer.status).toBe(401);
    expect(answer.body.access_token).toBeUndefined();
  });

  test('the way back of the first round, loaded once more, is told as used', async () => {
    const back = await throughProvider(app, await visitor.open(LEAD));
    await visitor.open(back);
    const again = await visitor.open(back);
    expect(again.status).toBe(410);
    expect(again.text).toContain('This page is no longer valid');
  });

  test('attack 36: the way back of the second round works once', async () => {
    await firstRound();
    await visitor.send({ code: app.code(bob) });
    const back = await throughProvider(app, await visitor.send({ decision: 'allow' }));
    expect((await visitor.open(back)).status).toBe(303);
    const again = await visitor.open(
      back.replace(/loginToken=.*/, `loginToken=${app.stub.mintLoginToken('bob')}`),
    );
    expect(again.status).toBe(410);
  });

  test('attack 69: another browser cannot be sent in on another user’s way back', async () => {
    const back = await throughProvider(app, await visitor.open(LEAD));
    const victim = new Visitor(app.url);
    await victim.open(`/_2fa/login?redirectUrl=${encodeURIComponent(CLIENT)}`);
    app.stub.clear();
    expect((await victim.open(back)).status).toBe(410);
    expect(app.stub.requests).toEqual([]);
  });

  test('an invented, altered or old state is refused', async () => {
    const back = await throughProvider(app, await visitor.open(LEAD));
    app.stub.clear();
    for (const altered of ['', 'AAAA', `${back.slice(33, 60)}`]) {
      const answer = await visitor.open(
        `/_2fa/login/provider?state=${encodeURIComponent(altered)}&loginToken=x`,
      );
      expect(answer.status).toBe(410);
    }
    app.clock.advance(10 * 60_000);
    expect((await visitor.open(back)).status).toBe(410);
    expect(app.stub.requests).toEqual([]);
  });

  test('attack 67: a place that is not allowed is refused before anyone is sent anywhere', async () => {
    const answer = await visitor.open(LEAD.replace(/redirectUrl=.*/, 'redirectUrl=javascript%3Aalert(1)'));
    expect(answer.status).toBe(400);
    expect(app.stub.requests).toEqual([]);
  });

  test('a provider that is not there is a page with 404', async () => {
    const answer = await visitor.open(LEAD.replace('/oidc', '/other'));
    expect(answer.status).toBe(404);
    expect(answer.headers['content-type']).toContain('text/html');
  });

  test('the homeserver’s cookies reach the browser, each for itself', async () => {
    app.stub.override('/login/sso/redirect', () => ({
      status: 302,
      body: '',
      headers: {
        location: 'https://idp.example/',
        'set-cookie': [
          'one=1; Path=/_synapse',
          'two=2; Expires=Thu, 01 Jan 2099 00:00:00 GMT',
        ] as unknown as string,
      },
    }));
    const answer = await visitor.open(LEAD);
    expect(answer.headers['set-cookie']).toEqual([
      'one=1; Path=/_synapse',
      'two=2; Expires=Thu, 01 Jan 2099 00:00:00 GMT',
      expect.stringContaining('m2fa_form='),
    ]);
  });
});
