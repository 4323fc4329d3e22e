import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import type { StubAnswer } from '../support/stub/exchange.ts';
import { app, bob, start } from './each_test.ts';
import { arrivals, PASSWORD, post, signIn, submit } from './support.ts';

/** The homeserver grants a login to `name` in an answer of the test's own making. */
function grantAs(name: string, shape: (body: JsonObject) => Partial<StubAnswer>): void {
  app.stub.override(/POST .*\/login(\?.*)?$/, () => {
    const { token, deviceId, userId } = app.stub.signIn(name);
    const body: JsonObject = { user_id: userId, access_token: token, device_id: deviceId };
    return { status: 200, body, ...shape(body) };
  });
}

const asJson = { 'content-type': 'application/json' };

describe('attack 33: an answer that is not a plain 200', () => {
  const shapes: readonly (readonly [string, (body: JsonObject) => Partial<StubAnswer>])[] = [
    ['201', () => ({ status: 201 })],
    ['202', () => ({ status: 202 })],
    ['a redirect', () => ({ status: 302, headers: { location: 'https://evil.example' } })],
    ['text/html', (body) => ({ body: JSON.stringify(body), headers: { 'content-type': 'text/html' } })],
    ['no content type', (body) => ({ body: JSON.stringify(body) })],
    [
      'gzip',
      (body) => ({
        body: gzipSync(JSON.stringify(body)),
        headers: { ...asJson, 'content-encoding': 'gzip' },
      }),
    ],
    ['a nested token', (body) => ({ body: { result: body } })],
    [
      'a token in another case',
      ({ access_token, ...rest }) => ({ body: { ...rest, Access_Token: access_token ?? '' } }),
    ],
    ['a token that is a list', (body) => ({ body: { ...body, access_token: [String(body.access_token)] } })],
    ['an empty user id', (body) => ({ body: { ...body, user_id: '' } })],
    ['a user id that is none', (body) => ({ body: { ...body, user_id: 'bob' } })],
    ['a user id that is a list', (body) => ({ body: { ...body, user_id: ['@bob:localhost'] } })],
    ['a list', (body) => ({ body: JSON.stringify([body]), headers: asJson })],
    ['two objects', (body) => ({ body: `${JSON.stringify(body)}{}`, headers: asJson })],
    ['a byte order mark', (body) => ({ body: `\ufeff${JSON.stringify(body)}`, headers: asJson })],
    ['2 MiB', (body) => ({ body: { ...body, x: 'x'.repeat(2 * 1024 * 1024) } })],
  ];

  test.each(shapes)('attack 33: %s reaches no one, with 2FA or without', async (_what, shape) => {
    await start();
    for (const name of ['bob', 'alice']) {
      grantAs(name, shape);
      const answer = await signIn(app, name);
      expect(answer.status).toBe(502);
      expect(answer.body.errcode).toBe('M_UNKNOWN');
      expect(answer.text).not.toContain('stub_');
    }
  });

  test.each([400, 401, 403, 404, 409, 429, 500, 503])(
    'attack 33: a token in an answer %i does not get out',
    async (status) => {
      await start();
      grantAs('bob', (body) => ({ status, body: { errcode: 'M_FORBIDDEN', error: 'no', ...body } }));
      const answer = await signIn(app, 'bob');
      expect(answer.status).toBe(status);
      expect(answer.text).not.toContain('stub_');
      expect(answer.body).not.toHaveProperty('access_token');
    },
  );

  test('attack 33: chunked is as good as any', async () => {
    await start();
    app.stub.override(/POST .*\/login$/, (exchange) => {
      const { token, deviceId, userId } = app.stub.signIn('bob');
      const text = JSON.stringify({ user_id: userId, access_token: token, device_id: deviceId });
      exchange.response.writeHead(200, asJson);
      for (const character of text) exchange.response.write(character);
      exchange.response.end();
      return 'answered by hand';
    });
    const challenge = await signIn(app, 'bob');
    expect(challenge.status).toBe(401);
    expect((await submit(app, challenge, app.code(bob))).status).toBe(200);
  });

  test('a token that can be read in an answer that cannot be used is logged out', async () => {
    await start();
    grantAs('bob', (body) => ({ body: { ...body, user_id: 7 } }));
    expect((await signIn(app, 'bob')).status).toBe(502);
    expect(app.stub.liveTokens('bob')).toEqual([]);
  });
});

