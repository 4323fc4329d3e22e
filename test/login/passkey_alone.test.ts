import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { effect } from '../../src/storage/statement.ts';
import { createLogger } from '../../src/system/logger.ts';
import { hashToken } from '../../src/system/token_hash.ts';
import { LOGIN, startApp, type TestApp } from '../support/app.ts';
import { describeOnSharedDatabases } from '../support/both_databases.ts';
import { call } from '../support/http.ts';
import { PASSKEYS, PasskeyUser } from '../support/passkey_user.ts';
import { ServeProcess } from '../support/serve_process.ts';
import { FLAGS, newKeys, SoftwareAuthenticator, type Twist } from '../support/software_authenticator.ts';
import { textOfStore } from '../support/store_text.ts';
import { formsOf, plainOf, Visitor } from '../support/visitor.ts';
import {
  askedIn,
  awaited,
  LonePerson,
  OWN_TOKEN,
  pageFor,
  passwordless,
  REFUSED,
  SERVICE,
  VERIFIED,
} from './lone_person.ts';
import { loginsOf, MINUTE } from './support.ts';

const ENDED = 'This sign-in has ended. Please sign in again.';

const CONFIG = [
  'webauthn: { passwordless: true }',
  'sso: { clients: ["https://listed.example.net"] }',
  'limits: { per_address: { per_second: 1, burst_count: 30 } }',
].join('\n');

