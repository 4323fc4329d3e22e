import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/matrix/wire.ts';
import { effect } from '../../../src/storage/statement.ts';
import { findCredentials } from '../../../src/storage/tables/credentials.ts';
import { countKinds } from '../../../src/storage/tables/known_users.ts';
import { type Log, silentLog } from '../../../src/system/log.ts';
import { LOGIN, passwordLogin } from '../../support/app.ts';
import { describeOnBothDatabases, type StartApp } from '../../support/both_databases.ts';
import {
  ORG,
  optionsIn,
  PASSKEYS,
  PasskeyUser,
  stagesIn,
  TWO_FACTOR,
  WEBAUTHN_STAGE,
} from '../../support/passkey_user.ts';
import { FLAGS, newKeys, SoftwareAuthenticator, type Twist } from '../../support/software_authenticator.ts';
import { Visitor } from '../../support/visitor.ts';

const DELETE_DEVICES = '/_matrix/client/v3/delete_devices';
const NOT_ACCEPTED = 'This passkey or security key was not accepted.';
const OFF = 'webauthn: { enabled: false }';
const CONFIG = 'login: { hold_ttl: 30m }\nuia: { session_ttl: 30m }';
const MINUTE = 60_000;
const THOUSAND = 'WITH RECURSIVE copies (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < 1000)';
/** Of the one passkey that there is. */
const A_THOUSAND_MORE = [
  `${THOUSAND} INSERT INTO authenticators (id, user_id, kind, name, sealed_seed, enabled_at, last_step)
     SELECT id || n, user_id, kind, name, sealed_seed, enabled_at, last_step FROM authenticators, copies`,
  `${THOUSAND} INSERT INTO credentials (authenticator_id, user_id, credential_hash, rp_id, backed_up)
     SELECT authenticator_id || n, user_id, credential_hash || n, rp_id, backed_up FROM credentials, copies`,
];

async function started(start: StartApp, config = CONFIG) {
  const users = ['alice', 'bob'].map((name) => ({ name, password: `${name} password` }));
  return start({ users, config });
}

async function enrolled(start: StartApp, key?: SoftwareAuthenticator, config?: string): Promise<PasskeyUser> {
  const bob = new PasskeyUser(await started(start, config), 'bob', key);
  await bob.enrol();
  return bob;
}

