import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { seedIn } from '../account/account.ts';
import { type AppOptions, LOGIN, startApp, type TestApp } from '../support/app.ts';
import { describeOnBothDatabases, type StartApp } from '../support/both_databases.ts';
import { codeAt, type Enrolled, wrongCode } from '../support/enrolment.ts';
import { PERSONALITIES } from '../support/stub/stub.ts';
import { formsOf, Visitor } from '../support/visitor.ts';
import { LEAD, throughProvider } from './provider_round.ts';

const PAGE = `/_2fa/login?redirectUrl=${encodeURIComponent('https://app.example.net/')}`;
const REPLACE = /href="(\/_2fa\/login\/replace\?v=[\w-]{22})"/;
const PASSWORD = 'correct horse';
const BOB = '@bob:localhost';

let start: StartApp;
let app: TestApp;
let bob: Enrolled;
let visitor: Visitor;

async function begin(config = '', more: Omit<AppOptions, 'config'> = {}): Promise<void> {
  app = await start({ users: [{ name: 'bob', password: PASSWORD }], config, ...more });
  bob = await app.enrol('bob');
  visitor = new Visitor(app.url);
}

/** Up to the page that asks for consent. Answers where the replacement is offered. */
async function signIn(by: Visitor = visitor, code = 0): Promise<string | undefined> {
  await by.open(PAGE);
  await by.send({ user: 'bob', password: PASSWORD });
  await by.send({ recovery_code: bob.recoveryCodes[code] ?? '' });
  return REPLACE.exec(by.last?.text ?? '')?.[1];
}

/** Up to the page with the key. */
async function toKey(by: Visitor = visitor, more: Record<string, string> = {}): Promise<Buffer> {
  await by.open((await signIn(by)) ?? '');
  await choose(more, by);
  return keyOn(by);
}

/** What a person ticks, and nothing else. */
function choose(ticked: Record<string, string>, by = visitor) {
  const [{ fields = {}, action = '' } = {}] = formsOf(by.last?.text ?? '');
  const { replaces: _radio, end_others: _box, kind: _button, ...hidden } = fields;
  return by.post({ ...hidden, ...ticked }, {}, action);
}

const keyOn = ({ last }: Visitor) =>
  seedIn((/<code class="secret">([^<]+)</.exec(last?.text ?? '')?.[1] ?? '').replaceAll(' ', ''));
const codesOn = ({ last }: Visitor) =>
  [...(last?.text ?? '').matchAll(/<li>([0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4})</g)].map(([, code]) => code);
const now = () => app.clock.now();
const ids = async () => (await app.storage.factors.authenticators(BOB)).map(({ id }) => id);
const events = async () => (await app.storage.audit.list({ userId: BOB })).map(({ event }) => event);
const confirm = (seed: Buffer, by = visitor) => by.send({ step: 'set_up_code', code: codeAt(seed, now()) });

async function goOn(): Promise<number> {
  await visitor.send({ decision: 'allow' });
  const location = visitor.sent?.headers.location ?? '';
  const token = new URL(location, app.url).searchParams.get('loginToken') ?? '';
  return (await app.post(LOGIN, { type: 'm.login.token', token })).status;
}

describeOnBothDatabases('a lost authenticator is replaced within the sign-in', (startOn) => {
  beforeEach(() => {
    start = startOn;
  });

  test('with one code: new key, new recovery codes, other devices gone, and on to the client', async () => {
    await begin();
    app.stub.signIn('bob', 'OLDPHONE');
    const before = await ids();
    const seed = await toKey(visitor, { end_others: 'on' });
    expect(await ids()).toEqual(before);
    await confirm(seed);
    expect(visitor.last?.text).toContain('Authenticator replaced. The old one no longer works.');
    expect(visitor.last?.text).not.toContain('could not be signed out');
    const codes = codesOn(visitor);
    expect(codes).toHaveLength(10);
    expect(await ids()).not.toEqual(expect.arrayContaining(before));
    expect(await ids()).toHaveLength(1);
    const devices = [...app.stub.state.user(BOB).devices.keys()];
    expect([devices.length, devices.includes('OLDPHONE')]).toEqual([1, false]);
    expect(await events()).toEqual(
      expect.arrayContaining(['recovery.used', 'totp.added', 'totp.removed', 'recovery.regenerated']),
    );
    // Neither a reload nor the address of the consent loses the codes.
    await visitor.open((visitor.led ?? '').replace('/replace', ''));
    expect(codesOn(visitor)).toEqual(codes);
    await visitor.send({ step: 'saved', saved: 'on' });
    expect(visitor.last?.text).not.toMatch(REPLACE);
    expect(await goOn()).toBe(200);
  });

  test('attack 248: of two replacements at once in two processes one wins; factors that changed end the other', async () => {
    await begin();
    const other = new Visitor((await app.startAnother()).url);
    const seed = await toKey();
    await other.open((await signIn(other, 1)) ?? '');
    await choose({}, other);
    const otherSeed = keyOn(other);
    await Promise.all([confirm(seed), confirm(otherSeed, other)]);
    const won = [visitor, other].filter((one) => codesOn(one).length === 10);
    expect(won).toHaveLength(1);
    expect(await ids()).toHaveLength(1);
    expect((await events()).filter((event) => event === 'totp.added')).toHaveLength(1);
  });

  test('attack 248: recovery codes made new meanwhile end the sign-in, and nothing is replaced', async () => {
    await begin();
    const seed = await toKey();
    await app.storage.factors.endProofs(BOB);
    const before = await ids();
    expect((await confirm(seed)).status).toBe(403);
    expect(await ids()).toEqual(before);
  });
});

