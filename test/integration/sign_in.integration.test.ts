import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { writeRegistration } from '../../src/cli/init_appservice.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { appserviceCheck } from '../../src/doctor/appservice_check.ts';
import { Installation } from '../../src/doctor/installation.ts';
import { Web } from '../../src/doctor/web.ts';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { createProxy, type MatrixProxy } from '../../src/server/proxy.ts';
import { effect } from '../../src/storage/statement.ts';
import { MINUTE, SECOND } from '../../src/system/clock.ts';
import { systemRandom } from '../../src/system/random.ts';
import { passwordLogin } from '../support/app.ts';
import { codeAt } from '../support/enrolment.ts';
import { call, type HttpAnswer } from '../support/http.ts';
import {
  CLIENT,
  passwordAuth,
  RECOVERY,
  type RealApp,
  recoveryCodesIn,
  type SignedIn,
  signedIn,
  TOTP,
} from '../support/real_app.ts';
import { describeOnSynapse } from './describe_on_synapse.ts';

const PAST_THE_HOLD = 5 * MINUTE + SECOND;

const ownFolder = mkdtempSync(join(tmpdir(), 'own-registration-'));
const ownFile = join(ownFolder, 'appservice.yaml');
const foreignFile = join(ownFolder, 'foreign.yaml');
afterAll(() => rmSync(ownFolder, { recursive: true }));

