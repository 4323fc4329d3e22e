import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import { describeOnPooledDatabases } from '../support/both_databases.ts';
import { codeNow, type Enrolled, wrongCode } from '../support/enrolment.ts';
import { call, type HttpAnswer } from '../support/http.ts';
import { ServeProcess } from '../support/serve_process.ts';
import { loginsOf, PASSWORD, TOTP } from './support.ts';

const AT_ONCE = 20;

/** One for each test: all share two processes, as to start them takes longest. */
const USERS = ['ann', 'bob', 'cem', 'dora', 'emil'] as const;
/** A test may not meet the limit by address because of those before it. */
const LIMITS = 'limits: { per_address: { per_second: 1000, burst_count: 10000 } }';

describeOnPooledDatabases('two `serve` on one database', (start) => {
  let app: TestApp;
  let enrolled: Enrolled[];
  let processes: ServeProcess[];
  let user: { readonly name: string; readonly seed: Buffer };
  let earlierLogins: number;

  beforeAll(async () => {
    app = await start({ users: USERS.map((name) => ({ name, password: PASSWORD })), config: LIMITS });
    enrolled = [];
    for (const name of USERS) enrolled.push(await app.enrol(name));
    await app.shutDown();
    const config = join(app.directory, 'config.yaml');
    processes = await Promise.all([ServeProcess.start(config), ServeProcess.start(config)]);
  });

  afterAll(() => Promise.all(processes.map((each) => each.stop())));

  beforeEach(() => {
    const { userId, seed } = enrolled.shift() ?? {};
    if (userId === undefined || seed === undefined) throw new Error('each test needs a user of its own');
    user = { name: userId.slice(1, userId.indexOf(':')), seed };
    earlierLogins = loginsOf(app).length;
  });

  const urlOf = (turn: number) => processes[turn % processes.length]?.url ?? '';
  const signIn = (turn: number, password = PASSWORD) =>
    call(urlOf(turn), { target: LOGIN, json: passwordLogin(user.name, password) });
  const submit = (turn: number, challenge: HttpAnswer, token: string) => {
    const session = String(challenge.json.session);
    return call(urlOf(turn), { target: LOGIN, json: { auth: { type: TOTP, session, token } } });
  };
  const code = (steps: 0 | 1 = 0) => codeNow(user.seed, steps);
  const newLogins = () => loginsOf(app).slice(earlierLogins);
  const everyTurn = Array.from({ length: AT_ONCE }, (_, turn) => turn);
  const granted = (answers: readonly HttpAnswer[]) => answers.filter(({ status }) => status === 200);

  test('attack 169: equal sign-ins at both at once make one login, which one code hands out once', async () => {
    const challenges = await Promise.all(everyTurn.map((turn) => signIn(turn)));
    expect(challenges.map(({ status }) => status)).toEqual(challenges.map(() => 401));
    expect(newLogins()).toHaveLength(1);
    const token = code();
    const answers = await Promise.all(
      challenges.map((challenge, turn) => submit(turn + 1, challenge, token)),
    );
    expect(granted(answers)).toHaveLength(1);
  });

  test('attack 169: one code behind the password, at both at once, gives one token', async () => {
    const typed = `${PASSWORD} ${code()}`;
    const answers = await Promise.all(everyTurn.map((turn) => signIn(turn, typed)));
    expect(granted(answers)).toHaveLength(1);
  });

  test('attack 92: the password at one and the code at the other sign in', async () => {
    expect(await submit(1, await signIn(0), code())).toMatchObject({ status: 200 });
    expect(await submit(0, await signIn(1), code(1))).toMatchObject({ status: 200 });
  });

  test('attack 55: wrong codes at one make the other wait, too', async () => {
    const wrong = wrongCode(user.seed, Date.now());
    const challenge = await signIn(0);
    for (let turn = 0; turn < 5; turn++) await submit(0, challenge, wrong);
    expect(await submit(1, await signIn(1), wrong)).toMatchObject({ status: 429 });
  });

  // The last one: it leaves one process.
  test('attack 26: what one had begun when it was killed is finished by the other, which goes on alone', async () => {
    await signIn(0);
    // It joins the first, which has given its lease back by now.
    const challenge = await signIn(0);
    const [killed] = processes.splice(0, 1);
    await killed?.kill();
    expect(await submit(1, challenge, code())).toMatchObject({ status: 200 });
    // The killed one still counts as there: this sign-in takes its lease in the store.
    expect(await signIn(1, `${PASSWORD} ${code(1)}`)).toMatchObject({ status: 200 });
    expect(newLogins()).toHaveLength(2);
  });
});
