/**
 * What a sign-in costs beside another tree of this project, by turns in one run: `npm run bench -- sign_in_change
 * --against TREE`. CPU time is that of the proxy alone, all its threads; the homeserver grants everything at once.
 */
import { TOTP_STAGE } from '../src/factors/totp/totp_words.ts';
import { type JsonObject, PASSWORD_STAGE } from '../src/matrix/wire.ts';
import { codeNow } from '../test/support/enrolment.ts';
import { cpuMs } from './support/cpu_time.ts';
import { postGrantedLogin, postLogin } from './support/login_requests.ts';
import type { BenchRun } from './support/results.ts';
import { type EnrolledUser, STEP_MS } from './support/tree_server.ts';
import { type Costs, compareTrees, type Tree } from './support/trees.ts';

const PLAIN = 200;
/** Each signs in twice a turn with an appended code, and twice with a challenge first. */
const ENROLLED = 50;
const PASSWORD = 'correct horse battery staple';

const aheadMs = new Map<number, number>();

/** Measures and prints, or says what is missing. */
export async function run({ against, rounds, report }: BenchRun): Promise<void> {
  if (against === undefined) {
    console.log('sign_in_change: left out, because no other tree is named (--against TREE)');
    return;
  }
  const asked = { against, homeserverScript: 'granting_server.ts', enrolled: ENROLLED, rounds };
  const comparisons = [
    { what: 'without 2FA', measure: withoutFactor },
    { what: 'appended code', measure: withAppendedCode },
    { what: 'challenge, then code', measure: withChallenge },
  ];
  report(await compareTrees(asked, comparisons));
}

function withAppendedCode(tree: Tree): Promise<Costs> {
  return twiceEach(tree, (user, code) =>
    postGrantedLogin(tree.url, credentials(user.userId, `${PASSWORD} ${code}`)),
  );
}

function withChallenge(tree: Tree): Promise<Costs> {
  return twiceEach(tree, async (user, token) => {
    const { session = null } = await postLogin(tree.url, credentials(user.userId, PASSWORD));
    await postGrantedLogin(tree.url, { auth: { type: TOTP_STAGE, session, token } });
  });
}

function withoutFactor(tree: Tree): Promise<Costs> {
  return measured(tree, PLAIN, async () => {
    for (let turn = 0; turn < PLAIN; turn++) {
      await postGrantedLogin(tree.url, credentials('@guest:example.org', PASSWORD));
    }
  });
}

/** A code is good once: for the second sign-in of each user the clock goes on by a step. */
function twiceEach(tree: Tree, signIn: (user: EnrolledUser, code: string) => Promise<void>): Promise<Costs> {
  return measured(tree, 2 * ENROLLED, async () => {
    for (let turn = 0; turn < 2; turn++) {
      const ahead = (aheadMs.get(tree.pid) ?? 0) + STEP_MS;
      aheadMs.set(tree.pid, ahead);
      process.kill(tree.pid, 'SIGUSR2');
      // The signal comes before the first request that is sent after this one was answered.
      await postLogin(tree.url, {});
      for (const user of tree.users) {
        await signIn(user, codeNow(Buffer.from(user.seed, 'hex'), 0, ahead));
      }
    }
  });
}

/** Milliseconds for one sign-in. */
async function measured({ pid }: Tree, signIns: number, work: () => Promise<void>): Promise<Costs> {
  const cpu = cpuMs(pid);
  const begun = performance.now();
  await work();
  return { cpu: (cpuMs(pid) - cpu) / signIns, time: (performance.now() - begun) / signIns };
}

function credentials(user: string, password: string): JsonObject {
  return { type: PASSWORD_STAGE, identifier: { type: 'm.id.user', user }, password };
}