describeOnBothDatabases('a passkey as second factor', (start) => {
  test('set-up, state, sign-in, renaming, removal, history', async () => {
    const bob = new PasskeyUser(await started(start), 'bob');
    const begun = await bob.begin({ name: 'phone' });
    expect(begun.public_key).toMatchObject({
      rp: { id: 'matrix.example.org', name: 'matrix.example.org' },
      user: { name: bob.userId, displayName: bob.userId },
      excludeCredentials: [],
    });
    expect(begun.recovery_codes).toBe('new');
    const confirmed = await bob.confirm(begun, bob.key.create(begun.public_key as JsonObject));
    expect(confirmed.status).toBe(200);
    expect(confirmed.json.recovery_codes).toHaveLength(10);
    expect(await bob.passkey()).toMatchObject({
      id: confirmed.json.authenticator_id,
      name: 'phone',
      last_used_at: null,
      backed_up: false,
      discoverable: true,
      usable: true,
      counter_alert_at: null,
    });

    const challenge = await bob.challenged();
    expect(stagesIn(challenge)).toEqual([
      ['m.login.password', WEBAUTHN_STAGE],
      ['m.login.password', 'm.login.2fa.recovery'],
    ]);
    // Clients that only ask for a password show it.
    expect(challenge.json.error).toBe(
      'Two-factor authentication is on for this account. Type a recovery code directly after your password. Other ways for this client: https://matrix.example.org/_2fa/account. Help: https://matrix.example.org/_2fa/help',
    );
    expect(optionsIn(challenge)).toMatchObject({
      rpId: 'matrix.example.org',
      allowCredentials: [
        { type: 'public-key', id: bob.key.id.toString('base64url'), transports: ['internal', 'hybrid'] },
      ],
      userVerification: 'preferred',
    });
    const opened = await bob.answer(bob.stage(challenge));
    expect(opened.json).toMatchObject({ user_id: bob.userId, access_token: expect.any(String) });
    expect((await bob.passkey()).last_used_at).toEqual(expect.any(Number));

    const { id } = await bob.passkey();
    expect((await bob.ask('PUT', `${ORG}/authenticators/${String(id)}`, { name: 'key' })).status).toBe(200);
    const asked = await bob.ask('DELETE', PASSKEYS, { authenticator_id: id });
    expect(stagesIn(asked)).toContainEqual([WEBAUTHN_STAGE, 'm.login.password']);
    const proven = await bob.ask('DELETE', PASSKEYS, { auth: bob.stage(asked) });
    expect(proven.json.completed).toEqual([WEBAUTHN_STAGE]);
    const auth = bob.passwordStage({ session: String(asked.json.session) });
    expect((await bob.ask('DELETE', PASSKEYS, { auth })).status).toBe(200);
    expect((await bob.ask('GET', TWO_FACTOR)).json).toEqual({ enabled: false, providers: {} });
    expect(await bob.events()).toEqual([
      ...['webauthn.disabled', 'webauthn.used', 'webauthn.renamed'],
      ...['login.completed', 'webauthn.used', 'webauthn.enabled'],
    ]);
    // Its credential may be taken again: nothing of it is left.
    await bob.enrol();
  });

  test('keys of every algorithm, synchronised ones, ones that do not count, and self-attested ones', async () => {
    const app = await started(start);
    const bob = new PasskeyUser(app, 'bob');
    await bob.enrol();
    const others = [
      new SoftwareAuthenticator({ algorithm: 'eddsa' }),
      new SoftwareAuthenticator({ algorithm: 'rs256' }),
      new SoftwareAuthenticator({ counts: false, flags: FLAGS.up | FLAGS.uv | FLAGS.be | FLAGS.bs }),
    ];
    for (const key of others) {
      const asked = await bob.ask('POST', PASSKEYS, { name: 'further' });
      await bob.ask('POST', PASSKEYS, { auth: bob.stage(asked) });
      const auth = bob.passwordStage({ session: String(asked.json.session) });
      const begun = await bob.ask('POST', PASSKEYS, { auth });
      expect(begun.json.recovery_codes).toBe('kept');
      const options = begun.json.public_key as JsonObject;
      expect(options.excludeCredentials).not.toEqual([]);
      const credential = key === others[2] ? key.create(options) : key.createPacked(options);
      expect((await bob.confirm(begun.json, credential)).json.recovery_codes).toEqual([]);
      const passkey = new PasskeyUser(app, 'bob', key);
      for (let times = 0; times < 2; times += 1) {
        const challenge = await passkey.challenged();
        expect((await passkey.answer(passkey.stage(challenge))).status).toBe(200);
      }
    }
    const { json } = await bob.ask('GET', TWO_FACTOR);
    const { authenticators } = (json.providers as Record<string, { authenticators: JsonObject[] }>)[
      WEBAUTHN_STAGE
    ] ?? { authenticators: [] };
    expect(authenticators.filter(({ backed_up }) => backed_up)).toHaveLength(1);
    expect(authenticators).toHaveLength(4);
  });

  test('set up during a sign-in that owes it', async () => {
    const app = await started(start, `${CONFIG}\npolicy: { default: required }`);
    const challenge = await app.post(LOGIN, passwordLogin('bob', 'bob password'));
    const session = String(challenge.json.session);
    const begun = await app.post(`${ORG}/enrolment`, { session, factor: 'webauthn' });
    expect(begun.status).toBe(200);
    const key = new SoftwareAuthenticator();
    const setup_id = String(begun.json.setup_id);
    const credential = key.create(begun.json.public_key as JsonObject);
    const confirm = { session, setup_id, credential };
    const wrong = { ...confirm, credential: { ...credential, id: 'AAAA', rawId: 'AAAA' } };
    expect((await app.post(`${ORG}/enrolment/confirm`, wrong)).status).toBe(403);
    expect((await app.post(`${ORG}/enrolment/confirm`, { session, setup_id })).status).toBe(400);
    const confirmed = await app.post(`${ORG}/enrolment/confirm`, confirm);
    expect(confirmed.json).toMatchObject({ authenticator_id: expect.any(String) });
    expect((await app.post(LOGIN, { auth: { session } })).status).toBe(200);
    const bob = new PasskeyUser(app, 'bob', key);
    expect((await bob.answer(bob.stage(await bob.challenged()))).status).toBe(200);
  });

  test('operators list it by its kind, and a reset leaves nothing of it', async () => {
    const bob = await enrolled(start);
    const { storage } = bob.app;
    expect(await storage.read(countKinds(bob.userId, bob.userId))).toMatchObject([
      { kind: 'webauthn', count: 1 },
    ]);
    expect(await storage.factors.removeAllFactors(bob.userId)).toBe(1);
    expect(await storage.read(findCredentials(bob.userId))).toEqual([]);
    await bob.enrol();
  });

  test('off: no path, no flow, and what users have stays in their state, not usable', async () => {
    const app = await started(start, OFF);
    const bob = new PasskeyUser(app, 'bob');
    for (const [method, target] of [
      ['POST', PASSKEYS],
      ['POST', `${PASSKEYS}/confirm`],
      ['DELETE', PASSKEYS],
    ] as const) {
      const answer = await bob.ask(method, target, {});
      expect([answer.status, answer.json.errcode]).toEqual([404, 'M_UNRECOGNIZED']);
    }
    const unknown = await app.post(LOGIN, { auth: { session: `m2fa_${'a'.repeat(27)}` } });
    expect(JSON.stringify(unknown.json)).not.toContain('webauthn');
    const fallback = `/_matrix/client/v3/auth/${WEBAUTHN_STAGE}/fallback/web?session=x`;
    expect((await app.call({ target: fallback })).status).toBe(404);
  });

  test('turned off, or bound to another domain, it is shown and of no use; recovery codes are left', async () => {
    const app = await started(start);
    const bob = new PasskeyUser(app, 'bob');
    const { recovery_codes } = await bob.enrol();
    const [code] = recovery_codes as string[];
    const domain = 'webauthn: { enabled: true, rp_id: example.org }';
    for (const config of ['webauthn: { enabled: false }', domain]) {
      const other = await app.startAnother(config);
      const before = await other.call({ target: TWO_FACTOR, token: bob.token });
      expect(before.json).toMatchObject({
        enabled: true,
        providers: { [WEBAUTHN_STAGE]: { authenticators: [{ usable: false }] } },
      });
      const challenge = await bob.challenged(other);
      expect(stagesIn(challenge)).toEqual([['m.login.password', 'm.login.2fa.recovery']]);
    }
    const challenge = await bob.challenged();
    const auth = { type: 'm.login.2fa.recovery', session: String(challenge.json.session), token: code ?? '' };
    expect((await bob.answer(auth)).status).toBe(200);
  });

  test('a start says how many passkeys are bound to another domain, up to a thousand', async () => {
    const remarks: string[] = [];
    const log: Log = { ...silentLog, warn: (_fields, text) => void remarks.push(text) };
    const app = await start({ users: [{ name: 'bob', password: 'bob password' }], log });
    await new PasskeyUser(app, 'bob').enrol();
    await app.proxy.remarkOnFactors();
    expect(remarks).toEqual([]);
    const other = await app.startAnother('webauthn: { enabled: true, rp_id: example.org }');
    const words = 'passkeys for another domain than example.org, which are of no use:';
    await other.proxy.remarkOnFactors();
    expect(remarks.splice(0)).toEqual([`${words} 1 (webauthn.rp_id)`]);
    for (const statement of A_THOUSAND_MORE) await app.storage.commit([], effect(statement));
    await other.proxy.remarkOnFactors();
    expect(remarks).toEqual([`${words} more than 1000 (webauthn.rp_id)`]);
  });

  test('without a script pages say that passkeys do not work there, and have the field for codes', async () => {
    const bob = await enrolled(start);
    const challenge = await bob.ask('POST', DELETE_DEVICES, { devices: ['X'] });
    const session = String(challenge.json.session);
    const target = `/_matrix/client/v3/auth/${WEBAUTHN_STAGE}/fallback/web?session=${session}`;
    const fallback = await bob.app.call({ target, headers: { 'accept-language': 'de' } });
    const visitor = new Visitor(bob.app.url);
    await visitor.open(`/_2fa/login?redirectUrl=${encodeURIComponent('https://client.example.org/')}`);
    const signIn = await visitor.send({ user: 'bob', password: bob.password });
    expect(fallback.text).toContain('Passkeys funktionieren in diesem Fenster nicht.');
    expect(signIn.text).toContain('Passkeys do not work in this window.');
    for (const page of [fallback, signIn]) {
      expect(page.text).toContain('name="recovery_code"');
      expect(page.text).toMatch(/<button [^>]*hidden>/);
      expect(page.headers['permissions-policy']).toContain('publickey-credentials-get=(self)');
    }
  });

  test('the form of a page: nothing, something else, a wrong answer, the right one', async () => {
    const bob = await enrolled(start);
    const visitor = new Visitor(bob.app.url);
    await visitor.open(`/_2fa/login?redirectUrl=${encodeURIComponent('https://client.example.org/')}`);
    await visitor.send({ user: 'bob', password: bob.password });
    const answer = (twist: Twist = {}) => JSON.stringify(bob.key.get(questionOn(visitor), twist));
    const asked = questionOn(visitor);
    for (const credential of ['', '{', '{}', '[]', '{"id":1}']) {
      expect((await visitor.send({ credential })).text).toContain('Enter a code.');
    }
    // None of them was an attempt: the question stands.
    expect(questionOn(visitor)).toEqual(asked);
    const refusal = await visitor.send({
      credential: answer({ clientData: { origin: 'https://evil.example.org' } }),
    });
    expect(refusal.text).toContain(
      'This passkey or security key was not accepted. Try again, or use a code.',
    );
    expect(questionOn(visitor)).not.toEqual(asked);
    const accepted = await visitor.send({ credential: answer() });
    expect(accepted.text).toContain('Continue to client.example.org?');
    const back = await visitor.send({ decision: 'allow' });
    expect(back.headers.location).toMatch(/^https:\/\/client\.example\.org\/\?loginToken=/);
  });

  test('the form of a fallback page', async () => {
    const bob = await enrolled(start);
    const challenge = await bob.ask('POST', DELETE_DEVICES, { devices: ['X'] });
    const session = String(challenge.json.session);
    const visitor = new Visitor(bob.app.url);
    await visitor.open(`/_matrix/client/v3/auth/${WEBAUTHN_STAGE}/fallback/web?session=${session}`);
    const answer = bob.key.get(questionOn(visitor));
    const done = await visitor.send({ credential: JSON.stringify(answer) });
    expect(done.text).toContain('You can close this page');
    // The client goes on with the password, in its session.
    const auth = bob.passwordStage({ session });
    expect((await bob.ask('POST', DELETE_DEVICES, { devices: ['X'], auth })).status).toBe(200);
  });
});

