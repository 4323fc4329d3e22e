import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/matrix/wire.ts';
import { lanesOf } from '../../../src/storage/tables/lanes.ts';
import { LOGIN, passwordLogin, type TestApp } from '../../support/app.ts';
import { describeOnBothDatabases, type StartApp } from '../../support/both_databases.ts';
import type { HttpAnswer } from '../../support/http.ts';
import { operate } from '../../support/operate.ts';
import { Visitor } from '../../support/visitor.ts';
import { DUMMY_STAGE, dummyAnswer, dummyFactor } from './dummy_factor.ts';
import { KNOCK_STAGE, knock, knockFactor } from './knock_factor.ts';

const BOB = '@bob:localhost';
/** Has to set up a second factor. */
const CAROL = '@carol:localhost';
const PASSWORD = 'a password';
const ORG = '/_matrix/client/unstable/org.matrix.2fa';
const STATE = '/_matrix/client/v3/account/two-factor';
const DELETE_DEVICES = '/_matrix/client/v3/delete_devices';
const PASSWORD_STAGE = 'm.login.password';
const ENROL = 'm.login.2fa.enrol';
const SIGN_IN = `/_2fa/login?redirectUrl=${encodeURIComponent('https://client.example.org/')}`;

/** One of two: its proofs are typed, or answer a question. */
interface Dummy {
  readonly kind: string;
  readonly stage: string;
  /** What confirms a set-up. */
  first(secret: Buffer): JsonObject;
  /** What proves it afterwards. @param turn 2 for the first proof after that of the set-up */
  proof(secret: Buffer, challenge: HttpAnswer, turn: number): JsonObject;
  readonly wrong: JsonObject;
}

const KNOCK: Dummy = {
  kind: 'knock',
  stage: KNOCK_STAGE,
  first: (secret) => ({ knock: knock(secret, 1) }),
  proof: (secret, _challenge, turn) => ({ knock: knock(secret, turn) }),
  wrong: { knock: 'k00000000' },
};

const DUMMY: Dummy = {
  kind: 'dummy',
  stage: DUMMY_STAGE,
  first: (secret) => ({ reply: dummyAnswer(secret, 'set-up') }),
  proof: (secret, { json }) => {
    const params = json.params as { [stage: string]: { question: string } };
    return { reply: { answer: dummyAnswer(secret, params[DUMMY_STAGE]?.question ?? '') } };
  },
  wrong: { reply: { answer: 'wrong' } },
};

function startTwo(start: StartApp): Promise<TestApp> {
  return start({
    users: ['bob', 'carol'].map((name) => ({ name, password: PASSWORD })),
    factors: [dummyFactor, knockFactor],
    config: `policy: { users: { "${CAROL}": required } }`,
  });
}

function secretIn({ json }: HttpAnswer): Buffer {
  return Buffer.from(String(json.secret), 'hex');
}

function sessionOf({ json }: HttpAnswer): string {
  return String(json.session);
}

/** Bob, who has set one up over the API. */
class Bob {
  private constructor(
    readonly app: TestApp,
    readonly dummy: Dummy,
    readonly token: string,
    readonly secret: Buffer,
    readonly authenticator: string,
  ) {}

  static async setUp(app: TestApp, dummy: Dummy): Promise<Bob> {
    const { token } = app.stub.signIn('bob', 'MINE');
    const path = `${STATE}/${dummy.kind}`;
    const begun = await app.post(path, { auth: passwordLogin('bob', PASSWORD) }, token);
    expect(begun.status).toBe(200);
    const body = { setup_id: String(begun.json.setup_id), ...dummy.first(secretIn(begun)) };
    const confirmed = await app.post(`${path}/confirm`, body, token);
    expect(confirmed.status).toBe(200);
    return new Bob(app, dummy, token, secretIn(begun), String(confirmed.json.authenticator_id));
  }

  ask(method: string, target: string, json: JsonObject): Promise<HttpAnswer> {
    return this.app.call({ method, target, json, token: this.token });
  }

