import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { DELETE_DEVICES } from '../guard/guarded.ts';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import type { Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';
import { Visitor } from '../support/visitor.ts';

const TOTP = 'm.login.2fa.totp';
const RECOVERY = 'm.login.2fa.recovery';
const PASSWORD = 'correct horse';
const PAGE = '/_2fa/login?redirectUrl=https%3A%2F%2Fapp.example.net%2F';
const TIMES = 20;

/** Of one network one recovery code of a user waits to be hashed; the others shall come again in a second. */
function isBusy(stage: string, answer: string): boolean {
  return stage === RECOVERY && answer.startsWith('429');
}

function told({ status, json }: HttpAnswer): string {
  return `${status} ${json.completed ?? ''} ${json.error ?? ''}`;
}

function atOnce<T>(act: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: TIMES }, act));
}

describeOnBothDatabases('attack 181: one right code 20 times at once in one session', (start) => {
  let app: TestApp;
  let bob: Enrolled;
  let token: string;

  async function begin(): Promise<void> {
    app = await start({ users: [{ name: 'bob', password: PASSWORD }] });
    bob = await app.enrol('bob');
    token = app.stub.signIn('bob', 'BOBSPHONE').token;
    app.stub.signIn('bob', 'OLDPHONE');
  }

  async function expectNothingCounted(): Promise<void> {
    expect((await app.storage.read(lanesOf(bob.userId))).filter(({ failures }) => failures > 0)).toEqual([]);
    const events = (await app.storage.audit.list({ userId: bob.userId })).map(({ event }) => event);
    expect(events.filter((event) => event === 'factor.refused')).toEqual([]);
    expect(events.filter((event) => event.endsWith('.used'))).toHaveLength(1);
  }

  const codeOf = (stage: string) => (stage === TOTP ? app.code(bob) : (bob.recoveryCodes[0] ?? ''));
  const guarded = (auth: JsonObject) =>
    app.post(DELETE_DEVICES.target, { ...DELETE_DEVICES.body, auth }, token);

  test.each([TOTP, RECOVERY])('at the login, as %s: one signs in, no other fails', async (stage) => {
    await begin();
    const { json } = await app.post(LOGIN, passwordLogin('bob', PASSWORD));
    const auth = { type: stage, session: String(json.session), token: codeOf(stage) };
    const answers = await atOnce(() => app.post(LOGIN, { auth }));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const others = answers.map(told).filter((answer) => !answer.startsWith('200') && !isBusy(stage, answer));
    for (const answer of others) expect(answer).toMatch(/^401 {2}This authentication session is unknown/);
    await expectNothingCounted();
    expect(app.stub.liveTokens('bob')).toHaveLength(3);
  });

  test.each([TOTP, RECOVERY])('on a guarded endpoint, as %s: all are told that it is done', async (stage) => {
    await begin();
    const { json } = await app.post(DELETE_DEVICES.target, DELETE_DEVICES.body, token);
    const auth = { type: stage, session: String(json.session), token: codeOf(stage) };
    const answers = await atOnce(() => guarded(auth));
    const done = `401 ${stage} `;
    const others = answers.map(told).filter((answer) => answer !== done && !isBusy(stage, answer));
    expect(others).toEqual([]);
    expect(answers.map(told)).toContain(done);
    await expectNothingCounted();
    const password = { type: 'm.login.password', identifier: { type: 'm.id.user', user: bob.userId } };
    const last = await guarded({ ...password, password: PASSWORD, session: String(json.session) });
    expect(last.status).toBe(200);
  });

  test('on the sign-in page: all go on', async () => {
    await begin();
    const visitor = new Visitor(app.url);
    await visitor.open(PAGE);
    await visitor.send({ user: 'bob', password: PASSWORD });
    const code = app.code(bob);
    const pages = await atOnce(() => visitor.send({ code }));
    for (const { text } of pages) expect(text).toContain('Continue to ');
    await expectNothingCounted();
  });

  test('on a fallback page: all are told that it is done', async () => {
    await begin();
    const { json } = await app.post(DELETE_DEVICES.target, DELETE_DEVICES.body, token);
    const code = app.code(bob);
    // Each from a browser of its own: a form that is sent again is not judged at all.
    const pages = await atOnce(async () => {
      const visitor = new Visitor(app.url);
      await visitor.open(`/_matrix/client/v3/auth/${TOTP}/fallback/web?session=${json.session}`);
      return visitor.send({ code });
    });
    for (const { text } of pages) expect(text).toContain('Approved');
    await expectNothingCounted();
  });
});
