import { createHash } from 'node:crypto';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { startApp, type TestApp } from '../support/app.ts';
import type { HttpAnswer, HttpCall } from '../support/http.ts';
import { ANSWERED_BY_HAND } from '../support/stub/exchange.ts';

const V3 = '/_matrix/client/v3';
const MODULE = '/_synapse/client/org.example/sign_in';

let app: TestApp;

beforeEach(async () => {
  app = await startApp({
    users: [
      { name: 'bob', password: 'pw' },
      { name: 'alice', password: 'pw' },
    ],
  });
  await app.enrol('bob');
});
afterEach(() => app.stop());

/** A login at the stub, as an answer has it. */
function loginOf(name: string): { answer: JsonObject; token: string } {
  const { token, userId, deviceId } = app.stub.signIn(name);
  return { token, answer: { user_id: userId, access_token: token, device_id: deviceId } };
}

/** Whatever is asked there is answered so from now on. */
function answers(target: string, body: string | Buffer | JsonObject, headers = {}, status = 200): void {
  app.stub.override(target, () => ({ status, body, headers }));
}

function expectWithheld({ status, json, text }: HttpAnswer, token: string): void {
  expect([status, json.errcode]).toEqual([502, 'M_UNKNOWN']);
  expect(text).not.toContain(token);
  expect(app.stub.isLive(token)).toBe(false);
}

function post(target: string, more: Partial<HttpCall> = {}): Promise<HttpAnswer> {
  return app.call({ method: 'POST', target, json: {}, ...more });
}

const TAKEN_FOR_THE_LOGIN = [
  `${V3}/login%25`,
  `${V3}/login~`,
  `${V3}/login:443`,
  `${V3}/login%c0%af`,
  `${V3}/login.json`,
  `${V3}/v3/v3/login`,
  '/_matrix/client/unstable/a/b/login',
  `${V3}/sign_in`,
  '/_matrix/client/v9/sign_in',
];

describe.each(['POST', 'PUT'])('%s', (method) => {
  test.each(TAKEN_FOR_THE_LOGIN)(
    'attack 161: %s, at a homeserver that takes it for the login, lets in users without 2FA only',
    async (target) => {
      const bobs = loginOf('bob');
      answers(target, bobs.answer);
      const refused = await post(target, { method });
      // What is not a target at all, or reads as a gated one, does not get there.
      if (app.stub.requests.some((request) => request.target === target)) expectWithheld(refused, bobs.token);
      else expect([400, 404]).toContain(refused.status);

      const alices = loginOf('alice');
      const text = ` ${JSON.stringify(alices.answer)}\n`;
      app.stub.override(target, () => ({
        status: 200,
        body: text,
        headers: { 'content-type': 'application/json' },
      }));
      const passed = await post(target, { method });
      if (passed.status === 200) expect(passed.text).toBe(text);
      expect(app.stub.isLive(alices.token)).toBe(true);
    },
  );
});

test('attack 161: most of those targets do reach the homeserver', async () => {
  for (const target of TAKEN_FOR_THE_LOGIN) await post(target);
  expect(app.stub.requests.length).toBeGreaterThan(5);
});

test.each(['/_matrix/client/v4/login', '/_matrix/client/r0/unstable/login', '/_matrix/client/v4/sign_in'])(
  'attack 11: under a version that is to come, %s gives no token away',
  async (target) => {
    const { answer, token } = loginOf('bob');
    answers(target, answer);
    const { status, text } = await post(target);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(text).not.toContain(token);
  },
);

