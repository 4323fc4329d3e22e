import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { seedIn } from '../account/account.ts';
import { CAROL, collect, isEnrolled, OWING, owedSignIn } from '../login/owing.ts';
import { PASSWORD } from '../login/support.ts';
import { type AppOptions, LOGIN, startApp, type TestApp } from '../support/app.ts';
import { codeAt, wrongCode } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';
import { requireOfNoKind } from '../support/no_kinds.ts';
import { SoftwareAuthenticator } from '../support/software_authenticator.ts';
import { formsOf, Visitor } from '../support/visitor.ts';

const CLIENT = 'https://app.example.net/home';
const PAGE = `/_2fa/login?redirectUrl=${encodeURIComponent(CLIENT)}`;

let app: TestApp;
let visitor: Visitor;

async function start(options: AppOptions = OWING, language = 'en'): Promise<void> {
  app = await startApp(options);
  visitor = new Visitor(app.url, { 'accept-language': language });
}

afterEach(() => app.stop());

/** Name and password on the sign-in page. */
async function credentials(): Promise<HttpAnswer> {
  await visitor.open(PAGE);
  return visitor.send({ user: 'carol', password: PASSWORD });
}

/** The key that a page shows, as an app takes it. */
function keyOn({ text }: HttpAnswer): Buffer {
  const key = /<code class="secret">([^<]+)<\/code>/.exec(text)?.[1] ?? '';
  expect(text).toContain(`secret=${key.replaceAll(' ', '')}&amp;`);
  return seedIn(key.replaceAll(' ', ''));
}

function codesOn({ text }: HttpAnswer): string[] {
  return [...text.matchAll(/<li>([0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4})<\/li>/g)].map(([, code = '']) => code);
}

const now = () => app.clock.now();

/** From the offer to the recovery codes. */
async function setUp(): Promise<{ seed: Buffer; saved: HttpAnswer }> {
  const seed = keyOn(await visitor.send({ step: 'set_up' }));
  return { seed, saved: await visitor.send({ step: 'set_up_code', code: codeAt(seed, now()) }) };
}

/** What a page has the browser ask for. */
function questionOn({ text }: HttpAnswer): JsonObject {
  const written = / data-new-passkey="([^"]*)"/.exec(text)?.[1] ?? '';
  return JSON.parse(written.replaceAll('&quot;', '"'));
}

/** Goes on to the client, which redeems its token. */
async function goOn(): Promise<number> {
  const { headers } = await visitor.send({ decision: 'allow' });
  const token = new URL(headers.location ?? '').searchParams.get('loginToken') ?? '';
  return (await app.post(LOGIN, { type: 'm.login.token', token })).status;
}

