import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import type { HttpAnswer, HttpCall } from '../support/http.ts';
import { CLIENT, passwordAuth, signedIn, type TwoFactorUser } from '../support/real_app.ts';
import { describeOnSynapse } from './describe_on_synapse.ts';
import { masterKey } from './master_key.ts';

await describeOnSynapse('guarded endpoints, on a real Synapse', (app) => {
  /** Signs a user with 2FA in once more: a device that can be removed. */
  async function anotherDevice(bob: TwoFactorUser): Promise<{ token: string; deviceId: string }> {
    return signedIn(await app().login(bob, `${bob.password} ${app().code(bob)}`));
  }

  function bothProofs(bob: TwoFactorUser): JsonObject {
    return passwordAuth(bob, `${bob.password} ${app().code(bob)}`);
  }

  test('delete_devices: first the code, then the password, in one session', async () => {
    const bob = await app().enrolledUser();
    const other = await anotherDevice(bob);
    const body = { devices: [other.deviceId] };
    const remove = (auth?: JsonObject) =>
      app().post(`${CLIENT}/delete_devices`, auth ? { ...body, auth } : body, bob.token);

    const { session } = expectChallenge(await remove()).json;
    expectChallenge(await remove({ ...passwordAuth(bob, bob.password), session }));
    const half = await remove({ type: 'm.login.2fa.totp', session, token: app().code(bob) });
    expect(expectChallenge(half).json.completed).toEqual(['m.login.2fa.totp']);
    expect(await app().whoami(other.token)).toBe(200);

    const done = await remove({ ...passwordAuth(bob, bob.password), session });
    expect(done.status).toBe(200);
    expect(await app().whoami(other.token)).toBe(401);
    expect(await app().whoami(bob.token)).toBe(200);
  });

  test('DELETE devices/{id}: password and code in one field', async () => {
    const bob = await app().enrolledUser();
    const other = await anotherDevice(bob);
    const target = `${CLIENT}/devices/${other.deviceId}`;
    expectChallenge(await app().call({ method: 'DELETE', target, token: bob.token }));
    const remove = (auth: JsonObject) =>
      app().call({ method: 'DELETE', target, json: { auth }, token: bob.token });
    expectChallenge(await remove(passwordAuth(bob, bob.password)));
    expect((await remove(bothProofs(bob))).status).toBe(200);
    expect(await app().whoami(other.token)).toBe(401);
  });

  test('account/password: the password changes, and what the old one had begun is over', async () => {
    const bob = await app().enrolledUser();
    const { session } = (await app().login(bob, bob.password)).json;
    const change = (auth: JsonObject) =>
      app().post(
        `${CLIENT}/account/password`,
        { new_password: 'brand new', logout_devices: false, auth },
        bob.token,
      );
    expectChallenge(await change(passwordAuth(bob, bob.password)));
    expect((await change(bothProofs(bob))).status).toBe(200);

    const late = { type: 'm.login.2fa.totp', session, token: app().code(bob) };
    expect((await app().post(`${CLIENT}/login`, { auth: late })).status).toBe(401);
    expect((await app().login(bob, `${bob.password} ${app().code(bob)}`)).status).toBe(403);
    signedIn(await app().login(bob, `brand new ${app().code(bob)}`));
  });

  test('account/deactivate', async () => {
    const bob = await app().enrolledUser();
    const close = (auth: JsonObject) => app().post(`${CLIENT}/account/deactivate`, { auth }, bob.token);
    expectChallenge(await close(passwordAuth(bob, bob.password)));
    expect(await app().whoami(bob.token)).toBe(200);
    expect((await close(bothProofs(bob))).status).toBe(200);
    expect(await app().whoami(bob.token)).toBe(401);
  });

  test('keys/device_signing/upload: the first and an equal upload are free, a change is not', async () => {
    const bob = await app().enrolledUser();
    const first = masterKey(bob);
    const upload = (keys: JsonObject) => app().post(`${CLIENT}/keys/device_signing/upload`, keys, bob.token);
    expect((await upload(first)).status).toBe(200);
    expect((await upload(first)).status).toBe(200);

    const second = masterKey(bob);
    expectChallenge(await upload(second));
    expectChallenge(await upload({ ...second, auth: passwordAuth(bob, bob.password) }));
    expect((await upload({ ...second, auth: bothProofs(bob) })).status).toBe(200);
    const { json } = await app().post(
      `${CLIENT}/keys/query`,
      { device_keys: { [bob.userId]: [] } },
      bob.token,
    );
    expect(json).toMatchObject({ master_keys: { [bob.userId]: second.master_key } });
  });

  test('v1/login/get_token: its token signs a second device in without another code, once', async () => {
    const bob = await app().enrolledUser();
    const target = '/_matrix/client/v1/login/get_token';
    expectChallenge(await app().post(target, { auth: passwordAuth(bob, bob.password) }, bob.token));
    const issued = await app().post(target, { auth: bothProofs(bob) }, bob.token);
    expect(issued.status).toBe(200);

    const redeem = { type: 'm.login.token', token: String(issued.json.login_token) };
    const { token } = signedIn(await app().post(`${CLIENT}/login`, redeem));
    expect(await app().whoami(token)).toBe(200);
    expect((await app().post(`${CLIENT}/login`, redeem)).status).toBe(403);
  });

  test('attack 36: a login token that Synapse gave without us gets a challenge', async () => {
    const bob = await app().enrolledUser();
    const issued = await app().direct({
      target: '/_matrix/client/v1/login/get_token',
      json: { auth: passwordAuth(bob, bob.password) },
      token: bob.token,
    });
    const redeem = { type: 'm.login.token', token: String(issued.json.login_token) };
    expectChallenge(await app().post(`${CLIENT}/login`, redeem));
  });

  test.each([
    ['account/3pid/add', { client_secret: 'secret', sid: '1' }],
    ['account/3pid', { three_pid_creds: { client_secret: 'secret', sid: '1', id_server: 'localhost' } }],
    ['account/3pid/delete', { medium: 'email', address: 'bob@example.org' }],
    ['account/3pid/unbind', { medium: 'email', address: 'bob@example.org' }],
  ])('%s: Synapse hears of it only after the second factor', async (path, body) => {
    const bob = await app().enrolledUser();
    const target = `${CLIENT}/${path}`;
    const bare = expectChallenge(await app().post(target, body, bob.token));
    expectChallenge(await app().post(target, { ...body, auth: passwordAuth(bob, bob.password) }, bob.token));
    const passed = await app().post(target, { ...body, auth: bothProofs(bob) }, bob.token);
    // There is no validated address here, so what comes back is Synapse's own opinion of the request.
    expect(passed.status).not.toBe(401);
    expect(passed.text).not.toBe(bare.text);
  });

  test('a recovery code is as good as a TOTP code', async () => {
    const bob = await app().enrolledUser();
    const other = await anotherDevice(bob);
    const auth = passwordAuth(bob, `${bob.password} ${bob.recoveryCodes[0]}`);
    const remove = { devices: [other.deviceId], auth };
    expect((await app().post(`${CLIENT}/delete_devices`, remove, bob.token)).status).toBe(200);
    expectChallenge(await app().post(`${CLIENT}/delete_devices`, remove, bob.token));
  });

  test('attack 103: a caller without 2FA cannot act with the password of another', async () => {
    const alice = await app().signedInUser();
    const bob = await app().enrolledUser();
    const requests: HttpCall[] = [
      { target: `${CLIENT}/account/deactivate`, json: {} },
      { target: `${CLIENT}/account/password`, json: { new_password: 'mine' } },
      { target: `${CLIENT}/delete_devices`, json: { devices: [bob.deviceId] } },
    ];
    for (const request of requests) {
      const json = { ...(request.json as JsonObject), auth: passwordAuth(bob, bob.password) };
      expect((await app().call({ ...request, json, token: alice.token })).status).toBe(403);
    }
    expect(await app().whoami(alice.token)).toBe(200);
    expect(await app().whoami(bob.token)).toBe(200);
  });

  test('a caller without 2FA goes through every row with their password alone', async () => {
    const alice = await app().signedInUser();
    const auth = passwordAuth(alice, alice.password);
    const other = signedIn(await app().login(alice, alice.password));
    const third = signedIn(await app().login(alice, alice.password));
    const send = (what: HttpCall) => app().call({ ...what, token: alice.token });

    const removed = [
      await send({ target: `${CLIENT}/delete_devices`, json: { devices: [other.deviceId], auth } }),
      await send({ method: 'DELETE', target: `${CLIENT}/devices/${third.deviceId}`, json: { auth } }),
      await send({ target: `${CLIENT}/keys/device_signing/upload`, json: masterKey(alice) }),
      await send({ target: '/_matrix/client/v1/login/get_token', json: { auth } }),
      await send({ target: `${CLIENT}/account/password`, json: { new_password: 'another', auth } }),
      await send({
        target: `${CLIENT}/account/deactivate`,
        json: { auth: passwordAuth(alice, 'another') },
      }),
    ];
    expect(removed.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(await app().whoami(alice.token)).toBe(401);
  });
});

function expectChallenge(answer: HttpAnswer): HttpAnswer {
  expect(answer.status).toBe(401);
  expect(answer.json.session).toMatch(/^m2fa_/);
  return answer;
}
