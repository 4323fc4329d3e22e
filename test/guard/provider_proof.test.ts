import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { seedIn } from '../account/account.ts';
import { OWN_TOKEN, SERVICE } from '../login/lone_person.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { codeAt } from '../support/enrolment.ts';
import { call, type HttpAnswer } from '../support/http.ts';
import { judgeAll } from '../support/judged.ts';
import { ORG, TWO_FACTOR } from '../support/passkey_user.ts';
import { Visitor } from '../support/visitor.ts';

const TOTP = `${TWO_FACTOR}/totp`;
const PAGE = '/_matrix/client/v3/auth/m.login.sso/fallback/web';
const SSO = 'm.login.sso';
/** What a homeserver says of a password that is not right. */
const WRONG = {
  ...{ session: 'theirs', flows: [{ stages: ['m.login.password'] }], params: {} },
  ...{ errcode: 'M_FORBIDDEN', error: 'Invalid password' },
};
const DELETE_DEVICES = '/_matrix/client/v3/delete_devices';

const sso = { providers: [{ id: 'oidc', name: 'University' }], signedInAs: 'nobody' };
let app: TestApp;
let people = 0;
/** A user without a password, who is signed in to a client. */
let name: string;
let userId: string;
let token: string;
let visitor: Visitor;

beforeAll(async () => {
  const applicationServices = [{ token: OWN_TOKEN, senderLocalpart: 'two-factor', prefix: '' }];
  app = await startApp({ users: [], sso, applicationServices, ownToken: OWN_TOKEN });
});
afterAll(() => app.stop());

beforeEach(() => {
  people += 1;
  name = `person${people}`;
  userId = `@${name}:localhost`;
  app.stub.addUser({ name, password: null });
  token = app.stub.signIn(name, 'CLIENT').token;
  app.stub.clear();
  sso.signedInAs = name;
  visitor = new Visitor(app.url);
});

async function ask(method: string, target: string, json: JsonObject = {}): Promise<HttpAnswer> {
  const answer = await app.call({ method, target, token, json });
  const wrong = judgeAll({ method, path: target, status: answer.status, body: answer.json });
  expect(wrong).toEqual([]);
  return answer;
}

function flowsIn({ json }: HttpAnswer): string[][] {
  return (json.flows as { stages: string[] }[]).map(({ stages }) => stages);
}

function pageOf(challenge: HttpAnswer): string {
  return `${PAGE}?session=${encodeURIComponent(String(challenge.json.session))}`;
}

/** Presses the link to the provider on the page that stands open, and comes back. */
async function throughProvider(from = visitor): Promise<HttpAnswer> {
  const link = /href="(\/_2fa\/approve[^"]*)"/.exec(from.last?.text ?? '')?.[1] ?? '';
  const leading = await from.open(link.replaceAll('&amp;', '&'));
  const back = await returnFrom(leading);
  const answer = await from.open(back);
  const { location = '' } = answer.headers;
  return answer.status === 303 ? from.open(location) : answer;
}

/** Where the provider, whose session stands, sends the browser back to. */
async function returnFrom(leading: HttpAnswer): Promise<string> {
  expect(leading.status).toBe(303);
  const provider = new URL(leading.headers.location ?? '');
  const back = await call(app.stub.url, { target: provider.pathname + provider.search });
  const address = new URL(back.headers.location ?? '');
  return address.pathname + address.search;
}

async function turnOn(): Promise<Buffer> {
  const challenge = await ask('POST', TOTP, { name: 'phone' });
  await visitor.open(pageOf(challenge));
  await throughProvider();
  const begun = await ask('POST', TOTP, { auth: { session: String(challenge.json.session) } });
  const seed = seedIn(String(begun.json.seed));
  const code = codeAt(seed, app.clock.now());
  const confirmed = await ask('POST', `${TOTP}/confirm`, {
    setup_id: String(begun.json.setup_id),
    token: code,
  });
  expect(confirmed.status).toBe(200);
  app.clock.advance(30_000);
  return seed;
}

const livesOn = () => app.stub.devicesOf(name).map(({ deviceId }) => deviceId);

