import { expect, test } from '@jest/globals';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { API, BOB, BotApp, expectRefused, PASSWORD } from './bot.ts';

const CLIENT = '/_matrix/client/v3';

describeOnBothDatabases('the end of a device password', (start) => {
  test('attack 224: after the 200 of its revocation none is released, in two processes', async () => {
    const it = await BotApp.start(start);
    const another = await it.app.startAnother();
    const made = await it.make();
    let isRevoked = false;
    let late = 0;
    const signIns = Array.from({ length: 20 }, async (_, at) => {
      for (let turn = 0; turn < 5; turn++) {
        const begunAfter = isRevoked;
        const to = at % 2 === 0 ? it.app : another;
        const body = { type: 'm.login.password', user: 'bob', password: made.password };
        const { status } = await to.post('/_matrix/client/v3/login', body);
        if (begunAfter && status === 200) late += 1;
      }
    });
    const revoking = it.revoke(made).then(({ status }) => {
      isRevoked = true;
      return status;
    });
    await Promise.all(signIns);
    expect([await revoking, late]).toEqual([200, 0]);
    expectRefused(await it.signIn(made.password));
    await it.app.proxy.keepHouse();
    expect(it.app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).toEqual(['BOBSPHONE']);
  });

  test('attack 224: one that is revoked while the homeserver is asked whose it is releases nothing', async () => {
    const it = await BotApp.start(start);
    const made = await it.make();
    let revoked: Promise<unknown> | undefined;
    const isBots = (token: string | undefined) => token !== `Bearer ${it.phone}`;
    it.app.stub.override(/account\/whoami/, async (exchange, next) => {
      const answer = await next();
      const { authorization } = exchange.headers;
      if (isBots(authorization)) revoked ??= it.revoke(made);
      await (isBots(authorization) ? revoked : undefined);
      return answer;
    });
    expectRefused(await it.signIn(made.password));
  });

  test('unknown ones and those of others are 404, and go on', async () => {
    const it = await BotApp.start(start);
    const made = await it.make();
    for (const [token, id] of [
      [it.phone, 'unknown'],
      [it.eve, made.id],
    ] as const) {
      for (const [method, json] of [
        ['DELETE', undefined],
        ['PUT', { name: 'x' }],
      ] as const) {
        expect((await it.ask(method, `${API}/${id}`, token, json)).status).toBe(404);
      }
    }
    expect((await it.ask('PUT', `${API}/${made.id}`, it.phone, { name: 'backup bot' })).status).toBe(200);
    expect((await it.ask('PUT', `${API}/${made.id}`, it.phone, { name: 'two\nlines' })).status).toBe(400);
    expect((await it.list())[0]).toMatchObject({ name: 'backup bot' });
    expect((await it.signIn(made.password)).status).toBe(200);
    expect((await it.revoke(made)).status).toBe(200);
    expect((await it.revoke(made)).status).toBe(404);
  });

  test('attack 230: all end with a password change, logout/all and deactivation, also with 2FA off', async () => {
    const identifier = { type: 'm.id.user', user: BOB };
    const auth = (code: string) => ({
      type: 'm.login.password',
      identifier,
      password: `${PASSWORD}${code}`,
    });
    const ends = [
      ['/account/password', { new_password: 'new words' }],
      ['/logout/all', {}],
      ['/account/deactivate', {}],
    ] as const;
    for (const [path, body] of ends) {
      for (const isOn of path === '/logout/all' ? [true, false] : [path === '/account/password']) {
        const it = await BotApp.start(start);
        const made = await it.make();
        if (!isOn) {
          const off = { auth: auth(` ${it.freshCode()}`) };
          expect((await it.ask('DELETE', `${CLIENT}/account/two-factor`, it.phone, off)).status).toBe(200);
        }
        const code = isOn ? ` ${it.freshCode()}` : '';
        const sent = path === '/logout/all' ? {} : { ...body, auth: auth(code) };
        expect((await it.ask('POST', `${CLIENT}${path}`, it.phone, sent)).status).toBe(200);
        it.app.stub.clear();
        expectRefused(await it.signIn(made.password));
        expect(it.upstream()).toEqual([]);
        await it.app.proxy.keepHouse();
        expect(it.app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).not.toContain(made.deviceId);
        expect(await it.events()).toContain('device_password.ended');
      }
    }
  });

  test('they stay where a password change keeps the devices', async () => {
    const it = await BotApp.start(start);
    const made = await it.make();
    const identifier = { type: 'm.id.user', user: BOB };
    const auth = { type: 'm.login.password', identifier, password: `${PASSWORD} ${it.freshCode()}` };
    const body = { new_password: 'new words', logout_devices: false, auth };
    expect((await it.ask('POST', `${CLIENT}/account/password`, it.phone, body)).status).toBe(200);
    expect((await it.signIn(made.password)).status).toBe(200);
  });

  test('attack 230: one ends with its device, at the latest at its next sign-in', async () => {
    const it = await BotApp.start(start);
    const [loggedOut, removed] = [await it.make(), await it.make('removed')];
    const { json } = await it.signIn(loggedOut.password);
    await it.ask('POST', `${CLIENT}/logout`, json.access_token as string, {});
    expect((await it.list()).map(({ name }) => name)).toEqual(['removed']);
    expectRefused(await it.signIn(loggedOut.password));
    it.app.stub.state.deleteDevice(BOB, removed.deviceId);
    expectRefused(await it.signIn(removed.password));
    expect(await it.list()).toEqual([]);
  });

  test('a logout that fails is tried again, also by another process', async () => {
    const it = await BotApp.start(start);
    const made = await it.make();
    it.app.stub.failNext('/logout', { status: 500, body: { errcode: 'M_UNKNOWN', error: 'x' } });
    expect((await it.revoke(made)).status).toBe(200);
    await it.app.proxy.keepHouse();
    const another = await it.app.startAnother();
    it.app.clock.advance(10 * 60_000);
    await another.proxy.keepHouse();
    expect(it.app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).toEqual(['BOBSPHONE']);
  });

  test('they are found under every key of the ring, and move on to the active one', async () => {
    const it = await BotApp.start(start);
    const made = await it.make();
    const digestKey = async () => {
      const [row] = await it.app.storage.read<{ digest: string }>({
        does: 'ask',
        sql: 'SELECT secret_digest AS digest FROM device_passwords',
        values: {},
      });
      return row?.digest.split('.')[0];
    };
    const before = await digestKey();
    await it.app.shutDown();
    it.app.rotateKeys();
    await it.app.start();
    expect((await it.signIn(made.password)).status).toBe(200);
    expect(await digestKey()).not.toBe(before);
    expect((await it.signIn(made.password)).status).toBe(200);
  });
});
