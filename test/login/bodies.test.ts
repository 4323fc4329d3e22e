import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import type { HttpAnswer } from '../support/http.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import { PERSONALITIES } from '../support/stub/stub.ts';
import { app, bob, start } from './each_test.ts';
import { loginsOf, PASSWORD, post, signIn, submit, TOTP } from './support.ts';

function send(body: Buffer | string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return app.call({ method: 'POST', target: LOGIN, body, headers });
}

/** Nothing in the answer lets anyone in. */
function expectNoToken(answer: { readonly text: string }): void {
  expect(answer.text).not.toContain('access_token');
  for (const token of app.stub.liveTokens('bob')) expect(answer.text).not.toContain(token);
}

const personalities = Object.keys(PERSONALITIES) as PersonalityName[];

describe.each(personalities)('in front of %s', (personality) => {
  test('attack 12: of two login types the homeserver sees one, and the answer decides', async () => {
    await start({ personality });
    const { token } = app.stub.signIn('alice');
    for (const body of [
      '{"type":"m.login.application_service","TYPE":"m.login.password","identifier":{"type":"m.id.user","user":"bob"},"password":"correct horse"}',
      '{"TYPE":"m.login.application_service","type":"m.login.password","identifier":{"type":"m.id.user","user":"bob"},"password":"correct horse"}',
    ]) {
      const answer = await send(body, { authorization: `Bearer ${token}` });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expectNoToken(answer);
    }
    for (const { json } of loginsOf(app)) expect(Object.keys(json ?? {})).not.toContain('TYPE');
  });

  test('attack 13: a repeated key counts by its last value, and reaches the homeserver once', async () => {
    await start({ personality });
    const body =
      '{"type":"m.login.token","type":"m.login.password","user":"alice","identifier":{"type":"m.id.user","user":"alice"},' +
      '"identifier":{"type":"m.id.user","user":"alice","user":"bob"},"user":"bob","password":"x","password":"correct horse"}';
    const answer = await send(body);
    expect(answer.status).toBe(401);
    expectNoToken(answer);
    for (const { bytes } of loginsOf(app)) {
      expect(String(bytes).match(/"password":/g)).toHaveLength(1);
      expect(String(bytes)).not.toContain('alice');
    }
  });

  test('attack 14: keys that fold to known ones, and __proto__, are not forwarded', async () => {
    await start({ personality });
    const answer = await send(
      '{"type":"m.login.password","identifier":{"type":"m.id.user","user":"bob","u\u017fer":"alice","USER":"alice"},' +
        '"password":"correct horse","Identifier":{"type":"m.id.user","user":"alice"},"pa\u017fsword":"x","to\u212aen":"y",' +
        '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    );
    expect(answer.status).toBe(401);
    expectNoToken(answer);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect(loginsOf(app)).toHaveLength(1);
    const sent = String(loginsOf(app)[0]?.bytes);
    for (const key of ['Identifier', '\u017f', '\u212a', 'USER', '__proto__', 'alice'])
      expect(sent).not.toContain(key);
  });

  test('attack 15: fields that name different users are refused before the homeserver is asked', async () => {
    await start({
      personality,
      users: [
        { name: 'alice', password: PASSWORD },
        { name: 'bob', password: PASSWORD, emails: ['bob@example.org'], phones: ['49123456'] },
      ],
    });
    const byAddress = { type: 'm.id.thirdparty', medium: 'email', address: 'bob@example.org' };
    const bodies: JsonObject[] = [
      { ...passwordLogin('alice', PASSWORD), user: 'bob' },
      { ...passwordLogin('bob', PASSWORD), user: 'alice' },
      { ...passwordLogin('alice', PASSWORD), medium: 'email', address: 'bob@example.org' },
      { ...passwordLogin('alice', PASSWORD), phone: '49123456' },
      { ...passwordLogin('alice', PASSWORD), number: '49123456' },
      { ...passwordLogin('alice', PASSWORD), identifier: { ...byAddress, user: 'alice' } },
      { ...passwordLogin('alice', PASSWORD), identifier: byAddress, address: 'alice@example.org' },
    ];
    for (const body of bodies) {
      const answer = await post(app, LOGIN, body);
      expect(answer.status).toBe(400);
      expect(answer.body.errcode).toBe('M_BAD_JSON');
    }
    expect(app.stub.requests).toEqual([]);
  });

  test.each<[string, JsonObject]>([
    ['a full id and a local part', { user: '@bob:localhost' }],
    ['other case', { user: 'BOB' }],
    ['a name left blank', { user: '' }],
    ['an address left blank', { address: ' ', medium: 'email' }],
  ])('attack 15: one user named twice is for the homeserver to judge: %s', async (_form, more) => {
    await start({ personality });
    const answer = await post(app, LOGIN, { ...passwordLogin('bob', PASSWORD), ...more });
    expect([401, 403]).toContain(answer.status);
    expectNoToken(answer);
    expect(loginsOf(app)).toHaveLength(1);
  });

  test('attack 15: a number given as `phone` and `number`, as old clients do, is one', async () => {
    await start({ personality, users: [{ name: 'bob', password: PASSWORD, phones: ['49123456'] }] });
    const identifier = { type: 'm.id.phone', country: 'DE', phone: '49123456', number: '+49 123456' };
    await post(app, LOGIN, { type: 'm.login.password', identifier, password: PASSWORD });
    expect(loginsOf(app)).toHaveLength(1);
  });

  test('attack 16: a third-party identifier is gated by the user that it led to', async () => {
    await start({
      personality,
      users: [
        { name: 'alice', password: PASSWORD },
        { name: 'bob', password: PASSWORD, emails: ['bob@example.org'], phones: ['49123456'] },
      ],
    });
    const identifiers: JsonObject[] = [
      { type: 'm.id.thirdparty', medium: 'email', address: 'bob@example.org' },
      { type: 'm.id.thirdparty', medium: 'email', address: 'BOB@EXAMPLE.ORG' },
      { type: 'm.id.phone', country: 'DE', phone: '49123456' },
      { type: 'm.id.phone', country: 'DE', number: '49123456' },
    ];
    for (const identifier of identifiers) {
      app.stub.clear();
      const answer = await app.post(LOGIN, { type: 'm.login.password', identifier, password: PASSWORD });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expectNoToken(answer);
      for (const { json } of loginsOf(app)) expect(json?.identifier).toEqual(identifier);
      if (personality === 'synapse') expect(answer.json).toHaveProperty('flows');
    }
  });

  test.each([
    '@BOB:localhost',
    '@bob:LOCALHOST',
    'bob ',
    ' bob',
    '\u212aob',
    '\uff42\uff4f\uff42',
    'Bob',
    'bob\u0000',
  ])('attack 17: the spelling %j lets no one past', async (name) => {
    await start({ personality });
    const answer = await app.post(LOGIN, passwordLogin(name, PASSWORD));
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expectNoToken(answer);
    expect(await app.storage.factors.enrolledUsers()).toEqual(['@bob:localhost']);
  });

  test('attack 18: a form content type changes nothing, and no token rides in the body', async () => {
    await start({ personality });
    const { token } = app.stub.signIn('bob');
    for (const target of [LOGIN, '/_matrix/client/v3/account/password', '/_matrix/client/v3/register']) {
      app.stub.clear();
      const json = JSON.stringify({
        ...passwordLogin('alice', 'wrong'),
        x: `&access_token=${token}&kind=guest&`,
      });
      const answer = await app.call({
        method: 'POST',
        target,
        body: json,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      for (const { headers } of app.stub.requests) {
        expect(headers['content-type']).toBe('application/json');
        expect(headers.authorization).toBeUndefined();
      }
    }
    expect(app.stub.passwordOf('bob')).toBe(PASSWORD);
  });
});

const login = JSON.stringify(passwordLogin('bob', PASSWORD));

describe('attack 19: bodies that are not sound', () => {
  test.each<[string, Buffer | string, number]>([
    ['UTF-16', Buffer.from(login, 'utf16le'), 400],
    ['a byte order mark', `\ufeff${login}`, 400],
    [
      'bad UTF-8',
      Buffer.concat([Buffer.from(login.slice(0, -2)), Buffer.from([0xff]), Buffer.from('"}')]),
      400,
    ],
    ['half a surrogate', login.replace('correct', '\\ud800'), 400],
    ['1e400', login.replace(/}$/, ',"x":1e400}'), 400],
    ['a fraction', login.replace(/}$/, ',"x":1.5}'), 400],
    ['nesting', login.replace(/}$/, `,"x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`), 400],
    ['10 MiB', login.replace(/}$/, `,"x":"${'x'.repeat(10 * 1024 * 1024)}"}`), 413],
    ['65 KiB', login.replace(/}$/, `,"x":"${'x'.repeat(65 * 1024)}"}`), 413],
    ['a list', `[${login}]`, 400],
    ['a string', JSON.stringify(login), 400],
    ['nothing', '', 400],
    ['null', 'null', 400],
    ['a tail', `${login}{}`, 400],
  ])('attack 19: %s is refused, and nothing goes upstream', async (_what, body, status) => {
    await start();
    const answer = await send(body, { 'content-type': 'application/json; charset=utf-16' });
    expect(answer.status).toBe(status);
    expect(answer.json.errcode).toMatch(/^M_/);
    expect(app.stub.requests).toEqual([]);
    expect((await signIn(app, 'alice')).status).toBe(200);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', ''])(
    'attack 19: sound JSON under the content type %j is read as JSON',
    async (type) => {
      await start();
      const answer = await send(login, type === '' ? {} : { 'content-type': type });
      expect(answer.status).toBe(401);
      expect(answer.json).toHaveProperty('flows');
      expect(loginsOf(app)).toHaveLength(1);
    },
  );
});