/** What the script of a page gives to the browser. */
function questionOn({ last }: Visitor): JsonObject {
  const [, written = ''] = / data-webauthn-options="([^"]*)"/.exec(last?.text ?? '') ?? [];
  return JSON.parse(written.replaceAll('&quot;', '"').replaceAll('&amp;', '&')) as JsonObject;
}

describeOnBothDatabases('attacks on passkeys', (start) => {
  /** A refusal, alike whatever the reason, with a new question. */
  async function refused(
    bob: PasskeyUser,
    challenge: Awaited<ReturnType<PasskeyUser['challenged']>>,
    auth: JsonObject,
  ) {
    const answer = await bob.answer(auth);
    expect([answer.status, answer.json.errcode, answer.json.error]).toEqual([
      401,
      'M_FORBIDDEN',
      NOT_ACCEPTED,
    ]);
    expect(optionsIn(answer).challenge).not.toBe(optionsIn(challenge).challenge);
    return answer;
  }

  test('attack 231: one answer twice, in another session, twenty times at once, in two processes', async () => {
    const bob = await enrolled(start);
    const other = await bob.app.startAnother();
    const challenge = await bob.challenged();
    const auth = bob.stage(challenge);
    const elsewhere = await bob.challenged();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => bob.answer(auth, at % 2 === 0 ? bob.app : other)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.every(({ status }) => status === 200 || status === 401)).toBe(true);
    expect((await bob.answer(auth)).status).not.toBe(200);
    await refused(bob, elsewhere, { ...auth, session: String(elsewhere.json.session) });
    expect((await bob.events()).filter((event) => event === 'webauthn.used')).toHaveLength(1);
  });

  test('attack 232: a question of another session, user, endpoint or purpose, a late one, one after an attempt', async () => {
    const bob = await enrolled(start);
    const alice = new PasskeyUser(bob.app, 'alice');
    await alice.enrol();
    const foreign = [
      optionsIn(await bob.challenged()),
      optionsIn(await alice.challenged()),
      optionsIn(await bob.ask('POST', DELETE_DEVICES, { devices: ['X'] })),
    ];
    for (const options of foreign) {
      const challenge = await bob.challenged();
      await refused(bob, challenge, { ...bob.stage(challenge), credential: bob.key.get(options) });
    }
    const challenge = await bob.challenged();
    const created = bob.key.get(optionsIn(challenge), { clientData: { type: 'webauthn.create' } });
    const next = await refused(bob, challenge, { ...bob.stage(challenge), credential: created });
    // The question went with the attempt.
    const after = await refused(bob, next, {
      ...bob.stage(challenge),
      session: String(challenge.json.session),
    });
    expect((await bob.answer(bob.stage(after))).status).toBe(200);

    const late = await bob.challenged();
    const auth = bob.stage(late);
    bob.app.clock.advance(5 * MINUTE);
    await refused(bob, late, auth);
  });

  test('attack 233: another origin, and frames', async () => {
    const bob = await enrolled(start);
    const origins = [
      'https://matrix.example.org.evil.org',
      'https://example.org',
      'https://matrix.example.org:8448',
      'http://matrix.example.org',
      'https://MATRIX.example.org',
      'https://matrix.example.org/',
      'null',
      null,
      ['https://matrix.example.org'],
    ];
    const wrong = [
      ...origins.map((origin) => ({ origin })),
      { crossOrigin: true },
      { crossOrigin: true, topOrigin: 'https://matrix.example.org' },
      { topOrigin: 'https://evil.example' },
      { crossOrigin: 'true' },
    ];
    for (const clientData of wrong) {
      const challenge = await bob.challenged();
      await refused(bob, challenge, bob.stage(challenge, { clientData }));
    }
    expect((await bob.answer(bob.stage(await bob.challenged()))).status).toBe(200);
  });

  test('attack 234: RP ID, presence, backup flags, bytes left over, type', async () => {
    const bob = await enrolled(start);
    for (const twist of [
      { rpId: 'example.org' },
      { flags: 0 },
      { flags: FLAGS.uv },
      { flags: FLAGS.up | FLAGS.bs },
      { flags: FLAGS.up | FLAGS.be },
      { trailing: Buffer.from([0]) },
      { flags: FLAGS.up | FLAGS.ed },
      { clientData: { type: 'webauthn.create' } },
      { clientData: { challenge: '' } },
      { signsWith: newKeys('es256').privateKey },
    ]) {
      const challenge = await bob.challenged();
      await refused(bob, challenge, bob.stage(challenge, twist));
    }
  });

  test('attack 234: no verification of the user where it is required', async () => {
    const config = 'webauthn: { enabled: true, user_verification: required }';
    const bob = await enrolled(start, new SoftwareAuthenticator({ flags: FLAGS.up | FLAGS.uv }), config);
    const challenge = await bob.challenged();
    expect(optionsIn(challenge).userVerification).toBe('required');
    const next = await refused(bob, challenge, bob.stage(challenge, { flags: FLAGS.up }));
    expect((await bob.answer(bob.stage(next))).status).toBe(200);
  });

  test('attack 235: the credential or the handle of another user', async () => {
    const bob = await enrolled(start);
    const alice = new PasskeyUser(bob.app, 'alice');
    await alice.enrol();
    const first = await bob.challenged();
    await refused(bob, first, { ...bob.stage(first), credential: alice.key.get(optionsIn(first)) });
    for (const twist of [
      { id: alice.key.id },
      { userHandle: Buffer.alloc(32, 1).toString('base64url') },
      { userHandle: 'AA' },
    ]) {
      const challenge = await bob.challenged();
      await refused(bob, challenge, bob.stage(challenge, twist));
    }
    const challenge = await bob.challenged();
    expect((await bob.answer(bob.stage(challenge, { userHandle: null }))).status).toBe(200);
  });

  test('attack 236: a counter that goes back, or stays, is told of; a forged one raises no alert', async () => {
    const bob = await enrolled(start);
    expect((await bob.answer(bob.stage(await bob.challenged()))).status).toBe(200);
    const forged = await bob.challenged();
    await refused(bob, forged, bob.stage(forged, { counter: 0, signsWith: newKeys('es256').privateKey }));
    expect(await bob.passkey()).toMatchObject({ counter_alert_at: null });
    for (const counter of [0, 1]) {
      const challenge = await bob.challenged();
      await refused(bob, challenge, bob.stage(challenge, { counter }));
    }
    expect(await bob.passkey()).toMatchObject({ counter_alert_at: expect.any(Number), usable: true });
    expect((await bob.events()).filter((event) => event === 'webauthn.counter_back')).toHaveLength(2);
    expect((await bob.answer(bob.stage(await bob.challenged()))).status).toBe(200);
  });

  test('attack 237: keys that are not sound, and CBOR that is none, are refused', async () => {
    const bob = new PasskeyUser(await started(start), 'bob');
    const es256 = bob.key.coseKey();
    const with_ = (...changes: [number, unknown][]) => new Map([...es256, ...changes]);
    const rsa = (bits: number) => {
      const { n = '', e = '' } = newKeys('rs256', bits).publicKey.export({ format: 'jwk' });
      const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'base64url'));
      return new Map<number, unknown>([
        [1, 3],
        [3, -257],
        [-1, bytes(n)],
        [-2, bytes(e)],
      ]);
    };
    const twists = [
      { coseKey: with_([3, -35]) },
      { coseKey: with_([3, -8]) },
      { coseKey: with_([-2, Uint8Array.from(Buffer.alloc(32, 7))]) },
      { coseKey: with_([-2, Uint8Array.from(Buffer.alloc(31, 7))]) },
      { coseKey: with_([-1, 2]) },
      { coseKey: with_([-2, 'text']) },
      { coseKey: rsa(1024) },
      { coseKey: new Map(rsa(2048)).set(-2, Uint8Array.from([1])) },
      { coseKey: new Map() },
      { coseKey: 5 },
      { coseKey: [] },
      { object: Buffer.alloc(10_000, 0x81) },
      { object: Buffer.alloc(10_000, 0xa1) },
      { object: Buffer.from('9b7fffffffffffffff', 'hex') },
      { object: Buffer.from('bb7fffffffffffffff', 'hex') },
      { object: Buffer.from('5b7fffffffffffffff', 'hex') },
      { object: Buffer.from('ff', 'hex') },
      { object: Buffer.from('f6', 'hex') },
      { object: Buffer.alloc(17_000, 1) },
      { trailing: Buffer.from([1, 2, 3]) },
      { id: Buffer.alloc(1024, 1) },
    ];
    for (const twist of twists) {
      const begun = await bob.begin();
      const answer = await bob.confirm(begun, bob.key.create(begun.public_key as JsonObject, twist));
      expect([answer.status, answer.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
    }
    expect((await bob.ask('GET', TWO_FACTOR)).json.enabled).toBe(false);
    await bob.enrol();
  });

  test('attack 238: a set-up by the token alone, by others, twice, late, after five refusals', async () => {
    const app = await started(start);
    const bob = new PasskeyUser(app, 'bob');
    const alice = new PasskeyUser(app, 'alice');
    expect((await bob.ask('POST', PASSKEYS, {})).status).toBe(401);
    const begun = await bob.begin();
    const credential = bob.key.create(begun.public_key as JsonObject);
    expect((await alice.confirm(begun, credential)).status).toBe(404);
    const device = app.stub.signIn('bob', 'OTHER').token;
    const body = { setup_id: String(begun.setup_id), credential };
    expect((await bob.ask('POST', `${PASSKEYS}/confirm`, body, device)).status).toBe(404);
    expect(
      (await bob.ask('POST', `${TWO_FACTOR}/totp/confirm`, { setup_id: body.setup_id, token: '123456' }))
        .status,
    ).toBe(404);
    // Another shape is no attempt.
    for (const wrong of [
      null,
      'x',
      [],
      {},
      { ...credential, type: 'other' },
      { ...credential, response: {} },
    ]) {
      const answer = await bob.ask('POST', `${PASSKEYS}/confirm`, { ...body, credential: wrong });
      expect([answer.status, answer.json.errcode]).toEqual([400, 'M_BAD_JSON']);
    }
    const confirmed = await Promise.all(Array.from({ length: 5 }, () => bob.confirm(begun, credential)));
    expect(confirmed.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(confirmed.every(({ status }) => [200, 404, 429, 403].includes(status))).toBe(true);

    const failing = await alice.begin();
    const options = failing.public_key as JsonObject;
    for (let times = 0; times < 5; times += 1) {
      const wrong = alice.key.create({ ...options, challenge: 'AAAA' });
      const answer = await alice.confirm(failing, wrong);
      expect([answer.status, answer.json.error]).toEqual([403, NOT_ACCEPTED]);
    }
    expect((await alice.confirm(failing, alice.key.create(options))).status).toBe(404);
    const late = await alice.begin();
    app.clock.advance(31 * MINUTE);
    expect((await alice.confirm(late, alice.key.create(late.public_key as JsonObject))).status).toBe(404);
  });

  test('attack 238: a credential that any account has, certificates, forged and foreign statements', async () => {
    const bob = await enrolled(start);
    const alice = new PasskeyUser(bob.app, 'alice');
    const statement = (entries: [string, unknown][]) => new Map<string, unknown>(entries);
    const sig = Uint8Array.from(Buffer.alloc(64));
    const begun = await alice.begin();
    const options = begun.public_key as JsonObject;
    const known = await alice.confirm(begun, alice.key.create(options, { id: bob.key.id }));
    expect(known.status).toBe(403);
    for (const attestation of [
      {
        fmt: 'packed',
        statement: statement([
          ['alg', -7],
          ['sig', sig],
          ['x5c', [sig]],
        ]),
      },
      {
        fmt: 'packed',
        statement: statement([
          ['alg', -7],
          ['sig', sig],
        ]),
      },
      {
        fmt: 'fido-u2f',
        statement: statement([
          ['x5c', [sig]],
          ['sig', sig],
        ]),
      },
      { fmt: 'tpm', statement: statement([]) },
      { fmt: 'none', statement: statement([['sig', sig]]) },
      { fmt: '__proto__', statement: statement([]) },
    ]) {
      const again = await alice.begin();
      const made = alice.key.create(again.public_key as JsonObject, { attestation });
      expect((await alice.confirm(again, made)).status).toBe(403);
    }
    for (const packed of [{ forged: true }, { alg: -257 }]) {
      const again = await alice.begin();
      const made = alice.key.createPacked(again.public_key as JsonObject, packed);
      expect((await alice.confirm(again, made)).status).toBe(403);
    }
    await alice.enrol();
  });

  test('attack 238: one credential for two accounts at once is that of one', async () => {
    const app = await started(start);
    const [alice, bob] = [new PasskeyUser(app, 'alice'), new PasskeyUser(app, 'bob')];
    const setUps = [await alice.begin(), await bob.begin()];
    const key = new SoftwareAuthenticator();
    const answers = await Promise.all(
      [alice, bob].map((user, at) => {
        const begun = setUps[at] ?? {};
        return user.confirm(begun, key.create(begun.public_key as JsonObject));
      }),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.every(({ status }) => status < 500)).toBe(true);
    const on = await Promise.all(
      [alice, bob].map(async (user) => (await user.ask('GET', TWO_FACTOR)).json.enabled),
    );
    expect(on.filter((enabled) => enabled)).toHaveLength(1);
  });

  test('attack 239: no credential id before the password', async () => {
    const bob = await enrolled(start);
    const id = bob.key.id.toString('base64url');
    const wrong = await bob.app.post(LOGIN, passwordLogin('bob', 'wrong'));
    const unknown = await bob.app.post(LOGIN, { auth: { session: `m2fa_${'a'.repeat(27)}` } });
    const flows = await bob.app.call({ target: LOGIN });
    const early = await bob.app.post(LOGIN, {
      auth: { type: WEBAUTHN_STAGE, credential: bob.key.get({ rpId: 'x' }) },
    });
    for (const answer of [wrong, unknown, flows, early]) expect(answer.text).not.toContain(id);
  });

  test('attack 240: failures end their session, and lock no factor', async () => {
    const bob = await enrolled(start);
    const totp = await bob.app.enrol('bob');
    for (let sessions = 0; sessions < 2; sessions += 1) {
      let challenge = await bob.challenged();
      for (let times = 0; times < 5; times += 1) {
        const next = await bob.answer(bob.stage(challenge, { flags: 0 }));
        if (times < 4) challenge = next;
      }
      expect((await bob.answer(bob.stage(challenge))).status).not.toBe(200);
    }
    bob.app.clock.advance(MINUTE);
    const challenge = await bob.challenged();
    expect((await bob.answer(bob.stage(challenge))).status).toBe(200);
    const session = String((await bob.challenged()).json.session);
    const auth = { type: 'm.login.2fa.totp', session, token: bob.app.code(totp) };
    expect((await bob.answer(auth)).status).toBe(200);
  });

  test('attack 240: another shape is 400 and burns nothing; no credential is no attempt', async () => {
    const bob = await enrolled(start);
    const challenge = await bob.challenged();
    const auth = bob.stage(challenge);
    const { credential } = auth;
    const good = credential as JsonObject;
    for (const wrong of [
      'x',
      5,
      [],
      {},
      { ...good, id: 'a b' },
      { ...good, type: 'x' },
      { ...good, response: { ...(good.response as JsonObject), signature: 5 } },
    ]) {
      const answer = await bob.answer({ ...auth, credential: wrong });
      expect([answer.status, answer.json.errcode]).toEqual([400, 'M_BAD_JSON']);
    }
    const missing = await bob.answer({ ...auth, credential: null });
    expect(optionsIn(missing).challenge).toBe(optionsIn(challenge).challenge);
    expect((await bob.answer(auth)).status).toBe(200);
  });

  test('attack 241: a passkey beside an authenticator app leaves the saved codes good', async () => {
    const app = await started(start);
    const totp = await app.enrol('bob');
    const bob = new PasskeyUser(app, 'bob');
    const asked = await bob.ask('POST', PASSKEYS, {});
    const session = String(asked.json.session);
    await bob.ask('POST', PASSKEYS, { auth: { type: 'm.login.2fa.totp', session, token: app.code(totp) } });
    const begun = await bob.ask('POST', PASSKEYS, { auth: bob.passwordStage({ session }) });
    expect(begun.json.recovery_codes).toBe('kept');
    const credential = bob.key.create(begun.json.public_key as JsonObject);
    expect((await bob.confirm(begun.json, credential)).json.recovery_codes).toEqual([]);
    const challenge = await bob.challenged();
    const recovery = { type: 'm.login.2fa.recovery', session: String(challenge.json.session) };
    expect((await bob.answer({ ...recovery, token: totp.recoveryCodes[0] ?? '' })).status).toBe(200);
  });
});
