import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { ensurePythonClients } from '../../tools/clients/python_clients.ts';
import { CLIENT, signedIn, type TwoFactorUser } from '../support/real_app.ts';
import { describeWithClients } from './describe_with_clients.ts';
import { MatrixCommander } from './matrix_commander.ts';
import { drivePython } from './run_client.ts';
import { loginToken, signInOnPage } from './sign_in_page.ts';

const install = (onProgress: (line: string) => void) =>
  ensurePythonClients('.cache/python-clients', onProgress);

await describeWithClients('clients in Python', install, (app, clients) => {
  const drive = (driver: string, wish: JsonObject) =>
    drivePython(clients, driver, { homeserver: app().url, ...wish });

  const withCode = (bob: TwoFactorUser) => `${bob.password} ${app().code(bob)}`;

  async function anotherDevice(bob: TwoFactorUser): Promise<string> {
    return signedIn(await app().login(bob, withCode(bob))).deviceId;
  }

  async function devicesOf(bob: TwoFactorUser): Promise<string[]> {
    const { json } = await app().direct({ target: `${CLIENT}/devices`, token: bob.token });
    return (json.devices as { device_id: string }[]).map((device) => device.device_id);
  }

  /** What a login of a driver answered is a session of that user that lives. */
  async function expectSession(answer: JsonObject, bob: TwoFactorUser): Promise<void> {
    expect(answer).toMatchObject({ user: bob.userId, token: expect.any(String) });
    expect(await app().whoami(String(answer.token))).toBe(200);
  }

  describe('matrix-nio', () => {
    test('password and code in the password field', async () => {
      const bob = await app().enrolledUser();
      const answer = await drive('nio_client', {
        action: 'login',
        user: bob.userId,
        password: withCode(bob),
      });
      await expectSession(answer, bob);
      expect(answer.ways).toEqual(expect.arrayContaining(['m.login.sso', 'm.login.password']));
    });

    test('password and code for a device that it names', async () => {
      const bob = await app().enrolledUser();
      const wish = { action: 'login', user: bob.name, password: withCode(bob), device: 'SCRIPT' };
      const answer = await drive('nio_client', wish);
      await expectSession(answer, bob);
      expect(answer.device).toBe('SCRIPT');
    });

    test('a wrong or missing code is told in its error', async () => {
      const bob = await app().enrolledUser();
      for (const password of [bob.password, `${bob.password} ${app().wrongCode(bob)}`]) {
        const answer = await drive('nio_client', { action: 'login', user: bob.userId, password });
        expect(answer).toMatchObject({ errcode: 'M_FORBIDDEN', error: expect.stringContaining('code') });
        expect(answer.token).toBeUndefined();
      }
    });

    test('a device password signs in again and again as one device, until it is revoked', async () => {
      const bob = await app().enrolledUser();
      const target = '/_matrix/client/unstable/org.matrix.2fa/device_passwords';
      const auth = {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: bob.userId },
        password: withCode(bob),
      };
      const made = await app().call({ target, token: bob.token, json: { name: 'bot', auth } });
      expect(made.status).toBe(200);
      const wish = { action: 'login', user: bob.userId, password: String(made.json.device_password) };
      const [first, again] = [await drive('nio_client', wish), await drive('nio_client', wish)];
      await expectSession(first, bob);
      expect(first.device).toBe(made.json.device_id);
      expect(again.token).toBe(first.token);
      const revoking = { method: 'DELETE', target: `${target}/${made.json.id}`, token: bob.token };
      expect((await app().call(revoking)).status).toBe(200);
      const refused = await drive('nio_client', wish);
      expect(refused).toMatchObject({ errcode: 'M_FORBIDDEN', error: 'Invalid username or password' });
      // It is logged out at once, behind the answer.
      let status = 200;
      for (let turn = 0; status !== 401 && turn < 200; turn++) {
        status = await app().whoami(String(first.token));
      }
      expect(status).toBe(401);
      expect(await devicesOf(bob)).not.toContain(made.json.device_id);
    });

    test('a login token of the sign-in page', async () => {
      const bob = await app().enrolledUser();
      const token = await loginToken(app(), bob, 'http://localhost:38080/');
      await expectSession(await drive('nio_client', { action: 'login', user: '', token }), bob);
    });

    test('the session that it gets can send and sync', async () => {
      const bob = await app().enrolledUser();
      const wish = { action: 'say', user: bob.userId, password: withCode(bob), text: 'hello' };
      expect(await drive('nio_client', wish)).toEqual({ heard: ['hello'] });
    });

    test('delete_devices: it reads the challenge, and its old-style password stage may carry the code', async () => {
      const bob = await app().enrolledUser();
      const device = await anotherDevice(bob);
      const wish = { action: 'delete_devices', user: bob.userId, token: bob.token, devices: [device] };

      const refused = await drive('nio_client', { ...wish, password: bob.password });
      expect(refused).toMatchObject({ deleted: false, answer: 'DeleteDevicesAuthResponse' });
      expect(refused.flows).toContainEqual({ stages: ['m.login.2fa.totp', 'm.login.password'] });
      expect(await devicesOf(bob)).toContain(device);

      expect(await drive('nio_client', { ...wish, password: withCode(bob) })).toMatchObject({
        deleted: true,
      });
      expect(await devicesOf(bob)).toEqual([bob.deviceId]);
    });
  });

  describe('mautrix', () => {
    test('password and code in the password field', async () => {
      const bob = await app().enrolledUser();
      const wish = { action: 'login', user: bob.userId, password: withCode(bob), device: 'BRIDGE' };
      const answer = await drive('mautrix_client', wish);
      await expectSession(answer, bob);
      expect(answer).toMatchObject({ device: 'BRIDGE', whoami: bob.userId });
      expect(answer.ways).toEqual(expect.arrayContaining(['m.login.sso', 'm.login.password']));
    });

    test('a recovery code in place of the code', async () => {
      const bob = await app().enrolledUser();
      const password = `${bob.password} ${bob.recoveryCodes[0]}`;
      await expectSession(
        await drive('mautrix_client', { action: 'login', user: bob.userId, password }),
        bob,
      );
    });

    test('a missing code is told in its error', async () => {
      const bob = await app().enrolledUser();
      const wish = { action: 'login', user: bob.userId, password: bob.password };
      expect(await drive('mautrix_client', wish)).toEqual({
        errcode: 'M_FORBIDDEN',
        error: expect.stringContaining('code'),
        status: 401,
      });
    });
  });

  describe('simplematrixbotlib', () => {
    test('starts with password and code; later starts with the same settings go on in its session', async () => {
      const bob = await app().enrolledUser();
      const file = join(app().directory, `${bob.name}.session`);
      const wish = { action: 'start', user: bob.userId, file, password: withCode(bob) };
      const first = await drive('botlib_client', wish);
      await expectSession(first, bob);
      expect(await drive('botlib_client', wish)).toEqual(first);
    });

    test('takes an access token in place of the password', async () => {
      const bob = await app().enrolledUser();
      const file = join(app().directory, `${bob.name}.session`);
      const wish = { action: 'start', user: bob.userId, file, token: bob.token };
      await expectSession(await drive('botlib_client', wish), bob);
    });
  });

  describe('matrix-commander', () => {
    let commander: MatrixCommander | undefined;
    afterEach(() => commander?.remove());

    function newCommander(): MatrixCommander {
      commander = new MatrixCommander(clients.matrixCommander);
      return commander;
    }

    /** Of a version whose ids name the server: the program takes no other. */
    async function roomOf(bob: TwoFactorUser): Promise<string> {
      const room = await app().post(`${CLIENT}/createRoom`, { room_version: '11' }, bob.token);
      return String(room.json.room_id);
    }

    async function lastMessageIn(room: string, bob: TwoFactorUser): Promise<unknown> {
      const target = `${CLIENT}/rooms/${encodeURIComponent(room)}/messages?dir=b&limit=1`;
      const { json } = await app().call({ target, token: bob.token });
      return (json.chunk as { content: { body: string } }[])[0]?.content.body;
    }

    const loginOptions = (room: string) => [
      '--homeserver',
      app().url,
      '--device',
      'command line',
      '--room-default',
      room,
    ];

    test('--login password: password and code; then it sends, and deletes a device with a code', async () => {
      const bob = await app().enrolledUser();
      const room = await roomOf(bob);
      const mine = newCommander();
      const asUser = ['--login', 'password', '--user-login', bob.userId, '--password'];
      const login = await mine.run(...asUser, withCode(bob), ...loginOptions(room));
      expect(login).toMatchObject({ code: 0 });

      expect(await mine.run('--message', 'hello')).toMatchObject({ code: 0 });
      expect(await lastMessageIn(room, bob)).toBe('hello');

      const device = await anotherDevice(bob);
      const removed = await mine.run('--delete-device', device, '--password', withCode(bob));
      expect(removed).toMatchObject({ code: 0 });
      expect(await devicesOf(bob)).not.toContain(device);
    });

    test('--login password: without a code it ends with the text that says so, and keeps nothing', async () => {
      const bob = await app().enrolledUser();
      const mine = newCommander();
      const asUser = ['--login', 'password', '--user-login', bob.userId, '--password', bob.password];
      const login = await mine.run(...asUser, ...loginOptions('!any:localhost'));
      expect(login.code).not.toBe(0);
      expect(login.stderr).toMatch(/code.*M_FORBIDDEN/s);
      expect(existsSync(join(mine.home, 'credentials.json'))).toBe(false);
    });

    test('--login sso: the sign-in page in the browser, and back to the program', async () => {
      const bob = await app().enrolledUser();
      const room = await roomOf(bob);
      const mine = newCommander();
      const login = await mine.loginInBrowser(
        async (opened) => {
          const back = await signInOnPage(app(), bob, `${opened.pathname}${opened.search}`);
          expect((await fetch(back)).status).toBe(200);
        },
        ...loginOptions(room),
      );

      expect(login).toMatchObject({ code: 0 });
      expect(mine.credentials().user_id).toBe(bob.userId);
      expect(await app().whoami(String(mine.credentials().access_token))).toBe(200);
    });
  });
});