describe('attack 20: an `auth` that is odd', () => {
  test.each<[string, JsonObject[string]]>([
    ['a string', 'x'],
    ['a list', []],
    ['a number', 1],
    ['true', true],
    ['a session that is an object', { session: {} }],
    ['a session that is a list', { session: ['m2fa_x'] }],
    ['a type that is a list', { type: [TOTP] }],
    ['a type that is a number', { type: 5 }],
  ])('attack 20: %s is M_BAD_JSON', async (_what, auth) => {
    await start();
    const answer = await post(app, LOGIN, { ...passwordLogin('bob', PASSWORD), auth });
    expect(answer.status).toBe(400);
    expect(answer.body.errcode).toBe('M_BAD_JSON');
    expect(app.stub.requests).toEqual([]);
  });

  test.each<[string, JsonObject[string]]>([
    ['null', null],
    ['{}', {}],
    ['a session of null', { session: null }],
    ['type and session of null', { type: null, session: null }],
  ])('attack 20: %s is as if there were none, and no failure', async (_what, auth) => {
    await start();
    const body = passwordLogin('bob', PASSWORD);
    const answer = await post(app, LOGIN, { ...body, auth });
    expect(answer.status).toBe(401);
    expect(answer.body.errcode).toBe('M_FORBIDDEN');
    expect(answer.body.completed).toEqual(['m.login.password']);
    expect(await app.storage.read(lanesOf(bob.userId))).toEqual([]);
    expect((await submit(app, answer, app.code(bob))).status).toBe(200);
  });
});