describe('attack 34: a 200 without a user id', () => {
  test('attack 34: whoami says whose token it is', async () => {
    await start();
    grantAs('bob', ({ access_token, device_id }) => ({ body: { access_token, device_id } as JsonObject }));
    const challenge = await signIn(app, 'bob');
    expect(challenge.status).toBe(401);
    expect(arrivals(app)).toContain('GET /_matrix/client/v3/account/whoami');
    const answer = await submit(app, challenge, app.code(bob));
    expect(answer.status).toBe(200);
  });

  test('attack 34: where whoami fails the token is revoked', async () => {
    await start();
    grantAs('bob', ({ access_token }) => ({ body: { access_token } as JsonObject }));
    app.stub.failNext('/whoami', { status: 500, body: {} });
    const answer = await signIn(app, 'bob');
    expect(answer.status).toBe(502);
    expect(app.stub.liveTokens('bob')).toEqual([]);
  });

  test('attack 72: whoami that hangs up is never taken for a user without 2FA', async () => {
    await start();
    grantAs('bob', ({ access_token }) => ({ body: { access_token } as JsonObject }));
    app.stub.override('/whoami', (exchange) => {
      exchange.response.destroy();
      return 'answered by hand';
    });
    const answer = await signIn(app, 'bob');
    expect(answer.status).toBe(502);
    expect(app.stub.liveTokens('bob')).toEqual([]);
  });
});

test('attack 112: an error that repeats the body reaches neither the client nor the log', async () => {
  await start({ personality: 'tuwunel' });
  const answer = await post(app, LOGIN, {
    type: 'org.example.unknown',
    password: 'a secret passphrase',
    identifier: { type: 'm.id.user', user: 'bob' },
  });
  expect(answer.status).toBe(400);
  expect(answer.text).not.toContain('a secret passphrase');
});

test('attack 112: an error text with the appended code in it does not reach the client', async () => {
  await start();
  app.stub.override(/POST .*\/login$/, (exchange) => ({
    status: 400,
    body: { errcode: 'M_UNKNOWN', error: `cannot read ${String(exchange.bytes)}` },
  }));
  const answer = await signIn(app, 'bob', `${PASSWORD} ${app.code(bob)}`);
  expect(answer.text).not.toContain(PASSWORD);
  expect(answer.text).not.toContain(app.code(bob));
});

test.each([
  [403, 'M_USER_DEACTIVATED'],
  [401, 'M_USER_LOCKED'],
  [403, 'M_USER_SUSPENDED'],
  [400, 'M_INVALID_USERNAME'],
])('attack 110: %i %s of the homeserver is told as it is', async (status, errcode) => {
  await start();
  app.stub.override(/POST .*\/login$/, () => ({ status, body: { errcode, error: 'as it is' } }));
  for (const name of ['alice', 'bob']) {
    const answer = await signIn(app, name);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ errcode, error: 'as it is' });
  }
});

test('a 429 of the homeserver keeps its time, for those with 2FA and those without', async () => {
  await start();
  app.stub.override(/POST .*\/login$/, () => ({
    status: 429,
    body: { errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many Requests', retry_after_ms: 3500 },
    headers: { 'retry-after': '4' },
  }));
  for (const name of ['alice', 'bob']) {
    const answer = await signIn(app, name, `${PASSWORD}123456`);
    expect(answer.status).toBe(429);
    expect(answer.body.retry_after_ms).toBe(3500);
    expect(answer.headers['retry-after']).toBe('4');
  }
  expect(app.stub.requests).toHaveLength(2);
});

describe('attack 99: what a browser of another origin needs', () => {
  test.each<[string, JsonObject, number]>([
    ['a challenge', passwordLogin('bob', PASSWORD), 401],
    ['a refused password', passwordLogin('bob', 'wrong'), 403],
    ['a granted login', passwordLogin('alice', PASSWORD), 200],
    ['a bad body', { type: 5 }, 400],
    ['a body that is too large', { type: 'm.login.password', x: 'x'.repeat(70_000) }, 413],
  ])('attack 99: %s has the CORS headers', async (_what, body, status) => {
    await start();
    const answer = await app.call({
      method: 'POST',
      target: LOGIN,
      json: body,
      headers: { origin: 'https://app.element.io' },
    });
    expect(answer.status).toBe(status);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(answer.headers['access-control-expose-headers']).toContain('Retry-After');
  });

  test.each([429, 502, 503])('attack 99: a %i has them too', async (status) => {
    await start();
    app.stub.override(/POST .*\/login$/, () => ({ status, body: { errcode: 'M_UNKNOWN', error: 'x' } }));
    const answer = await app.post(LOGIN, passwordLogin('alice', PASSWORD));
    expect(answer.status).toBe(status);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
  });

  test('attack 99: a preflight is answered without the homeserver', async () => {
    await start();
    const answer = await app.call({
      method: 'OPTIONS',
      target: LOGIN,
      headers: {
        origin: 'https://app.element.io',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type, authorization',
      },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers['access-control-allow-methods']).toContain('POST');
    expect(answer.headers['access-control-allow-headers']).toMatch(/Authorization/i);
    expect(app.stub.requests).toEqual([]);
  });
});
