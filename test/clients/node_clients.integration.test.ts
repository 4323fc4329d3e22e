import { beforeAll, expect, jest, test } from '@jest/globals';
import { createClient } from 'matrix-js-sdk';
import { ensureNodeClients } from '../../tools/clients/node_clients.ts';
import { describeWithClients } from './describe_with_clients.ts';
import { driveNode } from './run_client.ts';
import { loginToken } from './sign_in_page.ts';

const install = (onProgress: (line: string) => void) => ensureNodeClients('.cache/node-clients', onProgress);

await describeWithClients('matrix-bot-sdk and matrix-js-sdk', install, (app, folder) => {
  beforeAll(() => void jest.spyOn(console, 'debug').mockImplementation(() => undefined));

  test('matrix-bot-sdk: password and code in the password field; it syncs and says something', async () => {
    const bob = await app().enrolledUser();
    const password = `${bob.password} ${app().code(bob)}`;
    const wish = { homeserver: app().url, user: bob.name, password, text: 'hello' };
    expect(await driveNode(folder, 'bot_sdk', wish)).toEqual({
      talksTo: app().url,
      sameRoom: true,
      heard: 'hello',
      sender: bob.userId,
    });
  });

  test('matrix-bot-sdk: the password alone is refused with what is missing', async () => {
    const bob = await app().enrolledUser();
    const wish = { homeserver: app().url, user: bob.name, password: bob.password, text: 'hello' };
    expect(await driveNode(folder, 'bot_sdk', wish)).toEqual({
      errcode: 'M_FORBIDDEN',
      error: expect.stringContaining('code'),
      status: 401,
    });
  });

  test('matrix-js-sdk: the sign-in page, then its login token', async () => {
    const bob = await app().enrolledUser();
    const client = createClient({ baseUrl: app().url });
    const { flows } = await client.loginFlows();
    expect(flows.map(({ type }) => type)).toEqual(expect.arrayContaining(['m.login.sso', 'm.login.token']));
    const page = new URL(client.getSsoLoginUrl('https://app.example.net/', 'sso', 'two-factor'));
    expect(page.origin).toBe(app().url);

    const token = await loginToken(app(), bob, 'https://app.example.net/');
    const login = await client.loginRequest({ type: 'm.login.token', token });
    expect(login.user_id).toBe(bob.userId);
    expect(await app().whoami(login.access_token)).toBe(200);
    await expect(client.loginRequest({ type: 'm.login.token', token })).rejects.toMatchObject({
      errcode: 'M_FORBIDDEN',
    });
  });
});
