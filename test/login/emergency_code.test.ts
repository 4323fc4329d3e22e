import { beforeEach, expect, test } from '@jest/globals';
import { type JsonObject, PASSWORD_STAGE } from '../../src/matrix/wire.ts';
import type { TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { operate } from '../support/operate.ts';
import { Visitor } from '../support/visitor.ts';
import { PASSWORD, RECOVERY, signIn, submit } from './support.ts';

const BOB = '@bob:localhost';
const TWO_FACTOR = '/_matrix/client/v3/account/two-factor';
const DELETE_DEVICES = '/_matrix/client/v3/delete_devices';
const HISTORY = '/_matrix/client/unstable/org.matrix.2fa/history';
const HOUR = 3_600_000;
const GROUNDS = ['--reason', 'phone in the sea', '--verified-by', 'Ada, video call'];

describeOnBothDatabases('an emergency code', (start) => {
  let app: TestApp;
  let token: string;

  beforeEach(async () => {
    app = await start({ users: [{ name: 'bob', password: PASSWORD }] });
    await app.enrol('bob');
    await app.storage.factors.deleteRecoverySet(BOB);
    ({ token } = app.stub.signIn('bob', 'MINE'));
  });

  async function newCode(...more: string[]): Promise<string> {
    const { code, out } = await operate(app, 'user', 'emergency-code', BOB, ...GROUNDS, ...more);
    expect(code).toBe(0);
    return out.split('\n')[0] ?? '';
  }

  async function events(): Promise<string[]> {
    return (await app.storage.audit.list({ userId: BOB })).map(({ event }) => event);
  }

  function offers(json: JsonObject): boolean {
    return JSON.stringify(json.flows).includes(RECOVERY);
  }

  async function inOneShot(method: string, target: string, code: string, json: JsonObject = {}) {
    const identifier = { type: 'm.id.user', user: BOB };
    const auth = { type: PASSWORD_STAGE, identifier, password: `${PASSWORD} ${code}` };
    return app.call({ method, target, token, json: { ...json, auth } });
  }

  test('is good at the login, once; its flow is offered while it is open', async () => {
    expect(offers((await signIn(app, 'bob')).body)).toBe(false);
    const code = await newCode();
    expect(code).toMatch(/^[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}$/);
    const first = await signIn(app, 'bob');
    expect(offers(first.body)).toBe(true);
    expect((await submit(app, first, code.toUpperCase().replaceAll('-', ' '), RECOVERY)).status).toBe(200);

    await newCode();
    const second = await signIn(app, 'bob');
    const again = await submit(app, second, code, RECOVERY);
    const wrong = await submit(app, second, 'aaaa-aaaa-aaaa', RECOVERY);
    expect([again.status, again.body.errcode, again.body.error]).toEqual([
      401,
      wrong.body.errcode,
      wrong.body.error,
    ]);
    expect(await events()).toEqual([
      'factor.refused',
      'factor.refused',
      'operator.emergency_code',
      'login.completed',
      'emergency_code.used',
      'operator.emergency_code',
    ]);
    const records = await app.storage.audit.list({ userId: BOB });
    expect(records.at(-1)?.detail).toEqual({
      reason: 'phone in the sea',
      verified_by: 'Ada, video call',
      valid_for: 24 * HOUR,
    });
    expect(JSON.stringify(records)).not.toContain(code);
  });

  test('is good behind the password, on the page, at a guarded endpoint and the two-factor API', async () => {
    expect((await signIn(app, 'bob', `${PASSWORD} ${await newCode()}`)).status).toBe(200);
    const devices = { devices: ['OTHER'] };
    expect((await inOneShot('POST', DELETE_DEVICES, await newCode(), devices)).status).toBe(200);

    const visitor = new Visitor(app.url);
    await visitor.open(`/_2fa/login?redirectUrl=${encodeURIComponent('https://client.example.org/')}`);
    await newCode();
    await visitor.send({ user: 'bob', password: PASSWORD });
    const accepted = await visitor.send({ code: await newCode() });
    expect(accepted.status).toBe(200);
    expect((await visitor.send({ decision: 'allow' })).headers.location).toContain('loginToken=');

    const asked = await app.call({ method: 'POST', target: DELETE_DEVICES, token, json: devices });
    const { session } = asked.json;
    await newCode();
    expect(offers(asked.json)).toBe(false);
    const next = await app.call({ method: 'POST', target: DELETE_DEVICES, token, json: devices });
    const inSteps = { type: RECOVERY, session: String(next.json.session), token: await newCode() };
    const step = await app.call({ method: 'POST', target: DELETE_DEVICES, token, json: { auth: inSteps } });
    expect(step.json.completed).toEqual([RECOVERY]);
    expect(session).not.toBe(next.json.session);

    expect((await inOneShot('DELETE', `${TWO_FACTOR}/totp`, await newCode())).status).toBe(200);
    expect(await app.storage.factors.isEnrolled(BOB)).toBe(false);
    expect((await events()).filter((event) => event === 'emergency_code.used')).toHaveLength(5);
  });

  test.each(['{ codes: off }', '{ codes_for_changes: false }'])(
    'is good where recovery: %s, at sign-ins, for changes and on the fallback page; recovery codes are not',
    async (recovery) => {
      const users = [{ name: 'bob', password: PASSWORD }];
      app = await start({ config: `policy: { recovery: ${recovery} }`, users });
      const bob = await app.enrol('bob');
      ({ token } = app.stub.signIn('bob', 'MINE'));
      await newCode();
      const challenge = await signIn(app, 'bob');
      expect(offers(challenge.body)).toBe(true);
      expect((await submit(app, challenge, await newCode(), RECOVERY)).status).toBe(200);

      const devices = { devices: ['OTHER'] };
      await newCode();
      const asked = await app.call({ method: 'POST', target: DELETE_DEVICES, token, json: devices });
      const session = String(asked.json.session);
      const visitor = new Visitor(app.url);
      await visitor.open(`/_matrix/client/v3/auth/${RECOVERY}/fallback/web?session=${session}`);
      await visitor.send({ code: await newCode() });
      const stage = { method: 'POST', target: DELETE_DEVICES, token, json: { auth: { session } } };
      expect((await app.call(stage)).json.completed).toEqual([RECOVERY]);

      const change = (code: string) => inOneShot('DELETE', `${TWO_FACTOR}/totp`, code);
      expect((await change(bob.recoveryCodes[0] ?? '')).status).not.toBe(200);
      expect((await change(await newCode())).status).toBe(200);
      expect((await events()).filter((event) => event === 'emergency_code.used')).toHaveLength(3);
    },
  );

  test('is in no state or count; its owner reads of it', async () => {
    await newCode();
    const state = await app.call({ method: 'GET', target: TWO_FACTOR, token });
    expect(Object.keys(state.json.providers as JsonObject)).toEqual(['m.login.2fa.totp']);
    const codes = await app.call({ method: 'GET', target: `${TWO_FACTOR}/recovery`, token });
    expect(codes.json).toMatchObject({ remaining: 0, total: 0 });
    const history = await app.call({ method: 'GET', target: HISTORY, token });
    expect(history.json.events).toMatchObject([{ event: 'operator.emergency_code' }]);
  });

  test('attack 187: 20 times at once over two processes, one is accepted', async () => {
    const other = await app.startAnother();
    const code = await newCode();
    const processes = Array.from({ length: 10 }, (_, turn) => (turn % 2 === 0 ? app : other));
    const challenges = [];
    for (const process of processes) challenges.push(await signIn(process, 'bob'));
    const answers = await Promise.all(
      [...challenges, ...challenges].map((challenge, turn) =>
        submit(processes[turn % 10] ?? app, challenge, code, RECOVERY),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.every(({ status }) => status < 500)).toBe(true);
    expect((await events()).filter((event) => event === 'emergency_code.used')).toHaveLength(1);
  });

  test('attack 187: late, replaced, for another user, and after a reset it is refused', async () => {
    app.stub.addUser({ name: 'carol', password: PASSWORD });
    await app.enrol('carol');
    const first = await newCode('--valid-for', '2h');
    const second = await newCode('--valid-for', '2h');
    const hers = await submit(app, await signIn(app, 'carol'), second, RECOVERY);
    expect(hers.status).toBe(401);
    expect((await submit(app, await signIn(app, 'bob'), first, RECOVERY)).status).toBe(401);
    app.clock.advance(2 * HOUR);
    expect(offers((await signIn(app, 'bob')).body)).toBe(false);
    expect((await signIn(app, 'bob', `${PASSWORD} ${second}`)).status).not.toBe(200);

    const third = await newCode();
    expect((await operate(app, 'user', 'reset', BOB, ...GROUNDS, '--yes')).code).toBe(0);
    await app.enrol('bob');
    expect((await submit(app, await signIn(app, 'bob'), third, RECOVERY)).status).toBe(401);
  });
});