describe('where a set-up is owed', () => {
  beforeEach(() => start());

  test('the sign-in page leads through it without a script, and on to the client', async () => {
    const offer = await credentials();
    expect(offer.text).toContain('This server requires two-factor authentication.');
    expect(offer.text).not.toContain('value="later"');
    const { saved } = await setUp();
    expect(codesOn(saved)).toHaveLength(10);
    expect(await isEnrolled(app)).toBe(true);
    const { saved: _tick, ...fields } = fieldsOf('saved');
    const unticked = await visitor.post(fields);
    expect(codesOn(unticked)).toEqual(codesOn(saved));
    expect(unticked.text).toContain('Save the codes, then tick the box.');
    await visitor.send({ step: 'saved', saved: 'on' });
    expect(await goOn()).toBe(200);
  });

  test('a passkey may be set up in place of an app: what is refused asks the same question, and one can go back', async () => {
    const key = new SoftwareAuthenticator();
    const offer = await credentials();
    expect(offer.text).toMatch(/<button[^>]* value="webauthn" data-makes-passkeys hidden>/);
    const scan = await visitor.send({ step: 'set_up', kind: 'totp' });
    expect(keyOn(scan)).toHaveLength(20);
    await visitor.send({ step: 'back' });
    const asked = await visitor.send({ step: 'set_up', kind: 'webauthn' });
    expect(asked.text).toContain('Apps that only ask for a password cannot use it');
    const question = questionOn(asked);
    const wrong = key.create({ ...question, challenge: 'AAAA' });
    for (const [sent, told] of [
      ['', 'could not create a passkey'],
      ['{"id":', 'could not create a passkey'],
      ['{"id":"x"}', 'could not create a passkey'],
      [JSON.stringify(wrong), 'was not accepted'],
    ] as const) {
      const answer = await visitor.send({ step: 'set_up_code', credential: sent });
      expect([sent, answer.status, questionOn(answer)]).toEqual([sent, 200, question]);
      expect(answer.text).toContain(told);
    }
    expect(await isEnrolled(app)).toBe(false);
    const saved = await visitor.send({
      step: 'set_up_code',
      credential: JSON.stringify(key.create(question)),
      name: ' Yellow key\u202e ',
    });
    expect(codesOn(saved)).toHaveLength(10);
    expect(await app.storage.factors.authenticators(CAROL)).toMatchObject([
      { kind: 'webauthn', name: 'Yellow key' },
    ]);
    await visitor.send({ step: 'saved', saved: 'on' });
    expect(await goOn()).toBe(200);
  });

  test('a kind that the policy does not have is not set up, whatever the form says', async () => {
    await app.stop();
    await start({
      ...OWING,
      config: `policy: { factors: [webauthn], users: { "${CAROL}": required } }`,
    });
    expect((await credentials()).text).not.toContain('value="totp"');
    const asked = await visitor.send({ step: 'set_up', kind: 'totp' });
    expect(questionOn(asked).challenge).toMatch(/^[\w-]{43}$/);
    expect(asked.text).not.toContain('value="back"');
  });

  test('where nothing that the policy has can be set up on a page, it says so, and no button leads there', async () => {
    await requireOfNoKind(app, CAROL);
    const { text } = await credentials();
    expect(text).toContain('a kind of second factor that this page cannot set up');
    expect(text).toContain('<title>Error: Set up two-factor authentication ·');
    expect(text).not.toContain('<button');
  });

  test('nothing on the page goes round it', async () => {
    await credentials();
    const fields = fieldsOf('set_up');
    for (const step of ['later', 'saved', 'confirmation', 'code']) {
      const answer = await visitor.post({ ...fields, step, saved: 'on', code: '123456' });
      expect([step, answer.headers.location]).toEqual([step, undefined]);
    }
    expect(await isEnrolled(app)).toBe(false);
  });

  test('a wrong code is told with the same secret; the fifth begins again; a missing one counts nothing', async () => {
    await credentials();
    const first = await visitor.send({ step: 'set_up' });
    const seed = keyOn(first);
    expect((await visitor.send({ step: 'set_up_code', code: ' ' })).text).toContain('Enter a code.');
    for (let turn = 0; turn < 4; turn++) {
      const wrong = await visitor.send({ step: 'set_up_code', code: wrongCode(seed, now()) });
      expect([wrong.status, keyOn(wrong)]).toEqual([200, seed]);
      expect(wrong.text).toContain('That code is incorrect.');
    }
    const last = await visitor.send({ step: 'set_up_code', code: wrongCode(seed, now()) });
    expect(last.text).toContain('Too many incorrect codes. Nothing was changed.');
    expect(codesOn((await setUp()).saved)).toHaveLength(10);
  });

  test('codes are not lost by a reload, or a form that is sent twice, until they are said to be saved', async () => {
    await credentials();
    const seed = keyOn(await visitor.send({ step: 'set_up' }));
    const fields = { ...fieldsOf('set_up_code'), code: codeAt(seed, now()) };
    const saved = await visitor.post(fields);
    expect(codesOn(saved)).toHaveLength(10);
    expect(codesOn(await visitor.post(fields))).toEqual(codesOn(saved));
    expect(codesOn(await visitor.send({ step: 'saved', saved: 'on' }))).toEqual([]);
    expect(codesOn(await visitor.post(fields))).toEqual([]);
    expect(await goOn()).toBe(200);
  });

  test('the fallback page does it for a client that only waits', async () => {
    const session = await owedSignIn(app);
    const page = `/_matrix/client/v3/auth/m.login.2fa.enrol/fallback/web?session=${session}`;
    const offer = await visitor.open(page);
    expect(offer.text).toContain('An app is signing in to your account.');
    expect(offer.text).not.toContain('carol');
    expect(codesOn((await setUp()).saved)).toHaveLength(10);
    const done = await visitor.send({ step: 'saved', saved: 'on' });
    expect(done.text).toContain('auth_done.js');
    expect(await collect(app, session)).toMatchObject({ status: 200, body: { user_id: CAROL } });
    expect((await visitor.open(page)).status).toBe(410);
  });

  test('the fallback page has the same choice: back from the app, and a passkey instead', async () => {
    const key = new SoftwareAuthenticator();
    const session = await owedSignIn(app);
    await visitor.open(`/_matrix/client/v3/auth/m.login.2fa.enrol/fallback/web?session=${session}`);
    expect(keyOn(await visitor.send({ step: 'set_up', kind: 'totp' }))).toHaveLength(20);
    const offer = await visitor.send({ step: 'back' });
    expect(offer.text).toMatch(/<button[^>]* value="webauthn" data-makes-passkeys hidden>/);
    const asked = await visitor.send({ step: 'set_up', kind: 'webauthn' });
    const credential = JSON.stringify(key.create(questionOn(asked)));
    expect(codesOn(await visitor.send({ step: 'set_up_code', credential }))).toHaveLength(10);
    expect(await app.storage.factors.authenticators(CAROL)).toMatchObject([{ kind: 'webauthn' }]);
    await visitor.send({ step: 'saved', saved: 'on' });
    expect((await collect(app, session)).status).toBe(200);
  });

  test('on the fallback page a form is judged once, and codes stay until they are said to be saved', async () => {
    const session = await owedSignIn(app);
    const page = `/_matrix/client/v3/auth/m.login.2fa.enrol/fallback/web?session=${session}`;
    await visitor.open(page);
    const seed = keyOn(await visitor.send({ step: 'set_up' }));
    expect([visitor.sent?.status, visitor.led]).toEqual([
      303,
      expect.stringMatching(/^\?session=m2fa_[^&]+&v=.{22}$/),
    ]);
    const at = page.split('?')[0] + (visitor.led ?? '');
    const ofCode = { ...fieldsOf('set_up_code'), code: wrongCode(seed, now()) };
    for (let time = 0; time < 6; time++) {
      const wrong = await visitor.post(ofCode, {}, at);
      expect([wrong.text.includes('That code is incorrect.'), keyOn(wrong)]).toEqual([true, seed]);
    }
    const saved = await visitor.send({ step: 'set_up_code', code: codeAt(seed, now()) });
    expect(codesOn(saved)).toHaveLength(10);
    // The client did not wait for the page; the codes are shown all the same, to this browser alone.
    expect((await collect(app, session)).status).toBe(200);
    expect(codesOn(await visitor.open(at))).toEqual(codesOn(saved));
    expect((await new Visitor(app.url).open(at)).status).toBe(410);
    const { saved: _tick, ...unticked } = fieldsOf('saved');
    expect(codesOn(await visitor.post(unticked, {}, at))).toEqual(codesOn(saved));
    const done = await visitor.send({ step: 'saved', saved: 'on' });
    expect([codesOn(done), done.text.includes('auth_done.js')]).toEqual([[], true]);
    expect((await visitor.open(at)).text).toContain('You can close this page');
    expect((await visitor.open(page)).status).toBe(410);
  });

  test('attack 211: the fallback page of another session, or of none, is one page for all', async () => {
    const bob = await app.enrol('dave');
    const login = await app.post(LOGIN, {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'dave' },
      password: PASSWORD,
    });
    expect(bob.userId).toBe('@dave:localhost');
    for (const session of [String(login.json.session), 'm2fa_unknown', '']) {
      const page = `/_matrix/client/v3/auth/m.login.2fa.enrol/fallback/web?session=${session}`;
      expect([session, (await visitor.open(page)).status]).toEqual([session, 410]);
    }
  });
});

