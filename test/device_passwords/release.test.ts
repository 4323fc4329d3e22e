import { expect, test } from '@jest/globals';
import { removingAllFactors } from '../../src/storage/tables/factor_changes.ts';
import { loginsOf } from '../login/support.ts';
import { registerApp, requestOf } from '../oauth/asking.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { call } from '../support/http.ts';
import { plainOf, Visitor } from '../support/visitor.ts';
import { API, BOB, BotApp, expectRefused, PASSWORD, REFUSED } from './bot.ts';

const WHOAMI = 'GET /_matrix/client/v3/account/whoami';
const CLIENT = '/_matrix/client';

const EVE = '@eve:localhost';
/** Where a password can be typed. */
const PAGES = [
  '/_2fa/account',
  `/_2fa/login?redirectUrl=${encodeURIComponent('https://client.example.org/')}`,
  '/_2fa/recover',
];

const MINUTE = 60_000;
/** Fewer than an address may try at once. */
const AT_ONCE = 50;

const OWN_TOKEN = 'token_of_our_registration';
/** With a registration of the proxy as an application service. */
const REGISTERED = {
  ownToken: OWN_TOKEN,
  applicationServices: [{ token: OWN_TOKEN, senderLocalpart: 'two-factor', prefix: '' }],
};

/** What the homeserver grants from now on lives for a minute. */
function letLoginsExpire({ app }: BotApp): void {
  app.stub.override(/\/login$/, async (_exchange, next) => {
    const answer = await next();
    if (typeof answer !== 'object' || !('body' in answer) || answer.status !== 200) return answer;
    return { ...answer, body: { ...(answer.body as object), expires_in_ms: 60_000 } } as never;
  });
}

async function uploadKeys({ app }: BotApp, token: string, deviceId: string): Promise<void> {
  const json = { device_keys: { keys: { [`ed25519:${deviceId}`]: 'key' } } };
  await call(app.stub.url, { target: '/_matrix/client/v3/keys/upload', token, json });
}

