import { expect, test } from '@jest/globals';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { API, BOB, BotApp, PASSWORD } from './bot.ts';

describeOnBothDatabases('making a device password', (start) => {
  test('makes one device by one login, and shows the secret once', async () => {
    const it = await BotApp.start(start);
    const { status, json } = await it.askToMake('matrix-commander');
    expect(status).toBe(200);
    expect(json.device_password).toMatch(/^m2dp(-[0-9a-hjkmnp-tv-z]{4}){8}$/);
    const logins = it.app.stub.requests.filter(({ target }) => target.endsWith('/login'));
    expect(logins.map(({ json: sent }) => sent)).toEqual([
      {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: BOB },
        password: PASSWORD,
        initial_device_display_name: 'matrix-commander',
      },
    ]);
    const device = it.app.stub.devicesOf('bob').find(({ deviceId }) => deviceId === json.device_id);
    expect(device?.displayName).toBe('matrix-commander');
    const { id, device_id, created_at } = json;
    const never = { last_used_at: null, last_used_address: null, expires_at: null };
    expect(await it.list()).toEqual([
      { id, name: 'matrix-commander', device_id, created_at, ...never, usable: true },
    ]);
    expect(await it.events()).toContain('device_password.created');
    expect((await it.ask('GET', API, it.eve)).json).toEqual({ device_passwords: [] });
  });

  test('attack 219: a part of the proof makes none, and nothing is left at the homeserver', async () => {
    const it = await BotApp.start(start);
    const before = it.app.stub.liveTokens('bob');
    const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: BOB } };
    expect((await it.ask('POST', API, it.phone, {})).status).toBe(400);
    const tries = [
      { name: 'bot' },
      { name: 'bot', auth: { ...auth, password: PASSWORD } },
      { name: 'bot', auth: { ...auth, password: `${PASSWORD} ${it.app.wrongCode(it.bob)}` } },
      { name: 'bot', auth: { ...auth, password: `wrong ${it.freshCode()}` } },
      { name: 'bot', auth: { type: 'm.login.2fa.totp', token: it.freshCode() } },
    ];
    for (const body of tries) expect((await it.ask('POST', API, it.phone, body)).status).toBe(401);
    expect((await it.ask('POST', API, it.eve, { name: 'bot' })).status).toBe(403);
    expect((await it.ask('POST', API, undefined, { name: 'bot' })).status).toBe(401);
    expect(await it.list()).toEqual([]);
    expect(it.app.stub.liveTokens('bob')).toEqual(before);
  });

  test('attack 219: a session that is replayed ten times at once makes one', async () => {
    const it = await BotApp.start(start);
    const another = await it.app.startAnother();
    const { session } = (await it.ask('POST', API, it.phone, { name: 'bot' })).json;
    const code = { type: 'm.login.2fa.totp', session: session as string, token: it.freshCode() };
    await it.ask('POST', API, it.phone, { name: 'bot', auth: code });
    const password = { type: 'm.login.password', session: session as string, password: PASSWORD };
    const json = { name: 'bot', auth: { ...password, identifier: { type: 'm.id.user', user: BOB } } };
    const ten = Array.from({ length: 10 }, (_, at) =>
      (at % 2 === 0 ? it.app : another).call({ method: 'POST', target: API, token: it.phone, json }),
    );
    const statuses = (await Promise.all(ten)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(await it.list()).toHaveLength(1);
    expect(it.app.stub.liveTokens('bob')).toHaveLength(2);
  });

  test('attack 220: there are never more than the maximum, also of those that are made at once', async () => {
    const it = await BotApp.start(start, { config: 'device_passwords: { max_per_user: 2 }' });
    await it.make();
    const codes = [it.bob.recoveryCodes[0], it.bob.recoveryCodes[1], it.freshCode()] as string[];
    const made = await Promise.all(codes.map((code, at) => it.askToMake(`bot ${at}`, code)));
    expect(made.map(({ status }) => status).sort()).toEqual([200, 403, 403]);
    expect(await it.list()).toHaveLength(2);
    await it.app.proxy.keepHouse();
    expect(it.app.stub.liveTokens('bob')).toHaveLength(3);
    const { status, json } = await it.ask('POST', API, it.phone, { name: 'bot' });
    expect([status, json.errcode, json.flows]).toEqual([403, 'M_FORBIDDEN', undefined]);
  });

  test('a homeserver that asks to wait leaves what was proven', async () => {
    const it = await BotApp.start(start);
    const { session } = (await it.ask('POST', API, it.phone, { name: 'bot' })).json;
    const code = { type: 'm.login.2fa.totp', session: session as string, token: it.freshCode() };
    await it.ask('POST', API, it.phone, { name: 'bot', auth: code });
    it.app.stub.failNext('/login', { status: 429, body: { errcode: 'M_LIMIT_EXCEEDED', error: 'x' } });
    const identifier = { type: 'm.id.user', user: BOB };
    const auth = { type: 'm.login.password', session: session as string, identifier, password: PASSWORD };
    expect((await it.ask('POST', API, it.phone, { name: 'bot', auth })).status).toBe(429);
    expect((await it.ask('POST', API, it.phone, { auth })).status).toBe(200);
  });

  test('attack 226: a login of another user is logged out, and answered 502', async () => {
    const it = await BotApp.start(start);
    const mallory = it.app.stub.signIn('eve').token;
    const body = { user_id: '@eve:localhost', device_id: 'OTHER', access_token: mallory };
    it.app.stub.failNext('/login', { status: 200, body });
    expect((await it.askToMake('bot')).status).toBe(502);
    expect(it.app.stub.isLive(mallory)).toBe(false);
    expect(await it.list()).toEqual([]);
  });

  test('are made by none, and open nothing, where the operator turns them off or forbids them', async () => {
    const off = await BotApp.start(start, { config: 'device_passwords: { enabled: false }' });
    for (const [method, path] of [
      ['GET', API],
      ['POST', API],
      ['PUT', `${API}/x`],
      ['DELETE', `${API}/x`],
    ] as const) {
      const body = method === 'GET' ? undefined : { name: 'bot' };
      const { status, json } = await off.ask(method, path, off.phone, body);
      expect([status, json.errcode]).toEqual([404, 'M_UNRECOGNIZED']);
    }
    const forbidden = await BotApp.start(start, { config: 'policy: { device_passwords: forbidden }' });
    expect((await forbidden.ask('POST', API, forbidden.phone, { name: 'bot' })).status).toBe(403);
    const policy = '/_matrix/client/unstable/org.matrix.2fa/policy';
    for (const it of [off, forbidden]) {
      expect((await it.ask('GET', policy, it.phone)).json.device_passwords).toBe('forbidden');
    }
  });
});