describe('tokens of a login', () => {
  test.each<[string, string, Record<string, string | readonly string[]>]>([
    ['header and query', `${LOGIN}?access_token=B`, { authorization: 'Bearer A' }],
    ['two headers', LOGIN, { authorization: ['Bearer A', 'Bearer B'] }],
    ['bearer in lower case', LOGIN, { authorization: 'bearer A' }],
    ['Basic and query', `${LOGIN}?access_token=B`, { authorization: 'Basic x' }],
    ['two blanks', LOGIN, { authorization: 'Bearer  A' }],
  ])('attack 21: %s never reaches the homeserver', async (_what, target, headers) => {
    await start();
    const answer = await app.call({
      method: 'POST',
      target,
      json: { type: 'm.login.application_service', identifier: { type: 'm.id.user', user: 'bob' } },
      headers,
    });
    expect(answer.status).toBe(401);
    for (const { headers: sent, target: arrived } of app.stub.requests) {
      expect(sent.authorization).toBeUndefined();
      expect(arrived).toBe(LOGIN);
    }
  });

  test('attack 22: user_id in the query is dropped', async () => {
    await start();
    await app.post(`${LOGIN}?user_id=@bob:localhost&x=1`, passwordLogin('alice', PASSWORD));
    expect(loginsOf(app).map(({ target }) => target)).toEqual([`${LOGIN}?x=1`]);
  });

  test('attack 23: a Connection header changes neither what goes upstream nor what it means', async () => {
    await start();
    const { token } = app.stub.signIn('alice');
    app.stub.clear();
    const answer = await app.call({
      method: 'POST',
      target: '/_matrix/client/v3/logout',
      token,
      headers: { connection: 'close, Authorization, Content-Type' },
    });
    expect(answer.status).toBe(200);
    expect(app.stub.isLive(token)).toBe(false);
    expect(app.stub.requestsTo('logout')[0]?.headers.authorization).toBe(`Bearer ${token}`);
  });

  test('a password login takes no token along', async () => {
    await start();
    const { token } = app.stub.signIn('alice');
    app.stub.clear();
    await app.post(LOGIN, passwordLogin('alice', PASSWORD), token);
    expect(loginsOf(app)[0]?.headers.authorization).toBeUndefined();
  });
});

test.each<[string, JsonObject[string]]>([
  ['a number', 123456],
  ['a list', ['123456']],
  ['an object', { token: '123456' }],
  ['true', true],
  ['seven digits', '1234567'],
  ['five digits', '12345'],
  ['Arabic-Indic digits', '١٢٣٤٥٦'],
  ['full-width digits', '１２３４５６'],
  ['ten thousand digits', '1'.repeat(10_000)],
])('attack 58: %s is not a code', async (_what, token) => {
  await start();
  const challenge = await signIn(app, 'bob');
  const answer = await submit(app, challenge, token);
  expect([400, 401]).toContain(answer.status);
  expect((await submit(app, challenge, app.code(bob))).status).toBe(200);
});

test('attack 58: a right code written with other digits or as a number is not accepted', async () => {
  await start();
  const challenge = await signIn(app, 'bob');
  const code = app.code(bob);
  const arabic = code.replace(/[0-9]/g, (digit) => String.fromCodePoint(0x0660 + Number(digit)));
  for (const token of [arabic, Number(code), [code]]) {
    expect((await submit(app, challenge, token)).status).not.toBe(200);
  }
  expect((await submit(app, challenge, code)).status).toBe(200);
});