describeOnBothDatabases('a sign-in with a device password', (start) => {
  test('hands out its own login, the same every time and under every prefix, in one question upstream', async () => {
    const it = await BotApp.start(start);
    const made = await it.make();
    it.app.stub.clear();
    const asked = { device_id: 'ANOTHER', initial_device_display_name: 'x', refresh_token: true };
    const first = await it.signIn(made.password, asked);
    expect([first.status, Object.keys(first.json).sort()]).toEqual([
      200,
      ['access_token', 'device_id', 'user_id', 'well_known'],
    ]);
    expect(first.json).toMatchObject({
      user_id: BOB,
      device_id: made.deviceId,
      well_known: { 'm.homeserver': { base_url: 'https://matrix.example.org' } },
    });
    for (const prefix of ['r0', 'v1', 'api/v1', 'unstable']) {
      const target = `${CLIENT}/${prefix}/login`;
      const again = await it.app.post(target, passwordLogin(BOB, made.password));
      expect(again.json).toEqual(first.json);
    }
    expect(new Set(it.upstream())).toEqual(new Set([WHOAMI]));
    expect((await it.list())[0]).toMatchObject({ last_used_address: '127.0.0.1', usable: true });
  });

  test('puts the first use on record, and then one an hour; owners are told of the first', async () => {
    const it = await BotApp.start(start);
    const made = await it.make();
    for (let turn = 0; turn < 3; turn++) await it.signIn(made.password);
    it.app.clock.advance(61 * 60_000);
    for (let turn = 0; turn < 3; turn++) await it.signIn(made.password);
    const events = (await it.events()).filter((event) => event.startsWith('device_password'));
    expect(events).toEqual(['device_password.used', 'device_password.first_used', 'device_password.created']);
  });

  test('attack 221: wrong, revoked and expired ones get the same bytes, and nothing goes upstream', async () => {
    const it = await BotApp.start(start);
    const [made, revoked] = [await it.make(), await it.make('old')];
    await it.revoke(revoked);
    await it.app.proxy.keepHouse();
    it.app.stub.clear();
    const wrong = `m2dp-${'0000-'.repeat(7)}0000`;
    expectRefused(await it.signIn(wrong));
    expectRefused(await it.signIn(revoked.password));
    // As many as the address may try, and again once it may: each of them is looked at.
    for (let tried = 0; tried < 1000; tried += AT_ONCE) {
      it.app.clock.advance(MINUTE);
      const tries = Array.from({ length: AT_ONCE }, () => it.app.post(LOGIN, passwordLogin('bob', wrong)));
      const statuses = (await Promise.all(tries)).map(({ status }) => status);
      expect(new Set(statuses)).toEqual(new Set([403]));
    }
    it.app.clock.advance(MINUTE);
    expect(it.upstream()).toEqual([]);
    expect((await it.signIn(made.password)).status).toBe(200);
    const code = it.freshCode();
    const owner = await it.app.post(LOGIN, passwordLogin('bob', `${PASSWORD} ${code}`));
    expect(owner.status).toBe(200);
  });

  test('attack 221: one whose login has expired is refused without a question', async () => {
    const it = await BotApp.start(start);
    letLoginsExpire(it);
    const made = await it.make();
    const { json } = await it.signIn(made.password);
    expect(json.expires_in_ms).toBeLessThanOrEqual(60_000);
    expect(json.expires_in_ms).toBeGreaterThan(0);
    it.app.clock.advance(61_000);
    it.app.stub.clear();
    expectRefused(await it.signIn(made.password));
    expect(it.upstream()).toEqual([]);
    expect((await it.list())[0]).toMatchObject({ usable: false, expires_at: expect.any(Number) });
  });

  test('one whose login has expired gets a new one to its device by our registration, and keeps its keys', async () => {
    const it = await BotApp.start(start, REGISTERED);
    letLoginsExpire(it);
    const made = await it.make();
    const first = await it.signIn(made.password);
    await uploadKeys(it, String(first.json.access_token), made.deviceId);
    it.app.clock.advance(61_000);
    expect((await it.list())[0]).toMatchObject({ usable: true });
    const second = await it.signIn(made.password);
    expect(second.json).toMatchObject({ user_id: BOB, device_id: made.deviceId });
    expect(second.json.access_token).not.toBe(first.json.access_token);
    expect((await it.signIn(made.password)).json.access_token).toBe(second.json.access_token);
    const device = it.app.stub.devicesOf('bob').find(({ deviceId }) => deviceId === made.deviceId);
    expect(device?.deviceKeys).toBeTruthy();
    expect((await it.events()).filter((event) => event === 'appservice.own_login')).toHaveLength(1);
  });

  test.each([
    ['renewed', REGISTERED],
    ['refused, and stays', {}],
  ])(
    'one whose token has expired by the word of the homeserver before our clock says so is %s',
    async (_what, options) => {
      const it = await BotApp.start(start, options);
      letLoginsExpire(it);
      const made = await it.make();
      const { json } = await it.signIn(made.password);
      const expired = it.app.stub.state.tokens.get(String(json.access_token));
      Object.assign(expired ?? {}, { expiresAt: it.app.clock.now() });
      const again = await it.signIn(made.password);
      if (options === REGISTERED) {
        expect(again.json).toMatchObject({ device_id: made.deviceId });
        expect(again.json.access_token).not.toBe(json.access_token);
        expect((await it.signIn(made.password)).json.access_token).toBe(again.json.access_token);
      } else expectRefused(again);
      expect(await it.list()).toMatchObject([{ id: made.id, usable: options === REGISTERED }]);
      expect(await it.events()).not.toContain('device_password.ended');
    },
  );

  test('attack 230: one whose token has expired and whose device is gone ends', async () => {
    const it = await BotApp.start(start, REGISTERED);
    letLoginsExpire(it);
    const made = await it.make();
    it.app.stub.state.user(BOB).devices.delete(made.deviceId);
    it.app.clock.advance(61_000);
    it.app.stub.clear();
    expectRefused(await it.signIn(made.password));
    expect(it.upstream().filter((each) => each.endsWith('/login'))).toEqual([]);
    expect(await it.list()).toEqual([]);
  });

  test.each<[string, object]>([
    ['a web server', { status: 404, body: 'no such page', headers: { 'content-type': 'text/html' } }],
    ['a homeserver that does not know the question', { status: 404, body: { errcode: 'M_UNRECOGNIZED' } }],
  ])('a device that is gone only by the word of %s: the device password stays', async (_who, answer) => {
    const it = await BotApp.start(start, REGISTERED);
    letLoginsExpire(it);
    const made = await it.make();
    it.app.clock.advance(61_000);
    const restore = it.app.stub.override(/GET .*\/devices\//, () => answer as never);
    expectRefused(await it.signIn(made.password));
    restore();
    it.app.clock.advance(61_000);
    expect((await it.signIn(made.password)).json.device_id).toBe(made.deviceId);
  });

  test('one that has expired is renewed by one process; the others may come again', async () => {
    const it = await BotApp.start(start, REGISTERED);
    letLoginsExpire(it);
    const made = await it.make();
    const other = await it.app.startAnother();
    it.app.clock.advance(61_000);
    it.app.stub.clear();
    const login = passwordLogin('bob', made.password);
    const answers = await Promise.all([it.app, other, it.app, other].map((app) => app.post(LOGIN, login)));
    expect(it.upstream().filter((each) => each.endsWith('/login'))).toHaveLength(1);
    expect(answers.map(({ status }) => status)).toContain(200);
    for (const { status } of answers) expect([200, 429]).toContain(status);
  });

  test('attack 224: a revocation during a renewal: nothing is released, and the new login is logged out', async () => {
    const it = await BotApp.start(start, REGISTERED);
    letLoginsExpire(it);
    const made = await it.make();
    it.app.clock.advance(61_000);
    it.app.stub.override(/GET .*\/devices\//, async (_exchange, next) => {
      await it.revoke(made);
      return next();
    });
    expectRefused(await it.signIn(made.password));
    it.app.clock.advance(61_000);
    await it.app.proxy.keepHouse();
    expect(it.app.stub.liveTokens('bob')).toEqual([it.phone]);
  });

  test('attack 222: spellings are one secret; other lengths are ordinary passwords; a code behind it is refused', async () => {
    const it = await BotApp.start(start);
    const { password } = await it.make();
    const bare = password.replaceAll('-', '');
    const lookAlike = `m2dp${bare.slice(4).replaceAll('1', 'I').replaceAll('0', 'o')}`;
    for (const spelt of [bare, password.toUpperCase(), `  ${password.replaceAll('-', ' ')} `, lookAlike]) {
      expect((await it.signIn(spelt)).status).toBe(200);
    }
    it.app.stub.clear();
    for (const behind of [it.freshCode(), ` ${it.freshCode()}`, ` ${it.bob.recoveryCodes[0]}`]) {
      expectRefused(await it.signIn(password + behind));
    }
    expect(it.upstream()).toEqual([]);
    for (const ordinary of [bare.slice(0, -1), `${bare}x`, 'm2dp-my own words']) {
      expect((await it.signIn(ordinary)).status).toBe(403);
    }
    expect(it.upstream().filter((each) => each.endsWith('/login'))).toHaveLength(3);
  });

  test('attack 223: other names, none, two of them, another server and addresses are refused', async () => {
    const it = await BotApp.start(start);
    const { password } = await it.make();
    it.app.stub.clear();
    const type = 'm.login.password';
    const id = (user: string) => ({ type: 'm.id.user', user });
    const refused = [
      { identifier: id('eve') },
      { identifier: id('@bob:evil.example') },
      { user: 'eve', identifier: id('bob') },
      { user: 'bob', identifier: id('eve') },
      {},
      { identifier: id('') },
      { identifier: { type: 'm.id.thirdparty', medium: 'email', address: 'bob@example.org' } },
      { identifier: { ...id('bob'), address: 'bob@example.org' } },
      { identifier: { type: 'm.id.phone', country: 'GB', phone: '1' } },
    ];
    for (const names of refused) {
      expectRefused(await it.app.post(LOGIN, { type, password, ...names }));
    }
    expect(it.upstream()).toEqual([]);
    for (const names of [{ user: 'bob' }, { identifier: id('BOB') }, { identifier: id(BOB), user: '@Bob' }]) {
      expect((await it.app.post(LOGIN, { type, password, ...names })).status).toBe(200);
    }
    expect(await it.events()).toContain('device_password.refused');
  });

  test('attack 223: with a session it is refused, and joins nothing that is held', async () => {
    const it = await BotApp.start(start);
    const { password } = await it.make();
    const held = await it.app.post(LOGIN, passwordLogin('bob', PASSWORD));
    it.app.stub.clear();
    const auth = { type: 'm.login.2fa.totp', session: held.json.session, token: it.freshCode() };
    expectRefused(await it.app.post(LOGIN, { ...passwordLogin('bob', password), auth }));
    expect(it.upstream()).toEqual([]);
  });

  test('attack 225: as a password elsewhere it is wrong, and the homeserver never sees it', async () => {
    const it = await BotApp.start(start, { config: 'account_recovery: { enabled: true }' });
    const { password } = await it.make();
    // Its end looks like a recovery code: what stands before that is most of the secret.
    const bare = password.slice(5, -15).replaceAll('-', '');
    it.app.stub.clear();
    const code = it.freshCode();
    const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: BOB } };
    const devices = `${CLIENT}/v3/delete_devices`;
    const change = `${CLIENT}/v3/account/password`;
    const wrong = { ...auth, password: `${password} ${code}` };
    for (const typed of [wrong, { ...auth, password }]) {
      expect((await it.ask('POST', devices, it.phone, { devices: ['X'], auth: typed })).status).toBe(401);
    }
    expect((await it.ask('POST', API, it.phone, { name: 'more', auth: wrong })).status).toBe(401);
    const twoFactor = `${CLIENT}/v3/account/two-factor/totp`;
    expect((await it.ask('POST', twoFactor, it.phone, { name: 'x', auth: wrong })).status).toBe(401);
    // Of a user without 2FA, whose requests are relayed, and as the new password.
    const eves = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'eve' }, password };
    expect((await it.ask('POST', devices, it.eve, { devices: ['X'], auth: eves })).status).toBe(403);
    const renewed = { new_password: password, auth: { ...eves, password: 'eves password' } };
    expect((await it.ask('POST', change, it.eve, renewed)).status).toBe(403);
    const registered = { username: 'new', password, auth: { type: 'm.login.dummy' } };
    await it.app.post(`${CLIENT}/v3/register`, registered);
    for (const page of PAGES) {
      const visitor = new Visitor(it.app.url);
      await visitor.open(page);
      const told = await visitor.send({ user: 'bob', password });
      expect([told.status, told.text.includes('Incorrect username or password')]).toEqual([200, true]);
    }
    const sent = it.app.stub.requests.map(({ target, bytes }) => `${target} ${bytes}`);
    expect(sent.filter((each) => each.replaceAll('-', '').includes(bare))).toEqual([]);
    expect(it.app.stub.passwordOf('eve')).toBe('eves password');
  });

  test('attack 225: where an app asks for access it is an ordinary wrong password, and the homeserver never sees it', async () => {
    const it = await BotApp.start(start, { config: 'oauth: { enabled: true }' });
    const { password } = await it.make();
    const request = requestOf({ client_id: await registerApp(it.app) });
    const typed = async (user: string, given: string) => {
      it.app.stub.clear();
      const visitor = new Visitor(it.app.url);
      await visitor.open(request);
      const { status, text } = await visitor.send({ user, password: given });
      return { status, page: plainOf(text), logins: loginsOf(it.app).length };
    };
    const wrong = await typed('bob', 'wrong');
    expect(wrong).toMatchObject({ status: 200, logins: 1 });
    expect(wrong.page).toContain('Incorrect username or password');
    for (const given of [
      password,
      password.toUpperCase().replaceAll('-', ' '),
      `${password} ${it.freshCode()}`,
    ]) {
      expect(await typed('bob', given)).toEqual({ ...wrong, logins: 0 });
      expect(await typed('eve', given)).toEqual({ ...(await typed('eve', 'wrong')), logins: 0 });
    }
    expect((await typed('bob', PASSWORD)).page).toContain('one-time-code');
  });

  test('attack 226: the whoami of another user, of another device, an error or silence gives 502 and changes nothing', async () => {
    const it = await BotApp.start(start);
    const made = await it.make();
    const answers = [
      { status: 200, body: { user_id: '@eve:localhost', device_id: made.deviceId } },
      { status: 200, body: { user_id: BOB, device_id: 'BOBSPHONE' } },
      { status: 200, body: { user_id: BOB } },
      { status: 500, body: { errcode: 'M_UNKNOWN', error: 'x' } },
      { status: 403, body: { errcode: 'M_USER_LOCKED', error: 'x' } },
      { status: 429, body: { errcode: 'M_LIMIT_EXCEEDED', error: 'x' } },
    ];
    for (const answer of answers) {
      it.app.stub.failNext('/account/whoami', answer);
      expect((await it.signIn(made.password)).status).toBe(502);
    }
    await it.app.stub.setDown('refuse');
    expect((await it.signIn(made.password)).status).toBe(502);
    await it.app.stub.setDown(undefined);
    expect((await it.signIn(made.password)).status).toBe(200);
  });

  test('attack 228: a row with the token of another, or of another user, opens nothing', async () => {
    const it = await BotApp.start(start);
    const [one, other, given] = [await it.make(), await it.make('other'), await it.make('given')];
    const change = (sql: string, values: Record<string, string>) =>
      it.app.storage.commit([BOB], { does: 'effect', sql, values });
    await change(
      `UPDATE device_passwords SET sealed_token =
        (SELECT moved.sealed_token FROM device_passwords AS moved WHERE moved.id = :from) WHERE id = :to`,
      { from: other.id, to: one.id },
    );
    await change('UPDATE device_passwords SET user_id = :eve WHERE id = :id', { eve: EVE, id: given.id });
    expect((await it.signIn(one.password)).status).toBe(500);
    expect((await it.signIn(given.password, {}, 'eve')).status).not.toBe(200);
    expect((await it.signIn(other.password)).status).toBe(200);
  });

  test('attack 229: neither secret nor token is in the database, the log or any later answer', async () => {
    const lines: string[] = [];
    const note = (fields: object, text?: string) => void lines.push(JSON.stringify([fields, text]));
    const log = { debug: note, info: note, warn: note, error: note, fatal: note } as never;
    const it = await BotApp.start(start, { log });
    const made = await it.make();
    const { json } = await it.signIn(made.password);
    const wrong = await it.signIn(`${made.password} ${it.freshCode()}`);
    const rows = await it.app.storage.read<object>({
      does: 'ask',
      sql: 'SELECT * FROM device_passwords',
      values: {},
    });
    const audit = await it.app.storage.audit.list({ userId: BOB });
    const seen = JSON.stringify([rows, audit, lines, await it.list(), wrong.text, it.upstream()]);
    expect(seen).toContain(made.id);
    for (const secret of [made.password, made.password.slice(5).replaceAll('-', ''), json.access_token]) {
      expect(seen).not.toContain(secret);
    }
    expect(REFUSED).not.toContain(made.id);
  });

  test('it stays through 2FA that is off; a user who owes a set-up is told so', async () => {
    for (const [config, status] of [
      ['', 200],
      ['policy: { default: required, grace: 0s }', 403],
    ] as const) {
      const it = await BotApp.start(start, { config });
      const made = await it.make();
      await it.app.storage.commit([BOB], removingAllFactors(BOB));
      const answer = await it.signIn(made.password);
      expect(answer.status).toBe(status);
      if (status === 403) expect(answer.json.error).toMatch(/requires two-factor authentication/);
    }
  });
});