describe('a replacement', () => {
  beforeEach(() => {
    start = startApp;
  });

  afterEach(() => app.stop());

  test('one of two: saved recovery codes stay good; without saying which, nothing begins', async () => {
    await begin();
    const [first = ''] = await ids();
    await app.enrol('bob');
    bob = { ...bob, recoveryCodes: (await app.enrol('bob')).recoveryCodes };
    const others = (await ids()).filter((id) => id !== first);
    app.stub.signIn('bob', 'TABLET');
    const clues = (await visitor.open((await signIn()) ?? '')).text.split('value="all"')[0];
    const added = (await app.storage.factors.authenticators(BOB)).map(({ enabledAt }) => enabledAt);
    for (const at of added) expect(clues).toContain(`Added <time datetime="${new Date(at).toISOString()}">`);
    expect(clues).toMatch(/<\/time> · not used yet/);
    expect(clues).not.toContain('last used');
    for (const ticked of [{}, { replaces: '' }, { replaces: 'unknown' }, { replaces: '<script>' }]) {
      const { text } = await choose(ticked);
      expect([ticked, text.includes('Which one is lost?')]).toEqual([ticked, true]);
    }
    await choose({ replaces: first });
    await confirm(keyOn(visitor));
    expect(visitor.last?.text).toContain('Your saved recovery codes stay valid.');
    expect(await ids()).toEqual(expect.arrayContaining(others));
    expect(app.stub.state.user(BOB).devices.has('TABLET')).toBe(true);
    expect([(await ids()).length, (await ids()).includes(first)]).toEqual([3, false]);
    await visitor.send({ step: 'saved', saved: 'none' });
    expect(await goOn()).toBe(200);
  });

  test('given up, or with wrong codes, nothing is changed, and the sign-in goes on', async () => {
    await begin();
    const before = await ids();
    const seed = await toKey();
    for (let turn = 0; turn < 5; turn++) {
      await visitor.send({ step: 'set_up_code', code: wrongCode(seed, now()) });
    }
    expect(visitor.last?.text).toContain('Too many incorrect codes. Nothing was changed.');
    await visitor.open((visitor.led ?? '').replace('/replace', ''));
    expect(await goOn()).toBe(200);
    expect(await ids()).toEqual(before);
  });

  test('other devices that could not be signed out are told of', async () => {
    await begin();
    const seed = await toKey(visitor, { end_others: 'on' });
    app.stub.failNext('/devices', { status: 500, body: {} });
    await confirm(seed);
    expect(visitor.last?.text).toContain('Your other devices could not be signed out.');
    expect(codesOn(visitor)).toHaveLength(10);
  });

  test.each([
    ['no list of devices', /GET .*\/devices/, { status: 200, body: {} }],
    ['a list without the device of this sign-in', /GET .*\/devices/, { status: 200, body: { devices: [] } }],
    ['a limit at the list', /GET .*\/devices/, { status: 429, body: { errcode: 'M_LIMIT_EXCEEDED' } }],
    ['a refusal at the end', '/delete_devices', { status: 403, body: { errcode: 'M_FORBIDDEN' } }],
    ['HTML at the end', '/delete_devices', { status: 502, body: {} }],
  ])('attack 351: %s: other devices are said to be signed in still', async (_what, pattern, answer) => {
    await begin();
    app.stub.signIn('bob', 'OLDPHONE');
    const seed = await toKey(visitor, { end_others: 'on' });
    app.stub.failNext(pattern, answer);
    await confirm(seed);
    expect(visitor.last?.text).toContain('Your other devices could not be signed out.');
    expect(app.stub.state.user(BOB).devices.has('OLDPHONE')).toBe(true);
    await visitor.send({ step: 'saved', saved: 'on' });
    expect(await goOn()).toBe(200);
  });

  test.each(Object.keys(PERSONALITIES) as (keyof typeof PERSONALITIES)[])(
    'attack 351: before %s: the other devices are gone where it was asked for, and nothing else of the account',
    async (personality) => {
      await begin('', { personality });
      app.stub.signIn('bob', 'OLDPHONE');
      app.stub.signIn('bob', 'TABLET');
      await confirm(await toKey(visitor, { end_others: 'on' }));
      expect(visitor.last?.text).not.toContain('could not be signed out');
      expect(app.stub.devicesOf('bob')).toHaveLength(1);
      expect(codesOn(visitor)).toHaveLength(10);
      await visitor.send({ step: 'saved', saved: 'on' });
      expect(await goOn()).toBe(200);
    },
  );

  test('attack 352: in a sign-in through a provider: replaced alike, no devices are ended without a password, and on by the second round', async () => {
    const sso = { providers: [{ id: 'oidc', name: 'University' }], signedInAs: 'bob' };
    await begin('', { users: [{ name: 'bob', password: null }], sso });
    app.stub.signIn('bob', 'OLDPHONE');
    await visitor.open(await throughProvider(app, await visitor.open(LEAD)));
    const consent = await visitor.send({ recovery_code: bob.recoveryCodes[0] ?? '' });
    const offer = await visitor.open(REPLACE.exec(consent.text)?.[1] ?? '');
    expect(offer.text).not.toContain('end_others');
    const before = await ids();
    // The box that is not there, ticked all the same.
    await choose({ end_others: 'on' });
    await confirm(keyOn(visitor));
    expect(visitor.last?.text).toContain('Your other devices could not be signed out.');
    expect(app.stub.state.user(BOB).devices.has('OLDPHONE')).toBe(true);
    expect(codesOn(visitor)).toHaveLength(10);
    expect(await ids()).not.toEqual(expect.arrayContaining(before));
    await visitor.send({ step: 'saved', saved: 'on' });
    const back = await visitor.open(await throughProvider(app, await visitor.send({ decision: 'allow' })));
    const token = new URL(back.headers.location ?? '').searchParams.get('loginToken') ?? '';
    const login = await app.post(LOGIN, { type: 'm.login.token', token });
    expect([login.status, login.json.user_id]).toEqual([200, BOB]);
  });

  test('attack 247: not offered, and not done, where codes are no good for changes; nor without a recovery code', async () => {
    await begin('policy: { recovery: { codes_for_changes: false } }');
    expect(await signIn()).toBeUndefined();
    const { fields = {}, action = '' } = formsOf(visitor.last?.text ?? '')[0] ?? {};
    await visitor.post({ ...fields, step: 'replace' }, {}, action);
    expect(visitor.last?.text).not.toContain('class="secret"');
    await app.stop();
    await begin();
    await visitor.open(PAGE);
    await visitor.send({ user: 'bob', password: PASSWORD });
    await visitor.send({ code: app.code(bob) });
    expect(visitor.last?.text).not.toMatch(REPLACE);
    const consent = formsOf(visitor.last?.text ?? '')[0];
    await visitor.post({ ...consent?.fields, step: 'replace' }, {}, consent?.action);
    expect(visitor.last?.text).not.toContain('class="secret"');
  });

  test('attack 249: one sign-in replaces once; another browser with its address gets nothing', async () => {
    await begin();
    const at = (await signIn()) ?? '';
    expect((await new Visitor(app.url).open(at)).status).toBe(410);
    await visitor.open(at);
    await choose({});
    await confirm(keyOn(visitor));
    await visitor.send({ step: 'saved', saved: 'on' });
    const consent = formsOf(visitor.last?.text ?? '')[0];
    await visitor.post({ ...consent?.fields, step: 'replace' }, {}, consent?.action);
    expect((await visitor.open(at)).text).not.toContain('class="secret"');
    expect(await ids()).toHaveLength(1);
  });
});