test('in German', async () => {
  await start(OWING, 'de');
  expect((await credentials()).text).toContain('Dieser Server verlangt Zwei-Faktor-Authentifizierung.');
  expect((await setUp()).saved.text).toContain('Ich habe diese Codes gespeichert');
});

describe('in the grace', () => {
  beforeEach(() =>
    start({ ...OWING, config: `policy: { users: { "${CAROL}": { policy: required, grace: 7d } } }` }),
  );

  test('later goes on, with the date until when', async () => {
    const offer = await credentials();
    expect(offer.text).toMatch(
      /requires two-factor authentication from <time datetime="[^"]+">\d+\u00a0\w+\u00a0\d{4}, \d\d:\d\d\u00a0UTC<\/time>/,
    );
    await visitor.send({ step: 'later' });
    expect(await goOn()).toBe(200);
    expect(await isEnrolled(app)).toBe(false);
  });

  test('set up now sets up, and the sign-in goes on', async () => {
    await credentials();
    const offered = fieldsOf('later');
    expect(codesOn((await setUp()).saved)).toHaveLength(10);
    const late = await visitor.post(offered);
    expect(codesOn(late)).toHaveLength(10);
  });

  test('attack 209: a token of before the set-up hands out nothing', async () => {
    await credentials();
    const offered = fieldsOf('later');
    expect(codesOn((await setUp()).saved)).toHaveLength(10);
    await visitor.send({ step: 'saved', saved: 'on' });
    expect(await goOn()).toBe(200);
    const { status, headers } = await visitor.post({ ...offered, decision: 'allow' });
    expect([status, headers.location]).toEqual([410, undefined]);
  });
});

/** The fields of the form of a step on the last page. */
function fieldsOf(step: string): Record<string, string> {
  const form = formsOf(visitor.last?.text ?? '').find(({ fields }) => fields.step === step);
  if (form === undefined) throw new Error(`there is no form ${step}`);
  return { ...form.fields };
}