test('2FA is turned on by the page of the API: the provider says who it is, and its login is ended', async () => {
  const challenge = await ask('POST', TOTP);
  expect(flowsIn(challenge)).toEqual([[SSO]]);
  const page = await visitor.open(pageOf(challenge));
  expect(page.text).toContain('Continue with University');
  expect(page.text).not.toContain('type="password"');
  expect((await throughProvider()).text).toContain('Approved');
  expect(livesOn()).toEqual(['CLIENT']);
  const begun = await ask('POST', TOTP, { auth: { session: String(challenge.json.session) } });
  expect(begun.json).toMatchObject({ setup_id: expect.any(String) });
  // Once.
  expect((await ask('POST', TOTP, { auth: { session: String(challenge.json.session) } })).status).toBe(401);
});

test('with 2FA on the code comes first, on the page and in the client, and then the provider', async () => {
  const seed = await turnOn();
  const onPage = await ask('POST', `${TWO_FACTOR}/recovery`);
  expect(flowsIn(onPage)).toEqual([[SSO], ['m.login.2fa.totp', SSO], ['m.login.2fa.recovery', SSO]]);
  await visitor.open(pageOf(onPage));
  const after = await visitor.send({ code: codeAt(seed, app.clock.now()) });
  expect(after.text).toContain('Continue with University');
  expect((await throughProvider()).text).toContain('Approved');
  const session = String(onPage.json.session);
  const renewed = await ask('POST', `${TWO_FACTOR}/recovery`, { auth: { session } });
  expect(renewed.json.recovery_codes).toHaveLength(10);

  app.clock.advance(30_000);
  const inClient = await ask('DELETE', TWO_FACTOR);
  const code = { type: 'm.login.2fa.totp', token: codeAt(seed, app.clock.now()) };
  const given = await ask('DELETE', TWO_FACTOR, {
    auth: { ...code, session: String(inClient.json.session) },
  });
  expect(given.json.completed).toEqual(['m.login.2fa.totp']);
  await visitor.open(pageOf(inClient));
  await throughProvider();
  const off = await ask('DELETE', TWO_FACTOR, { auth: { session: String(inClient.json.session) } });
  expect(off.status).toBe(200);
  expect(livesOn()).toEqual(['CLIENT']);
});

test('attack 288: another account at the provider → told, its login is ended, nothing is proven', async () => {
  app.stub.addUser({ name: `other${people}`, password: null });
  const challenge = await ask('POST', TOTP);
  await visitor.open(pageOf(challenge));
  sso.signedInAs = `other${people}`;
  const told = await throughProvider();
  expect([told.status, told.text.includes('This is another account')]).toEqual([403, true]);
  expect(app.stub.liveTokens(`other${people}`)).toEqual([]);
  const again = await ask('POST', TOTP, { auth: { session: String(challenge.json.session) } });
  expect([again.status, again.json.completed]).toEqual([401, []]);
});

test('attack 289: the provider without the code, or for a session of before 2FA → proves nothing', async () => {
  const before = await ask('POST', TOTP, { name: 'of before' });
  await visitor.open(pageOf(before));
  await throughProvider();
  await turnOn();
  const late = await ask('POST', TOTP, { auth: { session: String(before.json.session) } });
  expect(late.status).toBe(401);
  expect(flowsIn(late)).toContainEqual(['m.login.2fa.totp', SSO]);

  const challenge = await ask('DELETE', TWO_FACTOR);
  await visitor.open(pageOf(challenge));
  const session = encodeURIComponent(String(challenge.json.session));
  const led = await call(app.url, { target: `/_2fa/approve?session=${session}&provider=oidc` });
  expect(led.headers.location).toBe(pageOf(challenge));
  expect(
    (await ask('DELETE', TWO_FACTOR, { auth: { type: SSO, session: String(challenge.json.session) } }))
      .status,
  ).toBe(401);
});

test('attack 289: in another browser, for another body, twice, with no session → proves nothing', async () => {
  const challenge = await ask('POST', TOTP);
  await visitor.open(pageOf(challenge));
  const link = /href="(\/_2fa\/approve[^"]*)"/.exec(visitor.last?.text ?? '')?.[1] ?? '';
  const leading = await visitor.open(link.replaceAll('&amp;', '&'));
  const stolen = await new Visitor(app.url).open(await returnFrom(leading));
  expect(stolen.status).toBe(410);

  const session = String(challenge.json.session);
  await ask('POST', TOTP, { name: 'other', auth: { session } });
  await visitor.open(await returnFrom(leading));
  expect((await ask('POST', TOTP, { auth: { session } })).json.completed).toEqual([]);
  const unknown = { target: '/_2fa/approve?session=m2fa_unknown&provider=oidc' };
  expect((await call(app.url, unknown)).status).toBe(303);
  expect(livesOn()).toEqual(['CLIENT']);
});