describeOnSharedDatabases('a passkey alone', (start) => {
  let app: TestApp;
  let other: TestApp;
  let bob: LonePerson;
  const written: string[] = [];
  const ends: (() => void)[] = [];

  beforeAll(async () => {
    const stream = { write: (line: string) => void written.push(line) };
    const log = createLogger({ level: 'debug', format: 'json' }, stream);
    app = await start({ ...passwordless(CONFIG), log });
    other = await app.startAnother();
  });
  beforeEach(async () => {
    app.stub.clear();
    // Failures of the test before count for the address.
    app.clock.advance(10 * MINUTE);
    bob = await LonePerson.enrolled(app);
  });
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  /** From now on the homeserver answers our own logins so, until the test or the answer of this ends that. */
  function answerOwnLogins(status: number, body: object): () => void {
    const end = app.stub.override(/POST .*\/login$/, (exchange, next) =>
      exchange.bytes.includes(SERVICE) ? { status, body: { ...body } } : next(),
    );
    ends.push(end);
    return end;
  }

  test('signs in: the page, who gets access, a login token, and the login with the wished device', async () => {
    const { options, form } = await bob.asked();
    expect(options).toMatchObject({
      rpId: 'matrix.example.org',
      allowCredentials: [],
      userVerification: 'required',
      timeout: 5 * MINUTE,
    });
    const asking = await bob.answer(form, bob.user.key.get(options));
    expect(asking.text).toContain('Continue to app.example.net?');
    expect(asking.text).toContain(bob.user.userId);
    // Nothing is held at the homeserver.
    expect(loginsOf(app)).toEqual([]);

    const token = await bob.allow();
    const wishes = { device_id: 'PHONE', initial_device_display_name: 'my phone' };
    const answer = await bob.redeem(token, { ...wishes, refresh_token: true });
    expect(answer.json).toMatchObject({ user_id: bob.user.userId, device_id: 'PHONE' });
    expect(loginsOf(app).map(({ json }) => json)).toEqual([
      {
        ...{ type: SERVICE, identifier: { type: 'm.id.user', user: bob.user.userId } },
        ...{ ...wishes, refresh_token: true },
      },
    ]);
    expect(app.stub.isLive(String(answer.json.access_token))).toBe(true);
    expect(await bob.user.events()).toEqual(
      expect.arrayContaining(['webauthn.used', 'appservice.own_login', 'login.completed']),
    );
    // It counts as a login with a second factor.
    const hash = hashToken(String(answer.json.access_token));
    expect(await app.storage.freshLogins.find(hash)).toMatchObject({ userId: bob.user.userId });
    // The mark of a browser in which a factor was passed.
    expect(bob.visitor.cookies.has('m2fa_browser')).toBe(true);
  });

  test('a listed client is not asked about; one that is told no gets nothing', async () => {
    const listed = LonePerson.at(app, bob.user, pageFor('https://listed.example.net/'));
    const back = await listed.give();
    expect(back.status).toBe(303);
    expect(back.headers.location).toMatch(/^https:\/\/listed.example.net\/\?loginToken=/);
    await bob.give();
    const cancelled = await bob.visitor.send({ decision: 'deny' });
    expect(cancelled.text).toContain('Sign-in cancelled');
  });

  test('leads into the account page, too', async () => {
    const person = LonePerson.at(app, bob.user, '/_2fa/account?action=org.matrix.devices_list');
    await person.give();
    expect(person.visitor.led).toBe('/_2fa/account?action=org.matrix.devices_list');
    const cookie = [...person.visitor.cookies].find(([name]) => name.includes('m2fa_page'));
    const session = await app.call({
      method: 'POST',
      target: '/_2fa/account/session',
      json: {},
      headers: { cookie: (cookie ?? []).join('='), origin: 'https://matrix.example.org' },
    });
    expect(session.json).toMatchObject({ user_id: bob.user.userId, factor: 'webauthn' });
  });

  test('attack 250: an answer of a passkey while nobody signs in by one alone → it is not looked at', async () => {
    const { options, form } = await bob.asked();
    const off = await app.startAnother('');
    const visitor = new Visitor(off.url);
    expect((await visitor.open(bob.page)).text).not.toContain('data-webauthn-options');
    const [plain] = formsOf(visitor.last?.text ?? '');
    const credential = JSON.stringify(bob.user.key.get(options));
    const fields = { ...plain?.fields, question: form.fields.question ?? '', credential };
    const answer = await visitor.post(fields, {}, plain?.action);
    expect(answer.text).toContain('Enter your username.');
    expect(await bob.user.events()).not.toContain('webauthn.used');
  });

  test('attack 250: a question for a sign-in by a passkey alone is none for anything else, and the reverse', async () => {
    const { options } = await bob.asked();
    const challenge = await bob.user.challenged();
    const stage = bob.user.stage(challenge);
    const foreign = await bob.user.answer({ ...stage, credential: bob.user.key.get(options) });
    expect(foreign.status).toBe(401);
    const { form } = await bob.asked();
    const inSession = await bob.user.challenged();
    const answer = await bob.answer(form, bob.user.stage(inSession).credential as never);
    expect(answer.text).toContain(REFUSED);
  });

  const wrong: [string, Twist][] = [
    ['nobody verified', { flags: FLAGS.up }],
    ['nobody present', { flags: FLAGS.uv }],
    ['no user in it', { userHandle: null }],
    ['another user in it', { userHandle: Buffer.alloc(32, 1).toString('base64url') }],
    ['another origin', { clientData: { origin: 'https://matrix.example.org.evil.example' } }],
    ['a frame', { clientData: { crossOrigin: true } }],
    ['another domain', { rpId: 'evil.example' }],
    ['another type', { clientData: { type: 'webauthn.create' } }],
    ['another key', { signsWith: newKeys('es256').privateKey }],
    ['an unknown credential', { id: Buffer.alloc(32, 2) }],
  ];

  test('attack 251: not verified, of another origin, key, user or kind → one page, one text', async () => {
    const texts = new Set<string>();
    for (const [, twist] of wrong) {
      const { text, status } = await bob.give(twist);
      expect(status).toBe(200);
      expect(text).toContain(REFUSED);
      texts.add(plainOf(text));
    }
    for (const sent of ['', '{}', 'x', '{"id":"x"}']) {
      const { form } = await bob.asked();
      const { text } = await bob.visitor.post({ ...form.fields, credential: sent }, {}, form.action);
      texts.add(plainOf(text));
    }
    expect([...texts]).toHaveLength(1);
    expect(await bob.user.events()).not.toContain('webauthn.used');
    expect((await bob.give()).text).toContain('Continue to app.example.net?');
  });

  test('attack 251: an answer to another visit, another browser, another turn, late, or twice → refused', async () => {
    const first = await bob.asked();
    const other = await bob.asked();
    const answer = bob.user.key.get(first.options);
    // The form of the one visit with the question of the other.
    const moved = { ...other.form.fields, question: first.form.fields.question ?? '' };
    const elsewhere = await bob.visitor.post(
      { ...moved, credential: JSON.stringify(answer) },
      {},
      other.form.action,
    );
    expect(elsewhere.text).toContain(REFUSED);

    const thief = LonePerson.at(app, bob.user);
    const theirs = await thief.asked();
    const stolen = { ...theirs.form.fields, question: first.form.fields.question ?? '' };
    const inTheirs = await thief.visitor.post(
      { ...stolen, credential: JSON.stringify(answer) },
      {},
      theirs.form.action,
    );
    expect(inTheirs.text).toContain(REFUSED);

    const late = await bob.asked();
    const prepared = bob.user.key.get(late.options);
    app.clock.advance(5 * MINUTE);
    expect((await bob.answer(late.form, prepared)).text).toContain(REFUSED);

    // The page that says so asks once more, and a form that was sent is not judged again.
    const again = askedIn(bob.visitor.last?.text ?? '');
    expect((await bob.answer(again.form, bob.user.key.get(again.options))).text).toContain('Continue to');
    const used = (await bob.user.events()).filter((event) => event === 'webauthn.used');
    await bob.answer(again.form, bob.user.key.get(again.options));
    expect((await bob.user.events()).filter((event) => event === 'webauthn.used')).toEqual(used);
  });

  test('attack 251: one answer twenty times at once, over two processes, is accepted once', async () => {
    bob = await LonePerson.enrolled(app, new SoftwareAuthenticator({ flags: VERIFIED, counts: false }));
    const { options, form } = await bob.asked();
    const fields = { ...form.fields, credential: JSON.stringify(bob.user.key.get(options)) };
    const visitors = Array.from({ length: 20 }, (_, index) => {
      const visitor = new Visitor(index % 2 === 0 ? app.url : other.url);
      for (const [name, value] of bob.visitor.cookies) visitor.cookies.set(name, value);
      return visitor;
    });
    await Promise.all(visitors.map((visitor) => visitor.post(fields, {}, form.action)));
    expect((await bob.user.events()).filter((event) => event === 'webauthn.used')).toHaveLength(1);

    // Nor when its visit is forgotten, as the oldest of many is.
    await app.storage.commit([], effect('DELETE FROM visits'));
    expect((await bob.visitor.post(fields, {}, form.action)).text).toContain(REFUSED);
    expect((await bob.user.events()).filter((event) => event === 'webauthn.used')).toHaveLength(1);
  });

  test('attack 251: a form from another site → 403, and the question is open still', async () => {
    const { options, form } = await bob.asked();
    const credential = bob.user.key.get(options);
    const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    expect((await bob.answer(form, credential, foreign)).status).toBe(403);
    const withoutToken = { ...form, fields: { ...form.fields, form_token: 'x' } };
    expect((await bob.answer(withoutToken, credential)).status).toBe(403);
    expect((await bob.answer(form, credential)).text).toContain('Continue to app.example.net?');
  });

  test('a counter that goes back is refused and told; a forged one raises no alert', async () => {
    await bob.give({ counter: 9 });
    expect((await bob.give({ counter: 9, signsWith: newKeys('es256').privateKey })).text).toContain(REFUSED);
    expect(await bob.user.events()).not.toContain('webauthn.counter_back');
    expect((await bob.give({ counter: 9 })).text).toContain(REFUSED);
    expect(await bob.user.events()).toContain('webauthn.counter_back');
  });

  test('attack 252: unknown, removed, closed and foreign accounts are not told apart', async () => {
    const alice = await LonePerson.enrolled(app);
    await app.storage.factors.removeAllFactors(alice.user.userId);
    const texts = [
      await alice.give(),
      await LonePerson.at(app, new PasskeyUser(app, alice.user.name)).give({ userHandle: 'AAAA' }),
      await bob.give({ signsWith: newKeys('es256').privateKey }),
    ].map(({ text }) => plainOf(text));
    expect(new Set(texts).size).toBe(1);

    // The homeserver closed the account: nothing but the client's login says so, as for any other that has ended.
    const token = await bob.token();
    const end = answerOwnLogins(403, {
      errcode: 'M_USER_DEACTIVATED',
      error: 'This account was deactivated',
    });
    const closed = await bob.redeem(token);
    end();
    const unknown = await bob.redeem('m2faf_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA');
    expect([closed.status, closed.json]).toEqual([403, { errcode: 'M_FORBIDDEN', error: ENDED }]);
    expect(unknown.text).toBe(closed.text);
  });

  test('attack 252: a passkey that the policy kept out is not told from an unknown one; one from before stays in force', async () => {
    const unknown = await bob.give({ id: Buffer.alloc(32, 2) });
    const name = 'kept_out';
    app.stub.addUser({ name, password: `${name} password` });
    const user = new PasskeyUser(app, name, new SoftwareAuthenticator({ flags: VERIFIED }));
    const begun = await user.begin();
    const made = user.key.create(begun.public_key as JsonObject);
    const forbidden = [name, bob.user.name].map((each) => `"@${each}:localhost": forbidden`);
    const forbidding = await app.startAnother(`${CONFIG}\npolicy: { users: { ${forbidden.join(', ')} } }`);
    const confirmation = { setup_id: String(begun.setup_id), credential: made };
    const confirmed = await forbidding.post(`${PASSKEYS}/confirm`, confirmation, user.token);
    expect([confirmed.status, confirmed.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
    // Their key has it nevertheless.
    const refused = await LonePerson.at(forbidding, user).give();
    expect(refused.text).toContain(REFUSED);
    expect(plainOf(refused.text)).toBe(plainOf(unknown.text));

    const { text } = await LonePerson.at(forbidding, bob.user).give();
    expect(text).toContain('Continue to app.example.net?');
  });

  test('attack 253: a login token twenty times at once, over two processes → one login; then never again', async () => {
    const token = await bob.token();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        bob.redeem(token, { device_id: 'PHONE' }, index % 2 === 0 ? app : other),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array<number>(19).fill(403)]);
    expect(loginsOf(app)).toHaveLength(1);
    expect((await bob.redeem(token)).json.error).toBe(ENDED);
    // Logins of the tests before may still be ended meanwhile.
    const given = answers.find(({ status }) => status === 200)?.json.access_token;
    const ended = app.stub.requestsTo('logout').map(({ headers }) => headers.authorization);
    expect(ended).not.toContain(`Bearer ${given}`);
  });

  test('attack 253: a login token after two minutes, after its passkey, 2FA or password changed → 403', async () => {
    const late = await bob.token();
    app.clock.advance(2 * MINUTE);
    expect((await bob.redeem(late)).json.error).toBe(ENDED);

    const { userId } = bob.user;
    const changed = await bob.token();
    await app.storage.factors.endProofs(userId);
    expect((await bob.redeem(changed)).json.error).toBe(ENDED);

    // Between the page that asks and the yes.
    await bob.give();
    await app.storage.factors.endProofs(userId);
    expect((await bob.visitor.send({ decision: 'allow' })).text).toContain('Your account has changed');

    const removed = await bob.token();
    await app.storage.factors.removeAllFactors(userId);
    expect((await bob.redeem(removed)).json.error).toBe(ENDED);
    expect(loginsOf(app)).toEqual([]);
  });

  test('attack 253: what changes while the homeserver logs in → 403, and that login is ended', async () => {
    const token = await bob.token();
    const end = app.stub.override(/POST .*\/login$/, async (_exchange, next) => {
      await app.storage.factors.endProofs(bob.user.userId);
      return next();
    });
    const before = app.stub.liveTokens(bob.user.name);
    expect((await bob.redeem(token)).json.error).toBe(ENDED);
    end();
    expect(loginsOf(app)).toHaveLength(1);
    expect(app.stub.liveTokens(bob.user.name)).toEqual(before);
  });

  test('a login token stays good after 429 and 5xx', async () => {
    const token = await bob.token();
    const limited = answerOwnLogins(429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 7000 });
    const waiting = await bob.redeem(token);
    expect([waiting.status, waiting.json.retry_after_ms]).toEqual([429, 7000]);
    limited();
    const broken = answerOwnLogins(503, {});
    expect((await bob.redeem(token)).status).toBe(502);
    broken();
    expect((await bob.redeem(token, { device_id: 'PHONE' })).json).toMatchObject({ device_id: 'PHONE' });
  });

  test('a process that is cut off while it logs in leaves the token to another one; its own login gets nobody in', async () => {
    const token = await bob.token();
    const late = awaited();
    const asked = awaited();
    const through = app.stub.override(/POST .*\/login$/, async (_exchange, next) => {
      asked.resolve();
      await late.promise;
      return next();
    });
    const first = bob.redeem(token);
    await asked.promise;
    through();
    expect((await bob.redeem(token, {}, other)).status).toBe(403);
    app.clock.advance(MINUTE);
    const answer = await bob.redeem(token, {}, other);
    expect(answer.status).toBe(200);
    late.resolve();
    expect((await first).json.error).toBe(ENDED);
    expect(app.stub.liveTokens(bob.user.name)).toEqual([bob.user.token, answer.json.access_token]);
  });

  test('attack 254: another user in the answer to the login of a passkey → logged out, 502, nobody is signed in', async () => {
    const token = await bob.token();
    const { user: alice } = await LonePerson.enrolled(app);
    const { token: hers } = app.stub.signIn(alice.name, 'PHONE');
    answerOwnLogins(200, { user_id: alice.userId, access_token: hers, device_id: 'PHONE' });
    const answer = await bob.redeem(token);
    expect(answer.status).toBe(502);
    expect(answer.text).not.toContain(hers);
    expect(app.stub.isLive(hers)).toBe(false);
  });

  test('attack 255: the as_token in no page, answer, log or database of such a sign-in; from a client it is gated', async () => {
    const token = await bob.token();
    const refuse = answerOwnLogins(403, { errcode: 'M_FORBIDDEN', error: `no ${OWN_TOKEN} here` });
    written.push((await bob.redeem(token)).text, bob.visitor.last?.text ?? '');
    refuse();
    written.push((await bob.redeem(token)).text);
    const login = { type: SERVICE, identifier: { type: 'm.id.user', user: bob.user.name } };
    expect((await app.post(LOGIN, login, OWN_TOKEN)).status).toBe(401);
    written.push(await textOfStore(app.storage));
    expect(written.filter((text) => text.includes(OWN_TOKEN))).toEqual([]);
    expect(written.filter((text) => text.includes(token))).toEqual([]);
  });

  test('a key that verifies nobody is a second factor, and no more', async () => {
    bob = await LonePerson.enrolled(app, new SoftwareAuthenticator());
    expect((await bob.give()).text).toContain(REFUSED);
    expect((await bob.user.answer(bob.user.stage(await bob.user.challenged()))).status).toBe(200);
  });
});

test('kill -9 between a login token and its login, and during it: another process takes the token', async () => {
  const app = await startApp(passwordless());
  const bob = await LonePerson.enrolled(app);
  await app.shutDown();
  const serving = await ServeProcess.start(join(app.directory, 'config.yaml'));
  try {
    const [one, two] = [LonePerson.at(app, bob.user), LonePerson.at(app, bob.user)];
    one.visitor.url = serving.url;
    two.visitor.url = serving.url;
    const [unused, underWay] = [await one.token(), await two.token()];
    const asked = awaited();
    const free = app.stub.override(/POST .*\/login$/, () => {
      asked.resolve();
      return new Promise<never>(() => undefined);
    });
    const cut = call(serving.url, { target: LOGIN, json: { type: 'm.login.token', token: underWay } });
    const hasFailed = cut.then(
      () => false,
      () => true,
    );
    await asked.promise;
    await serving.kill();
    expect(await hasFailed).toBe(true);
    free();
    app.clock.set(Date.now());
    await app.start();
    expect((await bob.redeem(unused)).status).toBe(200);
    app.clock.advance(MINUTE);
    expect((await bob.redeem(underWay)).status).toBe(200);
  } finally {
    await serving.kill();
    await app.stop();
  }
});
