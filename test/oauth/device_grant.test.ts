import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { readUserCode } from '../../src/oauth/user_code.ts';
import type { TestApp } from '../support/app.ts';
import { describeOnSharedDatabases } from '../support/both_databases.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { call, type HttpAnswer } from '../support/http.ts';
import { formsOf, Visitor } from '../support/visitor.ts';
import { registerApp } from './asking.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const SCOPE = 'urn:matrix:client:api:* urn:matrix:client:device:TELEVISION';
const LINK = '/_2fa/link';

describeOnSharedDatabases('the device grant', (start) => {
  let app: TestApp;
  let bob: Enrolled;
  let clientId: string;
  let visitor: Visitor;

  beforeAll(async () => {
    app = await start({
      users: [{ name: 'bob', password: 'bob password' }],
      config: 'oauth: { enabled: true }',
    });
    bob = await app.enrol('bob');
    clientId = await registerApp(app, {
      client_name: 'A television',
      grant_types: [GRANT, 'refresh_token'],
      redirect_uris: [],
    });
  });

  beforeEach(() => {
    visitor = new Visitor(app.url);
    app.clock.advance(11 * 60_000);
  });

  async function post(
    endpoint: string,
    fields: Record<string, string>,
  ): Promise<{ status: number; json: JsonObject }> {
    const { status, text } = await call(app.url, {
      method: 'POST',
      target: `/_2fa/oauth2/${endpoint}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
    });
    return { status, json: JSON.parse(text) as JsonObject };
  }

  async function begin(): Promise<{ deviceCode: string; userCode: string }> {
    const { status, json } = await post('device', { client_id: clientId, scope: SCOPE });
    expect(status).toBe(200);
    return { deviceCode: String(json.device_code), userCode: String(json.user_code) };
  }

  const poll = (deviceCode: string, client = clientId) =>
    post('token', { grant_type: GRANT, device_code: deviceCode, client_id: client });

  async function pollLater(deviceCode: string) {
    app.clock.advance(15_000);
    return poll(deviceCode);
  }

  async function typeCode(userCode: string): Promise<HttpAnswer> {
    await visitor.open(LINK);
    return visitor.send({ user_code: userCode });
  }

  async function toConsent(userCode: string): Promise<HttpAnswer> {
    await typeCode(userCode);
    await visitor.send({ user: 'bob', password: 'bob password' });
    app.clock.advance(30_000);
    return visitor.send({ code: app.code(bob) });
  }

  async function approvals(): Promise<number> {
    const entries = await app.storage.audit.list({ userId: bob.userId });
    return entries.filter(({ event }) => event === 'oauth.authorized').length;
  }

  test('the device asks, its user types the code and says yes, and the device gets its tokens once', async () => {
    const { status, json } = await post('device', { client_id: clientId, scope: SCOPE });
    expect(status).toBe(200);
    expect(json).toEqual({
      device_code: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: 'https://matrix.example.org/_2fa/link',
      expires_in: 600,
      interval: 5,
    });
    const deviceCode = String(json.device_code);
    const userCode = String(json.user_code);
    expect((await poll(deviceCode)).json.error).toBe('authorization_pending');
    const consent = await toConsent(userCode.toLowerCase().replace('-', ' '));
    expect(consent.text).toContain(userCode);
    expect(consent.text).toContain('<bdi>A television</bdi>');
    expect(consent.text).toContain('from <b>127.0.0.1</b>');
    expect(consent.text).toContain('Allow this only if you started it yourself, just now');
    expect(consent.text.match(/Allow this only if|Continue only if/g)).toHaveLength(1);
    const done = await visitor.send({ decision: 'allow' });
    expect(done.status).toBe(200);
    expect(done.text).toContain('Your device has access');
    const tokens = await pollLater(deviceCode);
    expect(tokens.status).toBe(200);
    expect(tokens.json).toMatchObject({ token_type: 'Bearer', scope: SCOPE });
    expect(app.stub.isLive(String(tokens.json.access_token))).toBe(true);
    expect((await pollLater(deviceCode)).json.error).toBe('invalid_grant');
  });

  test('a no is told to the device', async () => {
    const { deviceCode, userCode } = await begin();
    await toConsent(userCode);
    expect((await visitor.send({ decision: 'deny' })).text).toContain('Sign-in cancelled');
    expect((await pollLater(deviceCode)).json.error).toBe('access_denied');
  });

  test('who asks too soon waits longer; who does not know its code, or waited too long, begins again', async () => {
    const { deviceCode } = await begin();
    expect((await poll(deviceCode)).json.error).toBe('authorization_pending');
    expect((await poll(deviceCode)).json.error).toBe('slow_down');
    app.clock.advance(9_000);
    expect((await poll(deviceCode)).json.error).toBe('slow_down');
    app.clock.advance(15_000);
    expect((await poll(deviceCode)).json.error).toBe('authorization_pending');
    expect((await poll('x'.repeat(43))).json.error).toBe('expired_token');
    app.clock.advance(600_000);
    expect((await poll(deviceCode)).json.error).toBe('expired_token');
  });

  test('only an app that registered it, with a scope', async () => {
    const other = await registerApp(app);
    expect(await post('device', { client_id: other, scope: SCOPE })).toMatchObject({
      status: 400,
      json: { error: 'unauthorized_client' },
    });
    expect((await post('device', { client_id: 'nobody', scope: SCOPE })).json.error).toBe('invalid_client');
    expect((await post('device', { client_id: clientId })).json.error).toBe('invalid_scope');
  });

  describe('attack 314: a user code', () => {
    test('that is guessed: ten tries a minute at all processes together, and wrong, used and expired look alike', async () => {
      const { userCode } = await begin();
      await toConsent(userCode);
      await visitor.send({ decision: 'deny' });
      app.clock.advance(60_000);
      for (const wrong of [userCode, 'BBBB-BBBB', 'nonsense']) {
        visitor = new Visitor(app.url);
        const page = await typeCode(wrong);
        expect(visitor.led).toBe('/_2fa/link?wrong=1');
        expect(page.text).toContain('That code is incorrect');
        expect(page.text).not.toContain(wrong);
      }
      const another = await app.startAnother();
      visitor = new Visitor(another.url);
      for (let more = 0; more < 7; more += 1) await typeCode('BBBB-BBBB');
      const { userCode: right } = await begin();
      for (const { url } of [another, app]) {
        visitor = new Visitor(url);
        const limited = await typeCode(right);
        expect(limited.status).toBe(429);
        expect(limited.headers['retry-after']).toBe('6');
        expect(limited.text).toContain(`href="${LINK}">Try again</a>`);
      }
      await another.shutDown();
    });

    test('that comes with a link: it is not filled in, and no address takes the place of typing it', async () => {
      const { userCode } = await begin();
      const page = await visitor.open(`${LINK}?user_code=${userCode}`);
      expect(formsOf(page.text)[0]?.fields.user_code).toBe('');
      await typeCode(userCode);
      const address = visitor.led ?? '';
      expect(address).toMatch(/^\/_2fa\/link\?device=/);
      expect(decodeURIComponent(address)).not.toContain(userCode);
      const other = new Visitor(app.url);
      expect((await other.open(address)).status).toBe(410);
      await other.open(
        `/_2fa/login?redirectUrl=${encodeURIComponent(`https://matrix.example.org${address}`)}`,
      );
      const held = await other.send({ user: 'bob', password: 'bob password' });
      expect(held.status).toBe(410);
      expect(held.text).toContain('This device is no longer waiting');
    });

    test('that two approve at once, or one twice: the device gets in once', async () => {
      const { deviceCode, userCode } = await begin();
      const consent = await toConsent(userCode);
      const before = await approvals();
      const fields = { ...formsOf(consent.text)[0]?.fields, decision: 'allow' };
      const action = formsOf(consent.text)[0]?.action.replaceAll('&amp;', '&') ?? '';
      await Promise.all(Array.from({ length: 5 }, () => visitor.postOnly(fields, {}, action)));
      visitor = new Visitor(app.url);
      expect((await typeCode(userCode)).text).toContain('That code is incorrect');
      expect(await approvals()).toBe(before + 1);
      app.clock.advance(15_000);
      const polls = await Promise.all(Array.from({ length: 3 }, () => poll(deviceCode)));
      expect(polls.filter(({ status }) => status === 200)).toHaveLength(1);
    });
  });

  test('attack 315: the poll of another app', async () => {
    const { deviceCode, userCode } = await begin();
    const other = await registerApp(app, { client_name: 'Another', grant_types: [GRANT], redirect_uris: [] });
    expect((await poll(deviceCode, other)).json.error).toBe('expired_token');
    await toConsent(userCode);
    await visitor.send({ decision: 'allow' });
    expect((await poll(deviceCode, other)).json.error).toBe('expired_token');
    expect((await pollLater(deviceCode)).status).toBe(200);
  });

  test('attack 316: 20 wait from one address, no more', async () => {
    for (let count = 0; count < 20; count += 1) await begin();
    const full = await post('device', { client_id: clientId, scope: SCOPE });
    expect(full).toMatchObject({ status: 503, json: { error: 'temporarily_unavailable' } });
    app.clock.advance(600_000);
    await begin();
  });
});

describeOnSharedDatabases('where the device grant is off', (start) => {
  test('nothing of it is there', async () => {
    const app = await start({ users: [], config: 'oauth: { enabled: true, device_grant: false }' });
    const clientId = await registerApp(app, { grant_types: [GRANT] });
    expect((await call(app.url, { target: LINK })).status).toBe(404);
    const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    const device = await call(app.url, {
      ...form,
      target: '/_2fa/oauth2/device',
      body: `client_id=${clientId}`,
    });
    expect(device.status).toBe(404);
    const body = `grant_type=${encodeURIComponent(GRANT)}&device_code=x&client_id=${clientId}`;
    const token = await call(app.url, { ...form, target: '/_2fa/oauth2/token', body });
    expect(JSON.parse(token.text)).toMatchObject({ error: 'unsupported_grant_type' });
  });
});

test.each([
  ['BCDF-GHJK', 'BCDF-GHJK'],
  ['bcdfghjk', 'BCDF-GHJK'],
  [' bcdf – ghjk ', 'BCDF-GHJK'],
  ['BCDF-GHJ', undefined],
  ['ABCD-EFGH', undefined],
  ['BCDF-GHJK-', 'BCDF-GHJK'],
  ['-'.repeat(100_000), undefined],
])('%s is read as %s', (typed, code) => {
  expect(readUserCode(typed)).toBe(code);
});