test('attack 289: an account with a password proves itself by that, and never by the provider', async () => {
  app.stub.addUser({ name: `with${people}`, password: 'a password' });
  token = app.stub.signIn(`with${people}`, 'CLIENT').token;
  const challenge = await ask('POST', TOTP);
  expect(flowsIn(challenge)).toEqual([[SSO], ['m.login.password']]);
  expect((await visitor.open(pageOf(challenge))).text).toContain('type="password"');
  const session = encodeURIComponent(String(challenge.json.session));
  const led = await call(app.url, { target: `/_2fa/approve?session=${session}&provider=oidc` });
  expect(led.headers.location).toBe(pageOf(challenge));
});

describe('where the homeserver wants a password and the account has none', () => {
  const wants = (...stages: string[]) => {
    const body = { session: 'theirs', flows: stages.map((stage) => ({ stages: [stage] })), params: {} };
    app.stub.failNext('/delete_devices', { status: 401, body });
  };

  /** Up to the homeserver's single sign-on, or to the password. */
  async function upToProof(): Promise<void> {
    const seed = await turnOn();
    const challenge = await ask('POST', DELETE_DEVICES, { devices: ['ELSEWHERE'] });
    await visitor.open(pageOf(challenge));
    await visitor.send({ code: codeAt(seed, app.clock.now()) });
  }

  const ended = () => {
    const { text } = visitor.last ?? { text: '' };
    expect(text).toContain('<title>Error: This account has no password ·');
    expect(text).toMatch(/An administrator can set a password .* Contact the people who run/);
    expect(text).not.toContain('<form');
    return visitor.last?.status;
  };

  test('its own page cannot ask for that: who can help is told, and no form is left', async () => {
    await upToProof();
    // The probe is about a device that does not exist.
    const undo = app.stub.override('/delete_devices', ({ bytes }, next) =>
      bytes.includes('ELSEWHERE') ? { status: 401, body: WRONG } : next(),
    );
    await visitor.send({ step: 'provider' });
    undo();
    expect(ended()).toBe(403);
  });

  test('the same where it was asked for on our page', async () => {
    app.stub.addUser({ name: `with${people}`, password: 'a password' });
    const enrolled = await app.enrol(`with${people}`);
    token = app.stub.signIn(`with${people}`, 'CLIENT').token;
    await visitor.open(pageOf(await ask('POST', DELETE_DEVICES, { devices: ['ELSEWHERE'] })));
    await visitor.send({ code: app.code(enrolled) });
    wants(SSO);
    await visitor.send({ password: 'a password' });
    expect(ended()).toBe(403);
  });

  test('one that has got a password meanwhile is asked for it', async () => {
    await upToProof();
    wants('m.login.password');
    await visitor.send({ step: 'provider' });
    expect(visitor.last?.text).toContain('type="password"');
    expect(visitor.last?.text).not.toContain('no password');
  });
});

const ADDRESS = { medium: 'email', address: 'person@example.org' };
const UNASKED = [
  ['account/3pid/delete', ADDRESS],
  ['account/3pid/unbind', ADDRESS],
  ['account/3pid', { three_pid_creds: { client_secret: 'secret', sid: 'sid1' } }],
] as const;

test.each(UNASKED)(
  'what a homeserver does not guard is proven by code and provider: %s',
  async (path, body) => {
    const target = `/_matrix/client/v3/${path}`;
    app.stub.state.validatedEmails.set('sid1', 'person@example.org');
    const seed = await turnOn();
    app.stub.clear();
    const challenge = await ask('POST', target, body);
    expect(flowsIn(challenge)).toEqual([[SSO], ['m.login.2fa.totp', SSO], ['m.login.2fa.recovery', SSO]]);
    await visitor.open(pageOf(challenge));
    const after = await visitor.send({ code: codeAt(seed, app.clock.now()) });
    expect(after.text).toContain('Continue with University');
    expect(app.stub.requestsTo('threepid')).toEqual([]);
    expect((await throughProvider()).text).toContain('Approved');
    const done = await ask('POST', target, { auth: { session: String(challenge.json.session) } });
    expect(done.status).toBe(200);
    const sent = app.stub.requests.filter(
      (request) => request.method === 'POST' && request.target === target,
    );
    expect(sent.map(({ json }) => json)).toEqual([body]);
    // Once.
    const again = { ...body, auth: { session: String(challenge.json.session) } };
    expect((await ask('POST', target, again)).status).toBe(401);
  },
);

