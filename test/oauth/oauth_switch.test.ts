import { afterEach, describe, expect, test } from '@jest/globals';
import type { HomeserverCall } from '../../src/homeserver/homeserver.ts';
import { OauthSwitch } from '../../src/oauth/oauth_switch.ts';
import { silentLog } from '../../src/system/log.ts';
import { type AppOptions, startApp, type TestApp } from '../support/app.ts';

const MINUTE = 60_000;
const METADATA = '/_matrix/client/v1/auth_metadata';

/** A status with the error of a homeserver, that of a page, which has none, or nothing. */
type Said = number | { readonly page: number } | undefined;
/** What is answered on the stable path and on the unstable one. */
type Says = readonly [Said, Said];

function switchBefore(enabled = true) {
  let says: Says = [404, 404];
  let ms = 0;
  let asked = 0;
  const lines: string[] = [];
  const call = async ({ path }: HomeserverCall) => {
    asked += 1;
    const said = says[path === METADATA ? 0 : 1];
    if (said === undefined) throw new Error('away');
    const [status, json] =
      typeof said === 'number' ? [said, { errcode: 'M_UNRECOGNIZED' }] : [said.page, undefined];
    return { status, headers: {}, bytes: Buffer.alloc(0), json };
  };
  const log = { ...silentLog, error: (_: object, text: string) => lines.push(text) };
  const door = new OauthSwitch({ homeserver: { call }, ticks: () => ms, log }, enabled);
  return {
    door,
    lines,
    asked: () => asked,
    after: async (passed: number, next: Says) => {
      ms += passed;
      says = next;
      await door.round();
      return door.state;
    },
  };
}

describe('attack 296: the homeserver has an OAuth of its own', () => {
  test.each<[string, Says, string]>([
    ['neither path', [404, 404], 'open'],
    ['405 on both', [405, 405], 'open'],
    ['the stable path', [200, 404], 'shut'],
    ['the unstable path', [404, 200], 'shut'],
    ['one, while the other fails', [undefined, 200], 'shut'],
    ['no answer', [undefined, undefined], 'unknown'],
    ['one answer', [404, undefined], 'unknown'],
    ["a proxy's pages", [{ page: 404 }, { page: 405 }], 'unknown'],
    ["a proxy's page for the one that it does not let through", [404, { page: 404 }], 'unknown'],
    ['an error', [404, 502], 'unknown'],
    ['a redirect', [302, 404], 'unknown'],
    ['a login that is asked for', [404, 401], 'unknown'],
  ])('%s', async (_, says, state) => {
    const { after, door } = switchBefore();
    expect(door.state).toBe('unknown');
    expect(await after(0, says)).toBe(state);
  });

  test('it is asked again after ten minutes; what it said last holds while it does not answer', async () => {
    const { after, asked, lines } = switchBefore();
    expect(await after(0, [undefined, 404])).toBe('unknown');
    expect(await after(1, [404, 404])).toBe('open');
    expect(await after(10 * MINUTE - 1, [200, 200])).toBe('open');
    expect(asked()).toBe(4);
    expect(await after(1, [undefined, 503])).toBe('open');
    expect(await after(1, [200, 200])).toBe('shut');
    expect(await after(10 * MINUTE, [200, 200])).toBe('shut');
    expect(lines).toHaveLength(1);
    expect(await after(10 * MINUTE, [404, 404])).toBe('open');
  });

  test('it is not asked while the door is off', async () => {
    const { after, asked } = switchBefore(false);
    expect(await after(0, [404, 404])).toBe('off');
    expect(asked()).toBe(0);
  });
});

describe('the paths of the OAuth 2.0 API', () => {
  let app: TestApp;
  let other: TestApp | undefined;

  afterEach(async () => {
    await other?.stop();
    await app.stop();
  });

  const PATHS = [
    METADATA,
    '/_matrix/client/unstable/org.matrix.msc2965/auth_metadata',
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration',
    ...['register', 'authorize', 'token', 'revoke', 'device', 'jwks'].map((name) => `/_2fa/oauth2/${name}`),
    '/_2fa/link',
  ];
  const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

  /** What a client sees of each path by each method. */
  async function seen({ call }: Pick<TestApp, 'call'>): Promise<Record<string, unknown>> {
    const answers: Record<string, unknown> = {};
    for (const target of PATHS) {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS']) {
        const sent = method === 'POST' ? { body: 'x=y', headers: FORM } : {};
        const { status, json, headers } = await call({ method, target, ...sent });
        const { date: _, 'x-request-id': __, ...others } = headers;
        answers[`${method} ${target}`] = { status, json, headers: others };
      }
      const { status, text } = await call({ target, headers: { accept: 'text/html' } });
      answers[`page ${target}`] = [status, text.includes('<html')];
    }
    return answers;
  }

  const open = async (options: AppOptions) => {
    app = await startApp({ users: [{ name: 'alice', password: 'pw' }], ...options });
    return app;
  };

  test('attack 298: while off, and while shut, they answer as if there were none', async () => {
    await open({});
    const off = await seen({ call: (what) => app.call(what) });
    for (const target of PATHS) {
      for (const method of ['GET', 'POST']) {
        const expected = { status: 404, json: { errcode: 'M_UNRECOGNIZED', error: expect.any(String) } };
        expect(off[`${method} ${target}`]).toMatchObject(expected);
      }
      // What is refused below /_matrix/ has always answered a preflight; what is not there has not.
      const preflight = target.startsWith('/_matrix/') ? 200 : 404;
      expect(off[`OPTIONS ${target}`]).toMatchObject({ status: preflight });
      expect(off[`page ${target}`]).toEqual([404, target.startsWith('/_2fa/')]);
    }
    other = await startApp({ oauth: true, config: 'oauth: { enabled: true }' });
    const shut = other;
    expect(await seen({ call: (what) => shut.call(what) })).toEqual(off);
  });

  test('attack 297: while it is not known whether the homeserver has them, they are 503', async () => {
    await open({ config: 'oauth: { enabled: true }' });
    await app.shutDown();
    const answering = app.stub.override(METADATA, () => ({ status: 502, body: {} }));
    await app.start();
    for (const target of [METADATA, '/_2fa/oauth2/jwks']) {
      const { status, json, headers } = await app.call({ target });
      expect([status, json.errcode, headers['cache-control']]).toEqual([503, 'M_UNKNOWN', 'no-store']);
    }
    answering();
    await app.proxy.keepHouse();
    expect((await app.call({ target: METADATA })).status).toBe(200);
  });

  test('while open, single sign-on is preferred, unless the operator says otherwise', async () => {
    const preferred = async ({ call }: Pick<TestApp, 'call'>) =>
      JSON.stringify((await call({ target: '/_matrix/client/v3/login' })).json).includes(
        'oauth_aware_preferred',
      );
    await open({ config: 'oauth: { enabled: true }' });
    expect(await preferred({ call: (what) => app.call(what) })).toBe(true);
    other = await startApp({
      users: [{ name: 'alice', password: 'pw' }],
      config: 'oauth: { enabled: true }\nsso: { preferred: false }',
    });
    const told = other;
    expect(await preferred({ call: (what) => told.call(what) })).toBe(false);
    other.stub.switches.oauth = true;
    await other.shutDown();
  });
});