await describeOnSynapse(
  'signing in, on a real Synapse',
  (app) => {
    test('2FA is turned on over the API and told in the state', async () => {
      const bob = await app().enrolledUser();
      const { json } = await app().call({ target: `${CLIENT}/account/two-factor`, token: bob.token });
      expect(json).toMatchObject({
        enabled: true,
        providers: {
          'm.login.2fa.totp': { authenticators: [{ id: bob.authenticatorId, name: 'phone' }] },
          'm.login.2fa.recovery': { remaining: 10, total: 10 },
        },
      });
    });

    test('a password alone gets a challenge without a token', async () => {
      const bob = await app().enrolledUser();
      const answer = await app().login(bob, bob.password);
      expectChallenge(answer, 'm.login.password');
      expect(answer.json.flows).toEqual([
        { stages: ['m.login.password', 'm.login.2fa.totp'] },
        { stages: ['m.login.password', 'm.login.2fa.recovery'] },
      ]);
    });

    test('password, then code: the answer is a login whose token lives', async () => {
      const bob = await app().enrolledUser();
      const { session } = (await app().login(bob, bob.password)).json;
      const auth = { type: 'm.login.2fa.totp', session, token: app().code(bob) };
      const { token } = signedIn(await app().post(`${CLIENT}/login`, { auth }));
      expect(await app().whoami(token)).toBe(200);
    });

    test.each([' ', ''])('a code typed behind the password counts, with "%s" between them', async (blank) => {
      const bob = await app().enrolledUser();
      const { token } = signedIn(await app().login(bob, `${bob.password}${blank}${app().code(bob)}`));
      expect(await app().whoami(token)).toBe(200);
    });

    test('wrong and used codes are refused with the same words', async () => {
      const bob = await app().enrolledUser();
      const code = app().code(bob);
      signedIn(await app().login(bob, `${bob.password} ${code}`));
      const used = await app().login(bob, `${bob.password} ${code}`);
      const wrong = await app().login(bob, `${bob.password} ${app().wrongCode(bob)}`);
      for (const answer of [used, wrong]) expectChallenge(answer, 'm.login.password');
      expect(used.json.error).toBe(wrong.json.error);
      expect(used.json.errcode).toBe('M_FORBIDDEN');
    });

    test("a wrong password gets Synapse's own words, with a right code behind it as well", async () => {
      const bob = await app().enrolledUser();
      const direct = await app().direct({
        target: `${CLIENT}/login`,
        json: passwordLogin(bob.name, 'wrong'),
      });
      const plain = await app().login(bob, 'wrong');
      const withCode = await app().login(bob, `wrong ${app().code(bob)}`);
      for (const answer of [plain, withCode]) {
        expect({ status: answer.status, text: answer.text }).toEqual({ status: 403, text: direct.text });
      }
    });

    test('a recovery code signs in once, as a stage or behind the password', async () => {
      const bob = await app().enrolledUser();
      const [first = '', second = ''] = bob.recoveryCodes;
      signedIn(
        await app().login(bob, bob.password, { auth: { type: 'm.login.2fa.recovery', token: first } }),
      );
      signedIn(await app().login(bob, `${bob.password} ${second}`));
      expectChallenge(await app().login(bob, `${bob.password} ${second}`), 'm.login.password');
      const { json } = await app().call({ target: RECOVERY, token: bob.token });
      expect(json.remaining).toBe(8);
    });

    test('new recovery codes end the old ones', async () => {
      const bob = await app().enrolledUser();
      const auth = passwordAuth(bob, `${bob.password} ${app().code(bob)}`);
      const fresh = recoveryCodesIn(await app().post(RECOVERY, { auth }, bob.token));
      expect(fresh).toHaveLength(10);
      const old = await app().login(bob, `${bob.password} ${bob.recoveryCodes[0]}`);
      expectChallenge(old, 'm.login.password');
      signedIn(await app().login(bob, `${bob.password} ${fresh[0]}`));
    });

    test('turning 2FA off takes password and code; then the password is enough', async () => {
      const bob = await app().enrolledUser();
      const remove = (proof: string) =>
        app().call({
          method: 'DELETE',
          target: TOTP,
          json: { auth: passwordAuth(bob, proof) },
          token: bob.token,
        });
      expectChallenge(await remove(bob.password));
      expect((await remove(`${bob.password} ${app().code(bob)}`)).status).toBe(200);
      signedIn(await app().login(bob, bob.password));
    });

    test('nothing changes with an access token and a wrong password', async () => {
      const alice = await app().signedInUser();
      const refused = await app().post(TOTP, { auth: passwordAuth(alice, 'wrong') }, alice.token);
      expectChallenge(refused);
      const state = await app().call({ target: `${CLIENT}/account/two-factor`, token: alice.token });
      expect(state.json).toEqual({ enabled: false, providers: {} });
    });

    test("attack 27: a sign-in that names the victim's device leaves it, its token and its keys alone", async () => {
      const bob = await app().enrolledUser();
      const keys = deviceKeys(bob);
      expect((await app().post(`${CLIENT}/keys/upload`, { device_keys: keys }, bob.token)).status).toBe(200);

      expectChallenge(await app().login(bob, bob.password, { device_id: bob.deviceId }), 'm.login.password');
      app().clock.advance(PAST_THE_HOLD);
      await app().proxy.keepHouse();

      expect(await app().whoami(bob.token)).toBe(200);
      const query = await app().post(
        `${CLIENT}/keys/query`,
        { device_keys: { [bob.userId]: [] } },
        bob.token,
      );
      expect(query.json).toMatchObject({
        device_keys: { [bob.userId]: { [bob.deviceId]: { keys: keys.keys } } },
      });
      expect(await devicesOf(app(), bob)).toEqual([bob.deviceId]);
    });

    test('with the code the device is the one asked for, and the held login is gone', async () => {
      const bob = await app().enrolledUser();
      const body = { device_id: 'LAPTOP', initial_device_display_name: "Bob's laptop" };
      const { session } = (await app().login(bob, bob.password, body)).json;
      const held = (await devicesOf(app(), bob)).find((device) => device !== bob.deviceId);
      const auth = { type: 'm.login.2fa.totp', session, token: app().code(bob) };
      const login = signedIn(await app().post(`${CLIENT}/login`, { auth }));
      await app().proxy.keepHouse();

      expect(login.deviceId).toBe('LAPTOP');
      expect(await app().whoami(login.token)).toBe(200);
      const devices = await devicesOf(app(), bob);
      expect(devices).toEqual(expect.arrayContaining(['LAPTOP', bob.deviceId]));
      expect(devices).not.toContain(held);
    });

    test('attack 25: a held login is dead at Synapse when its time is over', async () => {
      const bob = await app().enrolledUser();
      const { session } = (await app().login(bob, bob.password)).json;
      const [token = ''] = app().heldTokens(bob.userId);
      expect(await app().whoami(token)).toBe(200);

      app().clock.advance(PAST_THE_HOLD);
      await app().proxy.keepHouse();

      expect(await app().whoami(token)).toBe(401);
      const auth = { type: 'm.login.2fa.totp', session, token: app().code(bob) };
      expect((await app().post(`${CLIENT}/login`, { auth })).status).toBe(401);
    });

    test('attack 30: two finish at once with one code, and one token comes out', async () => {
      const bob = await app().enrolledUser();
      const { session } = (await app().login(bob, bob.password)).json;
      const auth = { type: 'm.login.2fa.totp', session, token: app().code(bob) };
      const answers = await Promise.all([1, 2].map(() => app().post(`${CLIENT}/login`, { auth })));
      expect(answers.filter(({ json }) => 'access_token' in json)).toHaveLength(1);
    });

    test('attack 55: after five wrong codes a right one has to wait, but not a recovery code', async () => {
      const bob = await app().enrolledUser();
      for (let count = 0; count < 5; count += 1) {
        await app().login(bob, `${bob.password} ${app().wrongCode(bob)}`);
      }
      const unused = codeAt(bob.seed, app().clock.now(), 1);
      const refused = await app().login(bob, `${bob.password} ${unused}`);
      expect(refused.status).toBe(429);
      expect(refused.json).toMatchObject({ errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 30_000 });
      expect(refused.headers['retry-after']).toBe('30');
      signedIn(await app().login(bob, `${bob.password} ${bob.recoveryCodes[0]}`));
    });

    test('attack 35: a refresh token comes with the release only, and refreshes', async () => {
      const bob = await app().enrolledUser();
      const challenge = await app().login(bob, bob.password, { refresh_token: true });
      expectChallenge(challenge, 'm.login.password');
      expect(challenge.text).not.toContain('refresh_token');
      app().clock.advance(10 * SECOND);
      const auth = { type: 'm.login.2fa.totp', session: challenge.json.session, token: app().code(bob) };
      const login = await app().post(`${CLIENT}/login`, { auth });
      expect(login.json.expires_in_ms).toBeLessThanOrEqual(5 * MINUTE - 40 * SECOND);

      const refreshed = await app().post(`${CLIENT}/refresh`, {
        refresh_token: String(login.json.refresh_token),
      });
      expect(refreshed.status).toBe(200);
      expect(await app().whoami(String(refreshed.json.access_token))).toBe(200);
    });

    test('registering answers a login, and the new user can turn 2FA on', async () => {
      const body = { username: 'newcomer', password: 'pw of the newcomer' };
      const first = await app().post(`${CLIENT}/register`, body);
      const auth = { type: 'm.login.dummy', session: String(first.json.session) };
      const registered = await app().post(`${CLIENT}/register`, { ...body, auth });
      const { token } = signedIn(registered);
      expect(await app().whoami(token)).toBe(200);
      const newcomer = { name: 'newcomer', password: body.password, userId: '@newcomer:localhost' };
      const setup = await app().post(TOTP, { auth: passwordAuth(newcomer, body.password) }, token);
      expect(setup.status).toBe(200);
    });

    test('attack 104: a password stage at registration is not judged', async () => {
      const bob = await app().enrolledUser();
      const auth = passwordAuth(bob, bob.password);
      const answer = await app().post(`${CLIENT}/register`, { username: 'other', password: 'x', auth });
      expect(answer.status).toBe(400);
      expect(answer.text).not.toContain('completed');
    });

    test('R5 by our own registration: a password and a login token get their device after the code, and Synapse knows it', async () => {
      const bob = await app().enrolledUser();
      const proxy = await withRegistration(app());
      const post = (json: JsonObject) => call(proxy.url, { method: 'POST', target: `${CLIENT}/login`, json });
      const finish = async (challenge: HttpAnswer) => {
        expectSession(challenge);
        const { session } = challenge.json;
        return post({ auth: { type: 'm.login.2fa.totp', session, token: app().code(bob) } });
      };
      try {
        const wishes = { device_id: 'OWNPHONE', initial_device_display_name: 'my phone' };
        const phone = signedIn(await finish(await post(passwordLogin(bob.name, bob.password, wishes))));
        expect(phone.deviceId).toBe('OWNPHONE');
        const auth = passwordAuth(bob, bob.password);
        const target = '/_matrix/client/v1/login/get_token';
        const issued = await app().direct({ method: 'POST', target, token: bob.token, json: { auth } });
        const login = { type: 'm.login.token', token: issued.json.login_token ?? '', device_id: 'OWNLAPTOP' };
        const laptop = signedIn(await finish(await post(login)));
        expect(laptop.deviceId).toBe('OWNLAPTOP');
        expect(await Promise.all([phone, laptop].map(({ token }) => app().whoami(token)))).toEqual([
          200, 200,
        ]);
        await proxy.keepHouse();
        expect((await devicesOf(app(), bob)).sort()).toEqual([bob.deviceId, 'OWNLAPTOP', 'OWNPHONE'].sort());
        const record = await proxy.storage.audit.list({ userId: bob.userId });
        expect(record.filter(({ event }) => event === 'appservice.own_login')).toHaveLength(2);
      } finally {
        await proxy.close(0);
      }
    });

    test('an expired device password is renewed by our registration, on its device', async () => {
      const bob = await app().enrolledUser();
      const proxy = await withRegistration(app());
      const post = (target: string, json: JsonObject, token?: string) =>
        call(proxy.url, { method: 'POST', target, json, ...(token !== undefined && { token }) });
      try {
        const auth = passwordAuth(bob, `${bob.password} ${app().code(bob)}`);
        const target = '/_matrix/client/unstable/org.matrix.2fa/device_passwords';
        const made = await post(target, { name: 'bot', auth }, bob.token);
        const login = passwordLogin(bob.name, String(made.json.device_password));
        const before = signedIn(await post(`${CLIENT}/login`, login));
        await proxy.storage.commit([], effect('UPDATE device_passwords SET expires_at = 1', {}));
        const after = signedIn(await post(`${CLIENT}/login`, login));
        expect([after.deviceId, after.token === before.token]).toEqual([before.deviceId, false]);
        expect(await app().whoami(after.token)).toBe(200);
        await app().direct({ method: 'POST', target: `${CLIENT}/logout`, token: after.token, json: {} });
        await proxy.storage.commit([], effect('UPDATE device_passwords SET expires_at = 1', {}));
        expect((await post(`${CLIENT}/login`, login)).status).toBe(403);
        expect(await devicesOf(app(), bob)).toEqual([bob.deviceId]);
      } finally {
        await proxy.close(0);
      }
    });

    test('doctor tells a registration that Synapse knows from one that it does not', async () => {
      expect(await found(app(), ownFile)).toBe('ok');
      const other = join(ownFolder, 'other.yaml');
      writeRegistration({ file: other, serverName: 'localhost' }, systemRandom);
      expect(await found(app(), other)).toBe('fail');
      expect(await found(app(), foreignFile)).toBe('fail');
    });
  },
  async () => {
    writeRegistration({ file: ownFile, serverName: 'localhost' }, systemRandom);
    writeRegistration({ file: foreignFile, serverName: 'example.org' }, systemRandom);
    const foreign = readFileSync(foreignFile, 'utf8');
    // Synapse wants each id and sender once.
    writeFileSync(
      foreignFile,
      foreign.replace('matrix-2fa-proxy\n', 'other\n').replace('two-factor', 'three-factor'),
    );
    return { synapse: () => ({ app_service_config_files: [ownFile, foreignFile] }) };
  },
);