describe('attack 161: a token is found', () => {
  const target = `${V3}/sign_in`;
  const escaped = (text: string) => text.replace('access_token', 'access\\u005ftoken');

  test.each<[string, (text: string) => string | Buffer, Record<string, string>, number]>([
    ['under another content type', (text) => text, { 'content-type': 'text/plain' }, 200],
    ['under none', (text) => text, {}, 200],
    ['behind blanks and lines', (text) => `\r\n\t ${text}`, {}, 200],
    ['behind a byte order mark', (text) => `\ufeff${text}`, {}, 200],
    ['with its key escaped', escaped, { 'content-type': 'application/json' }, 200],
    ['in a list', (text) => `[1, [${text}]]`, { 'content-type': 'application/json' }, 200],
    ['compressed', (text) => gzipSync(text), { 'content-encoding': 'gzip' }, 200],
    ['compressed by Brotli', (text) => brotliCompressSync(text), { 'content-encoding': 'br' }, 200],
    ['in an answer of another status', (text) => text, {}, 401],
  ])('%s', async (_, write, headers, status) => {
    const { answer, token } = loginOf('bob');
    answers(target, write(JSON.stringify(answer)), headers, status);
    expectWithheld(await post(target, { headers: { 'accept-encoding': 'gzip, br' } }), token);
  });

  test('in an answer without a length that comes in parts', async () => {
    const { answer, token } = loginOf('bob');
    const text = JSON.stringify(answer);
    app.stub.override(target, ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      for (const char of text) response.write(char);
      response.end();
      return ANSWERED_BY_HAND;
    });
    expectWithheld(await post(target), token);
  });

  test('by its owner, where the answer does not say whose it is', async () => {
    const { token } = loginOf('bob');
    answers(target, { a: { b: { c: { access_token: token } } } });
    expectWithheld(await post(target), token);
  });

  test('among others', async () => {
    const [alices, bobs] = [loginOf('alice'), loginOf('bob')];
    answers(target, { first: alices.answer, second: { third: { access_token: bobs.token } } });
    expectWithheld(await post(target), bobs.token);
  });

  test('if it is a login token of the user that is named, or of the caller', async () => {
    const loginToken = app.stub.mintLoginToken('bob');
    answers(target, { user_id: '@bob:localhost', login_token: loginToken });
    expect((await post(target)).status).toBe(502);
    app.stub.override(target, () => ({ status: 200, body: { login_token: loginToken } }));
    expect((await post(target, { token: app.stub.signIn('bob').token })).status).toBe(502);
    expect((await post(target, { token: app.stub.signIn('alice').token })).status).toBe(200);
  });
});

test.each<[string, (login: JsonObject) => JsonObject]>([
  ['as it is', (login) => login],
  ['nested', (login) => ({ a: [{ b: { c: { d: login } } }] })],
  [
    'in the words of other modules',
    ({ user_id, access_token }) => ({ userId: user_id, accessToken: access_token }) as JsonObject,
  ],
])("attack 162: a module's login of a user with 2FA, %s, is not given out", async (_, wrap) => {
  const bobs = loginOf('bob');
  answers(MODULE, wrap(bobs.answer));
  expectWithheld(await post(MODULE), bobs.token);
  const alices = loginOf('alice');
  app.stub.override(MODULE, () => ({ status: 200, body: wrap(alices.answer) }));
  expect((await post(MODULE)).json).toEqual(wrap(alices.answer));
  expect(app.stub.isLive(alices.token)).toBe(true);
});

test("attack 162: a module's login token of a user with 2FA, nested, is not given out", async () => {
  answers(MODULE, { a: [{ b: { user_id: '@bob:localhost', login_token: app.stub.mintLoginToken('bob') } }] });
  expect((await post(MODULE)).status).toBe(502);
});

describe('what is not a login goes out', () => {
  test('a token that says to others who someone is (OpenID)', async () => {
    const target = `${V3}/user/@bob:localhost/openid/request_token`;
    const answer = {
      access_token: 'openid_x',
      token_type: 'Bearer',
      matrix_server_name: 'localhost',
      expires_in: 3600,
    };
    answers(target, answer);
    expect((await post(target, { token: app.stub.signIn('bob').token })).json).toEqual(answer);
  });

  test('the token that the client has sent itself', async () => {
    const { token } = app.stub.signIn('bob');
    answers(`${V3}/echo`, { user_id: '@bob:localhost', access_token: token });
    expect((await post(`${V3}/echo`, { token })).status).toBe(200);
    expect((await post(`${V3}/echo?access_token=${token}`)).status).toBe(200);
    expect(app.stub.isLive(token)).toBe(true);
  });

  test('what users have written, however much it looks like tokens; few of them are asked about', async () => {
    const event = { user_id: '@bob:localhost', access_token: 'junk', login_token: 'junk', device_id: 'X' };
    const content = Array.from({ length: 300 }, (_, at) => ({
      content: { ...event, access_token: `junk${at}` },
    }));
    const tooLong = { content: { access_token: 'x'.repeat(20_000) } };
    const target = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync';
    const answer = { rooms: { '!r:localhost': { timeline: [tooLong, ...content] } } };
    answers(target, answer);
    expect((await post(target)).json).toEqual(answer);
    const asked = app.stub.requests.length - 1;
    expect(asked).toBeLessThanOrEqual(8);
  });

  test('what is over 64 KiB, also when it is less on its way', async () => {
    const { answer, token } = loginOf('bob');
    const large = JSON.stringify({ padding: 'x'.repeat(65_536), ...answer });
    const headers = { 'accept-encoding': 'gzip' };
    answers(`${V3}/large`, large, { 'content-type': 'application/json' });
    expect((await post(`${V3}/large`)).text).toBe(large);
    answers(`${V3}/packed`, gzipSync(large), { 'content-encoding': 'gzip' });
    expect((await post(`${V3}/packed`, { headers })).bytes).toEqual(gzipSync(large));
    app.stub.override(`${V3}/parts`, ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(large);
      return ANSWERED_BY_HAND;
    });
    expect(hashOf((await post(`${V3}/parts`)).bytes)).toBe(hashOf(Buffer.from(large)));
    expect(app.stub.isLive(token)).toBe(true);
  });

  test('other methods, and what is not JSON', async () => {
    const { answer, token } = loginOf('bob');
    answers(`${V3}/sign_in`, answer);
    for (const method of ['GET', 'DELETE', 'PATCH']) {
      expect((await app.call({ method, target: `${V3}/sign_in` })).status).toBe(200);
    }
    answers(`${V3}/page`, `<p>{"access_token":"${token}"}`, { 'content-type': 'application/json' });
    expect((await post(`${V3}/page`)).status).toBe(200);
    expect(app.stub.isLive(token)).toBe(true);
  });

  test('an answer without a body, with its headers', async () => {
    answers(
      `${V3}/empty`,
      '',
      { 'content-encoding': 'gzip', 'x-answer': 'yes', 'content-type': 'application/json' },
      204,
    );
    const { status, headers } = await post(`${V3}/empty`);
    expect([status, headers['x-answer']]).toEqual([204, 'yes']);
  });
});

