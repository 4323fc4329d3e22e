import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { LOGIN, passwordLogin, startApp, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { call, type HttpAnswer, type HttpCall, rawExchange } from '../support/http.ts';
import { DISGUISED, HOST, ROWS } from './targets.ts';
import { hasWebServer, type RunningWebServer, SERVERS, startWebServer, TOPOLOGIES } from './web_server.ts';

/** Longer than the minute after which web servers end what is silent, if they are not told otherwise. */
const SILENT_MS = 75_000;
const V3 = '/_matrix/client/v3';
const SYNC = `${V3}/sync?timeout=75000`;
const UPLOAD_BYTES = 100 * 1024 * 1024;
const PASSWORD = 'pw';

const FRONTS = SERVERS.filter(hasWebServer).flatMap((server) =>
  TOPOLOGIES.map((topology) => ({ name: `${server}, ${topology}`, server, topology })),
);
const suite = FRONTS.length > 0 ? describe : describe.skip;

interface Front {
  readonly name: string;
  readonly web: RunningWebServer;
}

/** All at once, so that the long silence is waited for once. */
suite('the shipped configurations before the real proxy', () => {
  let app: TestApp;
  let fronts: Front[];
  let bob: Enrolled;
  let token: string;
  /** The answers to the long `/sync`, which begin before the first test. */
  let silent: Promise<HttpAnswer>[];

  beforeAll(async () => {
    app = await startApp({
      users: [{ name: 'bob', password: PASSWORD }],
      config: `trusted_proxies: [127.0.0.1]
limits: { per_address: { per_second: 10000, burst_count: 100000 } }`,
    });
    bob = await app.enrol('bob');
    ({ token } = app.stub.signIn('bob'));
    const [proxy = 0, homeserver = 0] = [app.url, app.stub.url].map((url) => Number(new URL(url).port));
    fronts = await Promise.all(
      FRONTS.map(async ({ name, server, topology }) => ({
        name,
        web: await startWebServer(server, topology, { proxy, homeserver }),
      })),
    );
    app.stub.override('timeout=75000', async () => {
      await delay(SILENT_MS);
      return { status: 200, body: { next_batch: 'late' } };
    });
    silent = fronts.map(({ web }) => call(web.clients, { target: SYNC, token, headers: HOST }));
    await Promise.all(fronts.map(({ web }) => ask(web, { target: `${V3}/login` })));
  });
  afterAll(async () => {
    await Promise.allSettled(silent);
    await Promise.all(fronts.map(({ web }) => web.stop()));
    await app.stop();
  });
  beforeEach(() => app.stub.clear());

  function ask(web: RunningWebServer, what: HttpCall): Promise<HttpAnswer> {
    return call(web.clients, { ...what, headers: { ...HOST, ...what.headers } });
  }

  /** Behind each web server; the failures are named by it. */
  async function everywhere(check: (web: RunningWebServer) => Promise<void>): Promise<void> {
    const ended = await Promise.allSettled(fronts.map(({ web }) => check(web)));
    const failed = ended.map((each, at) =>
      each.status === 'rejected' ? [fronts[at]?.name, each.reason] : [],
    );
    expect(failed.flat()).toEqual([]);
  }

  /** A login with the right password of a user with 2FA that gave nothing away. */
  async function expectNoLogin(web: RunningWebServer, target: string, statuses: number[]): Promise<void> {
    const answer = await ask(web, { target, json: passwordLogin('bob', PASSWORD) });
    expect({ target, status: answer.status }).toEqual({ target, status: expect.anything() });
    expect(statuses.map((status) => [target, status])).toContainEqual([target, answer.status]);
    expect(answer.text).not.toContain('access_token');
  }

  test('a user with 2FA signs in with a code', async () => {
    // One after the other: a code counts once.
    for (const [at, { web }] of fronts.entries()) {
      app.clock.advance(at === 0 ? 0 : 30_000);
      const json = passwordLogin('bob', `${PASSWORD}${app.code(bob)}`);
      expect(await ask(web, { target: LOGIN, json })).toMatchObject({
        status: 200,
        json: { access_token: expect.any(String) },
      });
    }
  });

  test('every row of the route table answers as it does without a web server', async () => {
    for (const { method, target } of ROWS) {
      const what = { method, target, ...(method === 'GET' ? {} : { json: {} }) };
      const { status, json } = await app.call(what);
      await everywhere(async (web) => {
        const answer = await ask(web, what);
        expect([target, answer.status, answer.json.errcode]).toEqual([target, status, json.errcode]);
      });
    }
  });

  test('every guarded row asks for a code, and nothing is asked upstream', async () => {
    // A first upload of signing keys asks for nothing; login tokens are among attacks 4 to 7.
    const guarded = ROWS.filter(
      ({ isGuarded, target }) => isGuarded && !/device_signing|login\//.test(target),
    );
    expect(guarded.length).toBeGreaterThan(10);
    for (const { method, target } of guarded) {
      await everywhere(async (web) => {
        const answer = await ask(web, { method, target, token, json: bodyFor(target) });
        expect([target, answer.status]).toEqual([target, 401]);
        expect(answer.json).toMatchObject({ session: expect.any(String), flows: expect.any(Array) });
      });
    }
    expect(app.stub.requestsBesideLookups()).toEqual([]);
  });

  test('attack 1: the right password alone is not enough, under any prefix', async () => {
    await everywhere(async (web) => {
      for (const prefix of ['api/v1', 'r0', 'v3', 'unstable']) {
        await expectNoLogin(web, `/_matrix/client/${prefix}/login`, [401]);
      }
    });
  });

  test('attacks 2 and 11: nor under another spelling or version', async () => {
    await everywhere(async (web) => {
      for (const target of [...DISGUISED, `${V3}/login#x`, '/_matrix/client/r0/unstable/login']) {
        await expectNoLogin(web, target, [400, 401, 404, 405]);
      }
    });
    expect(app.stub.requestsTo('login').every(({ target }) => target === LOGIN)).toBe(true);
  });

  test('attack 3: targets in absolute form, CONNECT and OPTIONS *', async () => {
    const json = JSON.stringify(passwordLogin('bob', PASSWORD));
    const body = `Content-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`;
    await everywhere(async (web) => {
      for (const line of [`POST http://evil${LOGIN}`, 'CONNECT evil:443', 'OPTIONS *']) {
        const said = await rawExchange(
          web.clients,
          `${line} HTTP/1.1\r\nHost: matrix.example.org\r\n${body}`,
        );
        expect(said).not.toContain('access_token');
        // Caddy has an empty 200 for a name that it does not serve, and for `OPTIONS *`.
        expect(said).toMatch(/^HTTP\/1\.1 (?:[45]|2[\s\S]*\r\n\r\n$)/);
      }
    });
    expect(app.stub.liveTokens('bob')).toContain(token);
  });

  test('attacks 4 to 7: guarded endpoints in other spellings and under other prefixes', async () => {
    const { deviceId } = app.stub.signIn('bob');
    const challenged: [string, string, object][] = [
      ['DELETE', `${V3}/devices/%41BC`, {}],
      ['POST', '/_matrix/client/unstable/account/password', { new_password: 'new' }],
      ['POST', '/_matrix/client/unstable/account/deactivate', {}],
      ['POST', '/_matrix/client/v1/login/get_token', {}],
      ['POST', '/_matrix/client/unstable/org.matrix.msc3882/login/token', {}],
    ];
    const absent = ['FOO', '/', '%20', '/x', ';x', '%2fx'].map((tail) => `${V3}/delete_devices${tail}`);
    await everywhere(async (web) => {
      for (const [method, target, json] of challenged) {
        const answer = await ask(web, { method, target, token, json: { ...json } });
        expect([target, answer.status]).toEqual([target, 401]);
      }
      for (const target of absent) {
        const answer = await ask(web, { target, token, json: { devices: [deviceId] } });
        expect([400, 401, 404]).toContain(answer.status);
      }
    });
    expect(app.stub.devicesOf('bob').map((device) => device.deviceId)).toContain(deviceId);
    expect(app.stub.requestsBesideLookups()).toEqual([]);
  });

  test('attacks 8 and 9: pages and OAuth of homeservers are not there', async () => {
    const targets = [
      '/_tuwunel/oidc/native',
      '/_continuwuity/account/login',
      '/_%63ontinuwuity/oauth2/token',
      '/_synapse/admin/v1/users/@v:hs/login',
      '/_%73ynapse/admin/v1/users',
      '/_synapse/client/../admin/v1/users',
      '/_synapse/client/%2e%2e/admin/v1/users',
      '/_synapse/mas/x',
      '/_dendrite/admin/x',
      '//_dendrite/admin/x',
      '/_matrix/client/v1/auth_metadata',
      '/_matrix/client/unstable/org.matrix.msc2965/auth_issuer',
      '/.well-known/openid-configuration',
    ];
    await everywhere(async (web) => {
      for (const target of targets) {
        const { status } = await ask(web, { method: 'POST', target, json: {} });
        expect([400, 404, 405]).toContain(status);
        expect([400, 404]).toContain((await ask(web, { target })).status);
      }
    });
    expect(app.stub.requests).toEqual([]);
  });

  test('attack 10: other methods on gated paths change nothing', async () => {
    const headers = { 'x-http-method-override': 'POST', 'x-method-override': 'POST' };
    await everywhere(async (web) => {
      for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE']) {
        const target = `${V3}/account/password`;
        const { status } = await ask(web, { method, target, token, headers });
        expect([method, status]).toEqual([method, 405]);
      }
    });
    expect(app.stub.requestsBesideLookups()).toEqual([]);
    expect(app.stub.passwordOf('bob')).toBe(PASSWORD);
  });

  test('attack 24: ambiguous framing brings no request that was not sent', async () => {
    const framings = [
      ['Content-Length: 5', 'Transfer-Encoding: chunked'],
      ['Content-Length: 5', 'Content-Length: 6'],
      ['Transfer-Encoding: xchunked'],
      ['Transfer-Encoding: chunked, identity'],
      ['Content-Length : 5'],
      ['X-A: 1\r\n Content-Length: 5'],
    ];
    const hidden = `DELETE ${V3}/hidden HTTP/1.1\r\nHost: matrix.example.org\r\n\r\n`;
    await everywhere(async (web) => {
      for (const framing of framings) {
        const head = [`POST ${LOGIN} HTTP/1.1`, 'Host: matrix.example.org', ...framing, '', ''];
        const said = await rawExchange(web.clients, `${head.join('\r\n')}0\r\n\r\n${hidden}`).catch(() => '');
        expect([framing, said.split('\r\n')[0]]).toEqual([
          framing,
          expect.stringMatching(/^(?:HTTP\/1\.1 [45].*)?$/),
        ]);
        for (let times = 0; times < 3; times++) {
          const { json } = await ask(web, { target: '/_matrix/client/versions' });
          expect(json).toHaveProperty('versions');
        }
      }
    });
    expect(app.stub.requestsTo('login')).toEqual([]);
  });

  test('attack 97: odd transport has an answer, and the next client has its own', async () => {
    const plain = 'Host: matrix.example.org\r\n';
    const versions = `GET /_matrix/client/versions HTTP/1.1\r\n${plain}`;
    const upgrade = 'Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n';
    const trailer = `0\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    const chunked = `POST ${V3}/account/password HTTP/1.1\r\n${plain}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
    await everywhere(async (web) => {
      expect(await rawExchange(web.clients, `${versions}${upgrade}\r\n`)).toMatch(/^HTTP\/1\.1 [24]/);
      await rawExchange(web.clients, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n').catch(() => '');
      const trailed = await rawExchange(web.clients, `${chunked}2\r\n{}\r\n${trailer}`);
      expect(trailed).toMatch(/^HTTP\/1\.1 4/);
      expect(trailed).not.toContain('flows');
      const large = await ask(web, { target: LOGIN, headers: { 'x-large': 'x'.repeat(20_000) } });
      expect([400, 431]).toContain(large.status);
      const json = JSON.stringify(passwordLogin('bob', PASSWORD));
      const expected = await ask(web, {
        target: LOGIN,
        body: json,
        headers: { 'content-type': 'application/json', expect: '100-continue' },
        method: 'POST',
      });
      expect(expected.status).toBe(401);
      expect((await ask(web, { target: '/_matrix/client/versions' })).status).toBe(200);
    });
  });

  test('a forged X-Forwarded-For is not believed', async () => {
    const headers = { 'x-forwarded-for': '198.51.100.7', 'x-forwarded-proto': 'http' };
    for (const { name, web } of fronts) {
      app.stub.clear();
      await ask(web, { target: `${V3}/account/whoami`, token, headers });
      await ask(web, { target: '/_matrix/media/v3/download/localhost/x', token, headers });
      const seen = app.stub.requests.map((request) => request.headers['x-forwarded-for']);
      expect([name, ...seen]).toEqual([name, '127.0.0.1', '127.0.0.1']);
    }
  });

  test('uploads of 100 MB arrive', async () => {
    const body = Buffer.alloc(UPLOAD_BYTES);
    for (const { name, web } of fronts) {
      app.stub.clear();
      const { status } = await ask(web, { target: '/_matrix/media/v3/upload', token, body });
      expect([name, status, app.stub.requests[0]?.bodyLength]).toEqual([name, 200, UPLOAD_BYTES]);
    }
  });

  test('a client waits for more than a minute, as /sync does', async () => {
    for (const answer of await Promise.all(silent)) {
      expect(answer).toMatchObject({ status: 200, json: { next_batch: 'late' } });
    }
  });
});

/** Enough for a guarded request to be one. */
function bodyFor(target: string): JsonObject {
  if (target.endsWith('delete_devices')) return { devices: ['ABC'] };
  if (target.endsWith('account/password')) return { new_password: 'new' };
  if (target.endsWith('3pid/add')) return { client_secret: 's', sid: '1' };
  if (target.endsWith('3pid')) return { three_pid_creds: { client_secret: 's', sid: '1' } };
  if (/3pid\/(?:delete|unbind)$/.test(target)) return { medium: 'email', address: 'a@example.org' };
  return {};
}
