import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/matrix/wire.ts';
import { LOGIN, passwordLogin, type TestApp } from '../../support/app.ts';
import { describeOnBothDatabases, type StartApp } from '../../support/both_databases.ts';
import type { HttpAnswer } from '../../support/http.ts';
import { judgeAll } from '../../support/judged.ts';
import { Visitor } from '../../support/visitor.ts';
import { DUMMY_STAGE, dummyAnswer, dummyFactor } from './dummy_factor.ts';

const BOB = '@bob:localhost';
const MINUTE = 60_000;
const PASSWORD = 'bob password';
const STATE = '/_matrix/client/v3/account/two-factor';
const DUMMY_API = `${STATE}/dummy`;
const NAMES = '/_matrix/client/unstable/org.matrix.2fa/authenticators';
const HISTORY = '/_matrix/client/unstable/org.matrix.2fa/history';
const DELETE_DEVICES = '/_matrix/client/v3/delete_devices';
const REDIRECT_URL = 'https://client.example.org/';

/** The application with a factor that is not in the list, and bob, who turned it on over the API. */
class DummyApp {
  private constructor(
    readonly app: TestApp,
    readonly token: string,
    readonly secret: Buffer,
    readonly authenticator: string,
    readonly recoveryCodes: readonly string[],
  ) {}

  static async start(start: StartApp): Promise<DummyApp> {
    const app = await start({
      users: [{ name: 'bob', password: PASSWORD }],
      factors: [dummyFactor],
      // Sessions outlive their questions.
      config: 'login: { hold_ttl: 30m }\nuia: { session_ttl: 30m }',
    });
    const { token } = app.stub.signIn('bob', 'MINE');
    const begun = await app.post(DUMMY_API, { auth: passwordStage() }, token);
    expect(begun.status).toBe(200);
    const secret = Buffer.from(String(begun.json.secret), 'hex');
    const reply = dummyAnswer(secret, 'set-up');
    const body = { setup_id: String(begun.json.setup_id), reply };
    const confirmed = await app.post(`${DUMMY_API}/confirm`, body, token);
    expect(confirmed.status).toBe(200);
    const codes = confirmed.json.recovery_codes as string[];
    return new DummyApp(app, token, secret, String(confirmed.json.authenticator_id), codes);
  }

  /** A request with bob's token; a 401 fits the schemas. */
  async ask(method: string, target: string, json?: JsonObject, token = this.token): Promise<HttpAnswer> {
    const answer = await this.app.call({ method, target, token, ...(json && { json }) });
    if (answer.status === 401) {
      expect(judgeAll({ method, path: target, status: 401, body: answer.json })).toEqual([]);
    }
    return answer;
  }

  login(json: JsonObject): Promise<HttpAnswer> {
    return this.app.post(LOGIN, json);
  }

  /** The stage with the right answer to the question of a challenge. */
  stage(challenge: HttpAnswer, answer?: string): JsonObject {
    return {
      type: DUMMY_STAGE,
      session: String(challenge.json.session),
      reply: { answer: answer ?? dummyAnswer(this.secret, questionIn(challenge)) },
    };
  }

  async events(): Promise<string[]> {
    const { json } = await this.ask('GET', HISTORY);
    return (json.events as { event: string }[]).map(({ event }) => event);
  }
}

function passwordStage(more: JsonObject = {}): JsonObject {
  const identifier = { type: 'm.id.user', user: BOB };
  return { type: 'm.login.password', identifier, password: PASSWORD, ...more };
}

function questionIn({ json }: HttpAnswer): string {
  const params = json.params as { [stage: string]: { question: string } };
  return params[DUMMY_STAGE]?.question ?? '';
}

function stagesIn({ json }: HttpAnswer): string[][] {
  return (json.flows as { stages: string[] }[]).map(({ stages }) => stages);
}

/** The question in a page. */
function questionOn(page: HttpAnswer): string {
  return /The question is ([0-9a-f]{32})/.exec(page.text)?.[1] ?? '';
}