  /** A guarded request: its challenge, the proof, the password. */
  async guarded(method: string, target: string, json: JsonObject, turn: number): Promise<HttpAnswer> {
    const challenge = await this.ask(method, target, json);
    expect(challenge.status).toBe(401);
    const session = sessionOf(challenge);
    const proof = this.dummy.proof(this.secret, challenge, turn);
    await this.ask(method, target, { auth: { type: this.dummy.stage, session, ...proof } });
    return this.ask(method, target, { auth: { ...passwordLogin('bob', PASSWORD), session } });
  }

  async state(): Promise<JsonObject> {
    return (await this.app.call({ target: STATE, token: this.token })).json;
  }
}

describeOnBothDatabases('two factors, each a folder and a line', (start) => {
  test.each([KNOCK, DUMMY])(
    '$kind: set up inside a sign-in; what operators see, and their reset',
    async (dummy) => {
      const app = await startTwo(start);
      const owed = await app.post(LOGIN, passwordLogin('carol', PASSWORD));
      expect(owed.json.params).toMatchObject({ [ENROL]: { factors: expect.arrayContaining([dummy.kind]) } });
      const session = sessionOf(owed);
      const begun = await app.post(`${ORG}/enrolment`, { session, factor: dummy.kind, name: 'Mine' });
      const confirmation = {
        session,
        setup_id: String(begun.json.setup_id),
        ...dummy.first(secretIn(begun)),
      };
      expect((await app.post(`${ORG}/enrolment/confirm`, confirmation)).status).toBe(200);
      expect((await app.post(LOGIN, { auth: { session } })).json).toMatchObject({ user_id: CAROL });

      const listed = await operate(app, 'user', 'list', '--factor', dummy.kind, '--json');
      expect(JSON.parse(listed.out)).toMatchObject([{ user_id: CAROL, factors: { [dummy.kind]: 1 } }]);
      const shown = await operate(app, 'user', 'show', CAROL, '--json');
      expect(JSON.parse(shown.out)).toMatchObject({ enabled: true, authenticators: [{ name: 'Mine' }] });
      const grounds = ['--reason', 'lost', '--verified-by', 'a call', '--yes'];
      expect((await operate(app, 'user', 'reset', CAROL, ...grounds)).code).toBe(0);
      expect(await app.storage.factors.isEnrolled(CAROL)).toBe(false);
      const record = (await app.storage.audit.list({ userId: CAROL })).map(({ event }) => event);
      expect(record).toEqual(
        expect.arrayContaining([`${dummy.kind}.enabled`, 'login.enrolled', 'operator.reset']),
      );
    },
  );

  test.each([KNOCK, DUMMY])('$kind: login, guarded request, rename, removal, record', async (dummy) => {
    const app = await startTwo(start);
    const bob = await Bob.setUp(app, dummy);
    const challenge = await app.post(LOGIN, passwordLogin('bob', PASSWORD));
    expect(challenge.json.flows).toContainEqual({ stages: [PASSWORD_STAGE, dummy.stage] });
    const proof = {
      type: dummy.stage,
      session: sessionOf(challenge),
      ...dummy.proof(bob.secret, challenge, 2),
    };
    expect((await app.post(LOGIN, { auth: proof })).json).toMatchObject({ user_id: BOB });
    expect((await app.post(LOGIN, { auth: proof })).status).not.toBe(200);

    expect((await bob.guarded('POST', DELETE_DEVICES, { devices: ['X'] }, 3)).status).toBe(200);
    const renamed = await bob.ask('PUT', `${ORG}/authenticators/${bob.authenticator}`, { name: 'Mine' });
    expect(renamed.status).toBe(200);
    expect(await bob.state()).toMatchObject({
      providers: { [dummy.stage]: { authenticators: [{ id: bob.authenticator, name: 'Mine' }] } },
    });
    expect((await bob.guarded('DELETE', `${STATE}/${dummy.kind}`, {}, 4)).status).toBe(200);
    expect(await bob.state()).toEqual({ enabled: false, providers: {} });
    const { json } = await app.call({ target: `${ORG}/history`, token: bob.token });
    const events = (json.events as { event: string }[]).map(({ event }) => event);
    for (const deed of ['enabled', 'used', 'renamed', 'disabled']) {
      expect(events).toContain(`${dummy.kind}.${deed}`);
    }
  });

  test.each([
    ['knock', KNOCK, [[':knock', 1]]],
    ['dummy', DUMMY, []],
  ] as const)(
    '%s: wrong proofs count in its own lane, or in none; the fifth ends the session',
    async (...row) => {
      const [, dummy, expected] = row;
      const app = await startTwo(start);
      await Bob.setUp(app, dummy);
      const challenge = await app.post(LOGIN, passwordLogin('bob', PASSWORD));
      const session = sessionOf(challenge);
      // A question is answered once: the next one has to be asked for.
      const asked = async () => (await app.post(LOGIN, { auth: { session } })).json.completed;
      for (let turn = 0; turn < 5; turn++) {
        expect(await asked()).toEqual([PASSWORD_STAGE]);
        expect((await app.post(LOGIN, { auth: { type: dummy.stage, session, ...dummy.wrong } })).status).toBe(
          401,
        );
        const lanes = await app.storage.read(lanesOf(BOB));
        const counted = lanes.map(({ lane, failures }) => [
          lane.slice(lane.lastIndexOf(':')),
          failures - turn,
        ]);
        expect(counted).toEqual(expected);
      }
      expect(await asked()).toEqual([]);
    },
  );

  test('codes that are typed stand in the field for codes of the pages, and behind the password', async () => {
    const app = await startTwo(start);
    const bob = await Bob.setUp(app, KNOCK);
    const visitor = new Visitor(app.url);
    await visitor.open(SIGN_IN);
    const asked = await visitor.send({ user: 'bob', password: PASSWORD });
    expect(asked.text).toContain('name="code"');
    expect(asked.text).not.toContain('6-digit');
    expect((await visitor.send({ code: 'k00000000' })).text).toContain('code-problem');
    const confirming = await visitor.send({ code: knock(bob.secret, 2).toUpperCase() });
    expect(confirming.text).toContain('value="allow"');

    await visitor.open(SIGN_IN);
    const appended = await visitor.send({ user: 'bob', password: `${PASSWORD} ${knock(bob.secret, 3)}` });
    expect(appended.text).toContain('value="allow"');
    const behind = await app.post(LOGIN, passwordLogin('bob', `${PASSWORD} ${knock(bob.secret, 4)}`));
    expect(behind.json).toMatchObject({ user_id: BOB });

    const challenge = await bob.ask('POST', DELETE_DEVICES, { devices: ['X'] });
    const session = sessionOf(challenge);
    const page = await visitor.open(`/_matrix/client/v3/auth/${KNOCK_STAGE}/fallback/web?session=${session}`);
    expect(page.text).toContain('name="code"');
    expect((await visitor.send({ code: knock(bob.secret, 5) })).text).toContain('You can close this page');
    const done = await bob.ask('POST', DELETE_DEVICES, {
      auth: { ...passwordLogin('bob', PASSWORD), session },
    });
    expect(done.status).toBe(200);
  });

  test('a secret that is typed into a device is set up on the sign-in page, without a script', async () => {
    const app = await startTwo(start);
    const visitor = new Visitor(app.url);
    await visitor.open(SIGN_IN);
    await visitor.send({ user: 'carol', password: PASSWORD });
    const scan = await visitor.send({ step: 'set_up', kind: 'knock' });
    const [, shown = ''] = /<code class="secret">([0-9a-f ]+)<\/code>/.exec(scan.text) ?? [];
    const secret = Buffer.from(shown.replaceAll(' ', ''), 'hex');
    expect(secret).toHaveLength(32);
    const codes = await visitor.send({ step: 'set_up_code', code: knock(secret, 1) });
    expect(codes.text).toContain('class="codes"');
    const [authenticator] = await app.storage.factors.authenticators(CAROL, 'knock');
    expect(authenticator).toMatchObject({ name: 'Token', lastStep: 1 });
  });
});