test.each(['text/event-stream', 'multipart/mixed; boundary=x', 'application/octet-stream'])(
  'what is streamed is untouched: %s',
  async (type) => {
    let goOn = (): void => undefined;
    const target = `${V3}/stream`;
    app.stub.override(target, ({ response }) => {
      response.writeHead(200, { 'content-type': type });
      response.write('first');
      goOn = () => response.end('second');
      return ANSWERED_BY_HAND;
    });
    const answer = await fetch(`${app.url}${target}`, { method: 'POST', body: '{}' });
    const reader = answer.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('first');
    goOn();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('second');
  },
);

describe('when it cannot be told whose a token is, it is not given out', () => {
  const target = `${V3}/sign_in`;

  test('the store is away', async () => {
    const { answer, token } = loginOf('alice');
    answers(target, answer);
    await app.storage.close();
    const { status, json, text } = await post(target);
    expect([status, json.errcode]).toEqual([503, 'M_UNKNOWN']);
    expect(text).not.toContain(token);
    expect(app.stub.isLive(token)).toBe(false);
    answers(`${V3}/other`, { room_id: '!r:localhost' });
    expect((await post(`${V3}/other`)).status).toBe(200);
  });

  test('the homeserver does not say', async () => {
    const { token } = loginOf('alice');
    answers(target, { access_token: token });
    answers('/account/whoami', {}, {}, 500);
    expect((await post(target)).status).toBe(502);
    expect(app.stub.isLive(token)).toBe(false);
  });

  test('it is compressed in a way that was not asked for', async () => {
    const { answer } = loginOf('bob');
    answers(target, Buffer.from(JSON.stringify(answer)), { 'content-encoding': 'zstd' });
    expect((await post(target)).status).toBe(502);
    answers(target, gzipSync(gzipSync(JSON.stringify(answer))), { 'content-encoding': 'gzip, gzip' });
    expect((await post(target)).status).toBe(502);
    answers(target, Buffer.from(JSON.stringify(answer)), { 'content-encoding': 'gzip' });
    expect((await post(target)).status).toBe(502);
  });

  test('it is broken', async () => {
    const { answer, token } = loginOf('bob');
    answers(target, `${JSON.stringify(answer)} and more`, { 'content-type': 'application/json' });
    const { status, text } = await post(target);
    expect(status).toBe(502);
    expect(text).not.toContain(token);
  });

  test.each([
    ['gzip, deflate, br, zstd', 'gzip, br'],
    ['zstd', 'identity'],
    ['*', 'identity'],
    ['gzip;q=0.5,  br', 'gzip;q=0.5,  br'],
  ])('a homeserver is asked for what we can read: of %s, %s', async (offered, asked) => {
    const headers = { 'accept-encoding': offered };
    await post(target, { headers });
    await app.call({ target, headers });
    expect(app.stub.requests.map((request) => request.headers['accept-encoding'])).toEqual([asked, offered]);
  });
});

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