describeOnBothDatabases('a factor that is one folder and one line', (start) => {
  test('the two-factor API: state, renaming, removal, history with its own events', async () => {
    const bob = await DummyApp.start(start);
    expect((await bob.ask('GET', STATE)).json).toEqual({
      enabled: true,
      providers: {
        [DUMMY_STAGE]: { authenticators: [{ id: bob.authenticator, name: 'Dummy' }] },
        'm.login.2fa.recovery': expect.objectContaining({ remaining: 10 }),
      },
    });
    expect((await bob.ask('PUT', `${NAMES}/${bob.authenticator}`, { name: 'Clown' })).status).toBe(200);

    const challenge = await bob.ask('DELETE', DUMMY_API, {});
    expect(stagesIn(challenge)).toContainEqual([DUMMY_STAGE, 'm.login.password']);
    const answered = await bob.ask('DELETE', DUMMY_API, { auth: bob.stage(challenge) });
    expect(answered.json).toMatchObject({ completed: [DUMMY_STAGE], params: {} });
    const auth = passwordStage({ session: String(challenge.json.session) });
    expect((await bob.ask('DELETE', DUMMY_API, { auth })).status).toBe(200);

    expect((await bob.ask('GET', STATE)).json).toEqual({ enabled: false, providers: {} });
    expect(await bob.events()).toEqual(['dummy.disabled', 'dummy.used', 'dummy.renamed', 'dummy.enabled']);
  });

  test('a native login: the question after the password, its answer opens the login', async () => {
    const bob = await DummyApp.start(start);
    const challenge = await bob.login(passwordLogin('bob', PASSWORD));
    expect(challenge.status).toBe(401);
    expect(stagesIn(challenge)).toEqual([
      ['m.login.password', DUMMY_STAGE],
      ['m.login.password', 'm.login.2fa.recovery'],
    ]);
    const { session } = challenge.json;
    const repeated = await bob.login({ auth: { session: String(session) } });
    expect(questionIn(repeated)).toBe(questionIn(challenge));

    const wrong = await bob.login({ auth: bob.stage(challenge, 'wrong') });
    expect(wrong.status).toBe(401);
    expect(questionIn(wrong)).not.toBe(questionIn(challenge));
    expect((await bob.login({ auth: bob.stage(challenge) })).status).toBe(401);
    const current = await bob.login({ auth: { session: String(session) } });
    const opened = await bob.login({ auth: bob.stage(current) });
    expect(opened.status).toBe(200);
    expect(opened.json).toMatchObject({ user_id: BOB, access_token: expect.any(String) });
    expect(await bob.events()).toEqual([
      'login.completed',
      'dummy.used',
      'factor.refused',
      'factor.refused',
      'dummy.enabled',
    ]);
  });

  test('an answer counts once, however often it comes at once', async () => {
    const bob = await DummyApp.start(start);
    const challenge = await bob.login(passwordLogin('bob', PASSWORD));
    const auth = bob.stage(challenge);
    const answers = await Promise.all(Array.from({ length: 10 }, () => bob.login({ auth })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.every(({ status }) => status < 500)).toBe(true);
    expect((await bob.events()).filter((event) => event === 'dummy.used')).toHaveLength(1);
    expect(await bob.events()).not.toContain('factor.refused');
  });

  test('a question is good in its session, for its user and for a time', async () => {
    const bob = await DummyApp.start(start);
    const first = await bob.login(passwordLogin('bob', PASSWORD));
    const second = await bob.login(passwordLogin('bob', PASSWORD));
    expect(questionIn(second)).not.toBe(questionIn(first));
    const answer = dummyAnswer(bob.secret, questionIn(first));
    expect((await bob.login({ auth: bob.stage(second, answer) })).status).toBe(401);
    const guarded = await bob.ask('POST', DELETE_DEVICES, { devices: ['X'] });
    const elsewhere = await bob.ask('POST', DELETE_DEVICES, { auth: bob.stage(guarded, answer) });
    expect(elsewhere.json.completed).toEqual([]);

    bob.app.clock.advance(5 * MINUTE);
    expect((await bob.login({ auth: bob.stage(first) })).status).toBe(401);
    const asked = await bob.login({ auth: { session: String(first.json.session) } });
    expect(questionIn(asked)).not.toBe(questionIn(first));
    expect((await bob.login({ auth: bob.stage(asked) })).status).toBe(200);
  });

  test('a session that is unknown is told of all factors, and no question', async () => {
    const bob = await DummyApp.start(start);
    const answer = await bob.login({ auth: { session: `m2fa_${'a'.repeat(27)}` } });
    expect(stagesIn(answer)).toContainEqual(['m.login.password', DUMMY_STAGE]);
    expect(answer.json.params).toEqual({});
  });

  test('another shape is 400 and no attempt; no proof is no attempt either', async () => {
    const bob = await DummyApp.start(start);
    const challenge = await bob.login(passwordLogin('bob', PASSWORD));
    for (const reply of ['123456', {}, { answer: 1 }, { answer: 'a', more: 1 }, []]) {
      const answer = await bob.login({ auth: { ...bob.stage(challenge), reply } });
      expect([answer.status, answer.json.errcode]).toEqual([400, 'M_BAD_JSON']);
    }
    const missing = await bob.login({ auth: { ...bob.stage(challenge), reply: null } });
    expect(questionIn(missing)).toBe(questionIn(challenge));
    expect((await bob.login({ auth: bob.stage(challenge) })).status).toBe(200);
  });

  test('a guarded endpoint, in steps; recovery codes beside it', async () => {
    const bob = await DummyApp.start(start);
    for (const way of ['dummy', 'recovery']) {
      const devices = [`DEVICE_OF_${way}`];
      const challenge = await bob.ask('POST', DELETE_DEVICES, { devices });
      const session = String(challenge.json.session);
      const token = bob.recoveryCodes[0] ?? '';
      const auth = way === 'dummy' ? bob.stage(challenge) : { type: 'm.login.2fa.recovery', session, token };
      const answered = await bob.ask('POST', DELETE_DEVICES, { auth });
      expect(answered.json.completed).toHaveLength(1);
      const done = await bob.ask('POST', DELETE_DEVICES, { auth: passwordStage({ session }) });
      expect(done.status).toBe(200);
    }
  });

  test('a guarded endpoint, in one shot with a recovery code behind the password', async () => {
    const bob = await DummyApp.start(start);
    const password = `${PASSWORD} ${bob.recoveryCodes[1]}`;
    const auth = { ...passwordStage(), password };
    expect((await bob.ask('POST', DELETE_DEVICES, { devices: ['X'], auth })).status).toBe(200);
  });

  test('its fallback page: the question, a wrong answer, the right one', async () => {
    const bob = await DummyApp.start(start);
    const challenge = await bob.ask('POST', DUMMY_API, { name: 'another' });
    const session = String(challenge.json.session);
    const page = `/_matrix/client/v3/auth/${DUMMY_STAGE}/fallback/web?session=${session}`;
    const visitor = new Visitor(bob.app.url);
    const shown = await visitor.open(page);
    expect(shown.text).toContain('set up a dummy');
    expect(shown.text).not.toContain('name="code"');
    expect(questionOn(shown)).toBe(questionIn(challenge));

    const refused = await visitor.send({ dummy_answer: 'wrong' });
    expect(refused.status).toBe(200);
    expect(refused.text).toContain('This is not the answer.');
    const accepted = await visitor.send({ dummy_answer: dummyAnswer(bob.secret, questionOn(refused)) });
    expect(accepted.text).toContain('You can close this page');
    const after = await bob.ask('POST', DUMMY_API, { auth: { session } });
    expect(after.json.completed).toEqual([DUMMY_STAGE]);
    const unknown = await visitor.open(page.replace('dummy', 'unknown'));
    expect(unknown.status).toBe(404);
  });

  test('the sign-in page: password, question, way back to the client', async () => {
    const bob = await DummyApp.start(start);
    const visitor = new Visitor(bob.app.url);
    await visitor.open(`/_2fa/login?redirectUrl=${encodeURIComponent(REDIRECT_URL)}`);
    const asked = await visitor.send({ user: 'bob', password: PASSWORD });
    expect(questionOn(asked)).toMatch(/^[0-9a-f]{32}$/);
    const empty = await visitor.send({ dummy_answer: '' });
    expect(questionOn(empty)).toBe(questionOn(asked));
    await visitor.send({ dummy_answer: dummyAnswer(bob.secret, questionOn(asked)) });
    const back = await visitor.send({ decision: 'allow' });
    expect(back.status).toBe(303);
    expect(back.headers.location).toContain(`${REDIRECT_URL}?loginToken=`);
  });

  test('the account page has the words of its events', async () => {
    const { app } = await DummyApp.start(start);
    const page = await app.call({ target: '/_2fa/account', headers: { 'accept-language': 'de' } });
    expect(page.text).toContain('Attrappe hat geantwortet');
  });

  test('beside an authenticator app: either will do, and the last one gone turns 2FA off', async () => {
    const bob = await DummyApp.start(start);
    const totp = await bob.app.enrol('bob');
    const challenge = await bob.login(passwordLogin('bob', PASSWORD));
    expect(stagesIn(challenge).map(([, stage]) => stage)).toEqual([
      'm.login.2fa.totp',
      DUMMY_STAGE,
      'm.login.2fa.recovery',
    ]);
    const auth = { type: 'm.login.2fa.totp', session: String(challenge.json.session) };
    const opened = await bob.login({ auth: { ...auth, token: bob.app.code(totp) } });
    expect(opened.status).toBe(200);

    const removal = { authenticator_id: bob.authenticator };
    const asked = await bob.ask('DELETE', DUMMY_API, removal);
    await bob.ask('DELETE', DUMMY_API, { auth: bob.stage(asked) });
    const session = String(asked.json.session);
    const removed = await bob.ask('DELETE', DUMMY_API, { auth: passwordStage({ session }) });
    expect(removed.status).toBe(200);
    expect((await bob.events())[0]).toBe('dummy.removed');
    expect((await bob.ask('GET', STATE)).json.enabled).toBe(true);
  });
});