test('attack 355: an address by the code alone, the provider alone, another account, or a password → it stays', async () => {
  const target = '/_matrix/client/v3/account/3pid/delete';
  const seed = await turnOn();
  app.stub.clear();
  const challenge = await ask('POST', target, ADDRESS);
  const session = String(challenge.json.session);
  await visitor.open(pageOf(challenge));
  const led = await call(app.url, {
    target: `/_2fa/approve?session=${encodeURIComponent(session)}&provider=oidc`,
  });
  expect(led.headers.location).toBe(pageOf(challenge));
  await visitor.send({ code: codeAt(seed, app.clock.now()) });
  const tries: JsonObject[] = [
    { session },
    { type: SSO, session },
    { type: 'm.login.password', session, password: '', identifier: { type: 'm.id.user', user: userId } },
  ];
  for (const auth of tries) {
    const refused = await ask('POST', target, { auth });
    expect(refused.status === 401 ? refused.json.completed : refused.status).toEqual(
      auth.type === 'm.login.password' ? 400 : ['m.login.2fa.totp'],
    );
  }
  app.stub.addUser({ name: `other${people}`, password: null });
  sso.signedInAs = `other${people}`;
  expect((await throughProvider()).status).toBe(403);
  expect((await ask('POST', target, { auth: { session } })).json.completed).toEqual(['m.login.2fa.totp']);
  expect(app.stub.requestsTo('threepid')).toEqual([]);
});

test('a homeserver that asks for a proof there after all leads on to its own page', async () => {
  const target = '/_matrix/client/v3/account/3pid/delete';
  const seed = await turnOn();
  app.stub.override('/account/3pid/delete', ({ bytes }, next) =>
    bytes.toString().includes('"auth"')
      ? next()
      : { status: 401, body: { session: 'theirs', flows: [{ stages: [SSO] }] } },
  );
  const challenge = await ask('POST', target, ADDRESS);
  const session = String(challenge.json.session);
  await visitor.open(pageOf(challenge));
  await visitor.send({ code: codeAt(seed, app.clock.now()) });
  await throughProvider();
  const led = await ask('POST', target, { auth: { session } });
  expect([led.status, flowsIn(led), led.json.completed]).toEqual([
    401,
    [['m.login.2fa.totp', SSO]],
    ['m.login.2fa.totp'],
  ]);
  expect((await ask('POST', target, { auth: { type: SSO, session } })).status).toBe(200);
});

test('a device password is made for the factor alone, by our registration', async () => {
  const seed = await turnOn();
  app.stub.clear();
  const body = { name: 'bot' };
  const challenge = await ask('POST', `${ORG}/device_passwords`, body);
  expect(flowsIn(challenge)).toEqual([[SSO], ['m.login.2fa.totp'], ['m.login.2fa.recovery']]);
  const auth = {
    type: 'm.login.2fa.totp',
    session: String(challenge.json.session),
    token: codeAt(seed, app.clock.now()),
  };
  const made = await ask('POST', `${ORG}/device_passwords`, { ...body, auth });
  expect(made.json).toMatchObject({ name: 'bot', device_password: expect.stringMatching(/^m2dp-/) });
  const logins = app.stub.requestsTo('login').filter(({ method }) => method === 'POST');
  expect(logins.map(({ json }) => json)).toEqual([
    {
      type: SERVICE,
      identifier: { type: 'm.id.user', user: userId },
      initial_device_display_name: 'bot',
    },
  ]);
  expect(livesOn()).toEqual(['CLIENT', made.json.device_id]);
});

test('without a registration nothing of this is offered', async () => {
  const plain = await startApp({ users: [{ name: 'alice', password: null }], sso });
  try {
    const { token: own } = plain.stub.signIn('alice');
    const challenge = await plain.call({ method: 'POST', target: TOTP, token: own, json: {} });
    expect(flowsIn(challenge)).toEqual([[SSO], ['m.login.password']]);
  } finally {
    await plain.stop();
  }
});
