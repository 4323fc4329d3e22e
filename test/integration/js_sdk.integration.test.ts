/** A client of today, with the code that most web clients use for interactive authentication. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createClient, InteractiveAuth, type MatrixClient, MatrixError, Method } from 'matrix-js-sdk';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { CLIENT, passwordAuth, type SignedIn, type TwoFactorUser } from '../support/real_app.ts';
import { describeOnSynapse } from './describe_on_synapse.ts';
import { masterKey } from './master_key.ts';

type Auth = Record<string, unknown> | null;

/** What a client puts into `auth`, stage by stage. */
type Proofs = Readonly<Record<string, (attempt: number) => JsonObject>>;

await describeOnSynapse('matrix-js-sdk, on a real Synapse', (app) => {
  // The SDK tells each stage on the console.
  beforeAll(() => void jest.spyOn(console, 'debug').mockImplementation(() => undefined));
  afterAll(() => void jest.restoreAllMocks());

  function clientOf(user?: SignedIn): MatrixClient {
    const identity = user && { accessToken: user.token, userId: user.userId, deviceId: user.deviceId };
    return createClient({ baseUrl: app().url, ...identity });
  }

  /** Has the SDK lead its user through the stages; the result is that of the request. */
  async function interactively<T>(
    client: MatrixClient,
    proofs: Proofs,
    request: (auth: Auth) => Promise<T>,
  ): Promise<{ result: T; stages: string[] }> {
    const stages: string[] = [];
    const conversation: InteractiveAuth<T> = new InteractiveAuth<T>({
      matrixClient: client,
      supportedStages: Object.keys(proofs),
      doRequest: request,
      requestEmailToken: () => Promise.reject(new Error('there is no e-mail here')),
      stateUpdated: (stage) => {
        const attempt = stages.filter((earlier) => earlier === stage).length;
        const proof = proofs[stage]?.(attempt);
        stages.push(stage);
        // Two attempts a stage are enough: the SDK asks again after errors that are no challenge, too.
        if (proof !== undefined && attempt < 2) void conversation.submitAuthDict({ type: stage, ...proof });
      },
    });
    return { result: await conversation.attemptAuth(), stages };
  }

  function passwordOf(bob: SignedIn): JsonObject {
    return { identifier: { type: 'm.id.user', user: bob.userId }, password: bob.password };
  }

  function withTotp(bob: TwoFactorUser): Proofs {
    return {
      'm.login.2fa.totp': () => ({ token: app().code(bob) }),
      'm.login.password': () => passwordOf(bob),
    };
  }

  async function anotherDevice(bob: TwoFactorUser): Promise<string> {
    const answer = await app().login(bob, `${bob.password} ${app().code(bob)}`);
    return String(answer.json.device_id);
  }

  async function devicesOf(client: MatrixClient): Promise<string[]> {
    const { devices } = await client.getDevices();
    return devices.map(({ device_id }) => device_id);
  }

  test('signing in', async () => {
    const bob = await app().enrolledUser();
    const client = clientOf();
    const login = { type: 'm.login.password', ...passwordOf(bob), device_id: 'SDKDEVICE' };
    const { result, stages } = await interactively(client, withTotp(bob), (auth) =>
      client.loginRequest({ ...login, ...(auth === null ? {} : { auth }) }),
    );
    expect(stages).toEqual(['m.login.2fa.totp']);
    expect(result.device_id).toBe('SDKDEVICE');
    expect(await app().whoami(result.access_token)).toBe(200);
  });

  test('signing in after a mistyped code', async () => {
    const bob = await app().enrolledUser();
    const client = clientOf();
    const proofs: Proofs = {
      'm.login.2fa.totp': (attempt) => ({ token: attempt === 0 ? app().wrongCode(bob) : app().code(bob) }),
    };
    const login = { type: 'm.login.password', ...passwordOf(bob) };
    const { result, stages } = await interactively(client, { ...withTotp(bob), ...proofs }, (auth) =>
      client.loginRequest({ ...login, ...(auth === null ? {} : { auth }) }),
    );
    expect(stages).toEqual(['m.login.2fa.totp', 'm.login.2fa.totp']);
    expect(await app().whoami(result.access_token)).toBe(200);
  });

  test('a login dialog that knows passwords only: the code stands behind the password', async () => {
    const bob = await app().enrolledUser();
    const password = `${bob.password} ${app().code(bob)}`;
    const result = await clientOf().loginRequest({
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: bob.name },
      password,
    });
    expect(await app().whoami(result.access_token)).toBe(200);
  });

  test('a device password, in the field of a login dialog that knows passwords only', async () => {
    const bob = await app().enrolledUser();
    const auth = passwordAuth(bob, `${bob.password} ${app().code(bob)}`);
    const made = await app().post(
      '/_matrix/client/unstable/org.matrix.2fa/device_passwords',
      { name: 'bot', auth },
      bob.token,
    );
    const login = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: bob.name },
      password: String(made.json.device_password),
    };
    const first = await clientOf().loginRequest(login);
    // It comes back after a restart: the same device, whose keys it has.
    const again = await clientOf().loginRequest({ ...login, device_id: 'OTHER' });
    expect([first.device_id, again.device_id]).toEqual([made.json.device_id, made.json.device_id]);
    expect(again.access_token).toBe(first.access_token);
    const bot = clientOf({ ...bob, token: first.access_token, deviceId: first.device_id });
    expect(await devicesOf(bot)).toContain(first.device_id);
    await expect(clientOf().loginRequest({ ...login, password: bob.password })).rejects.toThrow(MatrixError);
  });

  test('delete_devices', async () => {
    const bob = await app().enrolledUser();
    const client = clientOf(bob);
    const other = await anotherDevice(bob);
    const { stages } = await interactively(client, withTotp(bob), (auth) =>
      client.deleteMultipleDevices([other], auth ?? undefined),
    );
    expect(stages).toEqual(['m.login.2fa.totp', 'm.login.password']);
    expect(await devicesOf(client)).not.toContain(other);
  });

  test('DELETE devices/{id}, with a recovery code', async () => {
    const bob = await app().enrolledUser();
    const client = clientOf(bob);
    const other = await anotherDevice(bob);
    const proofs: Proofs = {
      'm.login.2fa.recovery': () => ({ token: bob.recoveryCodes[0] }),
      'm.login.password': () => passwordOf(bob),
    };
    const { stages } = await interactively(client, proofs, (auth) =>
      client.deleteDevice(other, auth ?? undefined),
    );
    expect(stages).toEqual(['m.login.2fa.recovery', 'm.login.password']);
    expect(await devicesOf(client)).not.toContain(other);
  });

  test('account/password', async () => {
    const bob = await app().enrolledUser();
    const client = clientOf(bob);
    await interactively(client, withTotp(bob), (auth) => client.setPassword(auth ?? {}, 'brand new', false));
    expect((await app().login(bob, `brand new ${app().code(bob)}`)).status).toBe(200);
  });

  test('a "change password" dialog: one field for the old password, with the code behind it', async () => {
    const bob = await app().enrolledUser();
    const auth = passwordAuth(bob, `${bob.password} ${app().code(bob)}`);
    await clientOf(bob).setPassword(auth, 'brand new', false);
    expect((await app().login(bob, `brand new ${app().code(bob)}`)).status).toBe(200);
  });

  test('account/deactivate', async () => {
    const bob = await app().enrolledUser();
    const client = clientOf(bob);
    await interactively(client, withTotp(bob), (auth) => client.deactivateAccount(auth ?? undefined));
    expect(await app().whoami(bob.token)).toBe(401);
  });

  test('keys/device_signing/upload: the first without a question, a change with all stages', async () => {
    const bob = await app().enrolledUser();
    const client = clientOf(bob);
    const upload = (keys: ReturnType<typeof masterKey>) =>
      interactively(client, withTotp(bob), (auth) =>
        client.uploadDeviceSigningKeys(
          auth ?? undefined,
          keys as Parameters<MatrixClient['uploadDeviceSigningKeys']>[1],
        ),
      );
    expect((await upload(masterKey(bob))).stages).toEqual([]);
    const second = masterKey(bob);
    expect((await upload(second)).stages).toEqual(['m.login.2fa.totp', 'm.login.password']);
    const { master_keys: published } = await client.downloadKeysForUsers([bob.userId]);
    expect(published?.[bob.userId]).toMatchObject(second.master_key);
  });

  test('login/get_token, redeemed by a second device', async () => {
    const bob = await app().enrolledUser();
    const client = clientOf(bob);
    const { result } = await interactively(client, withTotp(bob), (auth) =>
      client.requestLoginToken(auth ?? undefined),
    );
    const second = await clientOf().loginRequest({ type: 'm.login.token', token: result.login_token });
    expect(await app().whoami(second.access_token)).toBe(200);
  });

  test.each([
    ['/account/3pid/add', { client_secret: 'secret', sid: '1' }],
    ['/account/3pid', { three_pid_creds: { client_secret: 'secret', sid: '1', id_server: 'localhost' } }],
    ['/account/3pid/delete', { medium: 'email', address: 'bob@example.org' }],
    ['/account/3pid/unbind', { medium: 'email', address: 'bob@example.org' }],
  ])('%s: the stages come first, then what Synapse says', async (path, body) => {
    const bob = await app().enrolledUser();
    const client = clientOf(bob);
    const asked: Auth[] = [];
    const outcome = await interactively(client, withTotp(bob), (auth) => {
      asked.push(auth);
      return client.http.authedRequest(Method.Post, path, undefined, {
        ...body,
        ...(auth === null ? {} : { auth }),
      });
    }).catch((error: unknown) => error);
    // After an error that is not a challenge the SDK asks for the last stage once more; that is its own affair.
    const stages = asked.map((auth) => auth?.type).slice(0, 3);
    expect(stages).toEqual([undefined, 'm.login.2fa.totp', 'm.login.password']);
    // No address is validated here: Synapse itself may refuse, but with no challenge any more.
    if (outcome instanceof MatrixError) expect(outcome.httpStatus).not.toBe(401);
    else expect(outcome).toMatchObject({ result: expect.anything() });
  });

  test('turning 2FA off by the two-factor API', async () => {
    const bob = await app().enrolledUser();
    const client = clientOf(bob);
    await interactively(client, withTotp(bob), (auth) =>
      client.http.authedRequest(
        Method.Delete,
        '/account/two-factor/totp',
        undefined,
        auth === null ? {} : { auth },
      ),
    );
    const state = await app().call({ target: `${CLIENT}/account/two-factor`, token: bob.token });
    expect(state.json).toEqual({ enabled: false, providers: {} });
  });

  test('a user without 2FA meets the password alone', async () => {
    const alice = await app().signedInUser();
    const other = String((await app().login(alice, alice.password)).json.device_id);
    const client = clientOf(alice);
    const { stages } = await interactively(client, { 'm.login.password': () => passwordOf(alice) }, (auth) =>
      client.deleteMultipleDevices([other], auth ?? undefined),
    );
    expect(stages).toEqual(['m.login.password']);
  });
});