/** The configuration of the suite with a registration of our own. */
function configWith(app: RealApp, file: string): Config {
  const config = join(app.directory, 'own.yaml');
  writeFileSync(config, app.configText(0).replace(' }', `, appservice: { file: ${file} } }`));
  return loadConfig(config, {});
}

/** Another proxy on the same data, which has our registration. */
async function withRegistration(app: RealApp): Promise<MatrixProxy & { readonly url: string }> {
  const proxy = await createProxy(configWith(app, ownFile), { clock: app.clock });
  return Object.assign(proxy, { url: await proxy.listen() });
}

/** What `doctor` finds of a registration. */
async function found(app: RealApp, file: string): Promise<string> {
  const web = new Web();
  const parts = { configFile: 'own.yaml', secretFiles: [], clock: app.clock, random: systemRandom, web };
  const installation = new Installation({ ...parts, config: configWith(app, file) });
  try {
    return (await appserviceCheck.run(installation)).verdict;
  } finally {
    await installation.close();
    web.close();
  }
}

function expectChallenge(answer: HttpAnswer, completed?: string): void {
  expectSession(answer);
  expect(answer.json.completed).toEqual(completed === undefined ? [] : [completed]);
}

function expectSession(answer: HttpAnswer): void {
  expect(answer.status).toBe(401);
  expect(answer.text).not.toContain('access_token');
  expect(answer.json.session).toMatch(/^m2fa_/);
}

async function devicesOf(app: RealApp, user: SignedIn): Promise<string[]> {
  const { json } = await app.direct({ target: `${CLIENT}/devices`, token: user.token });
  return (json.devices as { device_id: string }[]).map((device) => device.device_id);
}

function deviceKeys({ userId, deviceId }: SignedIn) {
  const keys = { [`ed25519:${deviceId}`]: 'a'.repeat(43), [`curve25519:${deviceId}`]: 'b'.repeat(43) };
  return { user_id: userId, device_id: deviceId, algorithms: ['m.olm.v1'], keys, signatures: {} };
}
