import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { describeGuarded, it } from './each_guarded.ts';
import {
  BOBS_PASSWORD,
  bobsPassword,
  CHANGE_PASSWORD,
  GUARDED_CALLS,
  type GuardedApp,
  startGuarded,
  TOTP,
} from './guarded.ts';

const RESET = CHANGE_PASSWORD.target;

describeGuarded(() => {
  test.each(GUARDED_CALLS.filter((call) => call !== CHANGE_PASSWORD))(
    '$name without a token is refused here',
    async ({ method, target, body }) => {
      const answer = await it.ask({ method, target, json: body });
      expect([answer.status, answer.json.errcode]).toEqual([401, 'M_MISSING_TOKEN']);
      expect(it.app.stub.requests).toEqual([]);
    },
  );

  test('attack 104: fifty guesses of a password where there is no token: none reaches the homeserver', async () => {
    const body = { new_password: 'the words of an attacker' };
    for (let guess = 0; guess < 50; guess += 1) {
      const auth = bobsPassword(guess === 49 ? BOBS_PASSWORD : `guess ${guess}`);
      const answer = await it.ask({ target: RESET, json: { ...body, auth } });
      expect([answer.status, answer.json.errcode]).toEqual([400, 'M_INVALID_PARAM']);
    }
    const others: JsonObject[] = [
      { type: 'm.login.token', token: 'x' },
      { type: 'm.login.sso' },
      { type: 'org.matrix.login.jwt', token: 'x' },
      { type: TOTP, token: it.app.code(it.bob) },
      { ...bobsPassword(), session: 'of the homeserver' },
      { type: 'm.oauth' },
    ];
    for (const auth of others) {
      const answer = await it.ask({ target: RESET, json: { ...body, auth } });
      expect(answer.status).toBe(400);
    }
    expect(it.app.stub.requests).toEqual([]);
  });

  test('attack 6: account/password, account/deactivate and key uploads are guarded under every prefix', async () => {
    for (const prefix of ['r0', 'v1', 'v3', 'unstable']) {
      for (const { method, target, body } of GUARDED_CALLS) {
        const path = target.replace(/client\/v\d/, `client/${prefix}`);
        const answer = await it.ask({ method, target: path, token: it.bobsToken, json: body });
        expect(answer.status).toBe(401);
        expect(answer.json.session).toMatch(/^m2fa_/);
      }
    }
    expect(it.upstream()).toEqual([]);
  });

  test('attack 7: every name of get_token is guarded', async () => {
    const names = [
      'v1/login/get_token',
      'unstable/login/get_token',
      'unstable/org.matrix.msc3882/login/token',
      'unstable/org.matrix.msc3882/login/get_token',
    ];
    for (const name of names) {
      const answer = await it.ask({ target: `/_matrix/client/${name}`, token: it.bobsToken, json: {} });
      expect([answer.status, String(answer.json.session).slice(0, 5)]).toEqual([401, 'm2fa_']);
    }
    expect(it.upstream()).toEqual([]);
  });

  test('attack 4: delete_devices with something behind it is refused or guarded, never led on', async () => {
    it.app.stub.switches.openEndedDeleteDevices = true;
    for (const end of ['FOO', '/', '%20', '/x', ';x', '%2f', '.json', '%00']) {
      const answer = await it.app.call({
        target: `/_matrix/client/v3/delete_devices${end}`,
        token: it.bobsToken,
        json: { devices: ['OLDPHONE'], auth: bobsPassword() },
      });
      expect([401, 404]).toContain(answer.status);
    }
    expect(it.upstream()).toEqual([]);
    expect(it.app.stub.devicesOf('bob')).toHaveLength(2);
  });

  test('attack 10: other methods on guarded paths change nothing, whatever a header claims', async () => {
    for (const { method, target, body } of GUARDED_CALLS) {
      for (const other of ['GET', 'HEAD', 'PUT', 'PATCH']) {
        const headers = {
          'x-http-method-override': method,
          'x-http-method': method,
          'x-method-override': method,
        };
        await it.app.call({ method: other, target, token: it.bobsToken, json: body, headers });
      }
    }
    expect(it.app.stub.devicesOf('bob')).toHaveLength(2);
    expect(it.app.stub.passwordOf('bob')).toBe(BOBS_PASSWORD);
    expect(it.app.stub.isDeactivated('bob')).toBe(false);
    for (const { method, rawHeaders } of it.app.stub.requests) {
      expect(['GET', 'HEAD', 'PUT', 'PATCH']).toContain(method);
      expect(rawHeaders.join(' ').toLowerCase()).not.toContain('x-http-method');
    }
  });
});

describe('the reset by e-mail', () => {
  let it: GuardedApp;
  beforeEach(async () => {
    it = await startGuarded();
  });
  afterEach(() => it.app.stop());

  const reset = (auth?: JsonObject) =>
    it.app.call({
      target: RESET,
      json: { new_password: 'chosen by e-mail', logout_devices: false, ...(auth && { auth }) },
    });

  test('goes through with the address that the homeserver knows', async () => {
    const sid = it.app.stub.validateEmail('bob@example.org');
    const first = await reset();
    expect(first.status).toBe(401);
    const done = await reset({
      type: 'm.login.email.identity',
      session: first.json.session as string,
      threepid_creds: { sid, client_secret: 'secret' },
    });
    expect(done.status).toBe(200);
    expect(it.app.stub.passwordOf('bob')).toBe('chosen by e-mail');
  });

  test.each([
    { type: 'm.login.terms' },
    { type: 'm.login.recaptcha', response: 'right' },
    { type: 'm.login.msisdn', threepid_creds: { sid: '1', client_secret: 'x' } },
    { type: 'm.login.dummy' },
    { type: 'm.login.registration_token', token: 'x' },
  ])('the stage $type reaches a homeserver that asks for it', async (auth) => {
    it.app.stub.override('/account/password', () => ({ status: 200, body: {} }));
    expect((await reset({ ...auth, session: 'of the homeserver' } as JsonObject)).status).toBe(200);
    const [sent] = it.app.stub.requests;
    expect(sent?.json?.auth).toEqual({ ...auth, session: 'of the homeserver' });
    expect(sent?.headers.authorization).toBeUndefined();
  });
});
