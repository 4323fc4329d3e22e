/** What the walks through docs/upgrade.md need: who signs in, what is typed, and who is ready meanwhile. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { commandsUnder } from '../deploy/fresh_machine.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { codeNow } from '../support/enrolment.ts';
import { call, type HttpAnswer } from '../support/http.ts';
import { signedIn, turnOn } from '../support/real_app.ts';
import type { ReleaseUser } from './release.ts';
import type { UpgradeMachine } from './upgrade_machine.ts';

const PAGE = 'docs/upgrade.md';

export const NAME = 'bob';
export const PASSWORD = 'correct horse';

/** What a user does at the address of a process. */
export class Person {
  constructor(private readonly user: ReleaseUser) {}

  /** Bob, who has signed in without 2FA, and turns it on. */
  static async whoTurnsItOn(url: string): Promise<Person> {
    const answer = await call(url, { target: LOGIN, json: passwordLogin(NAME, PASSWORD) });
    const bob = { name: NAME, userId: `@${NAME}:example.org`, password: PASSWORD, ...signedIn(answer) };
    const { seed, recoveryCodes } = await turnOn(bob, Date.now(), (target, json, token) =>
      call(url, { target, json, token }),
    );
    const known = { user_id: bob.userId, seed: seed.toString('hex'), recovery_codes: recoveryCodes };
    return new Person({ ...known, password: PASSWORD });
  }

  login(url: string, behind = ''): Promise<HttpAnswer> {
    const { user_id: userId, password } = this.user;
    return call(url, { target: LOGIN, json: passwordLogin(userId, password + behind) });
  }

  finish(url: string, challenge: HttpAnswer, token: string, kind = 'totp'): Promise<HttpAnswer> {
    const auth = { type: `m.login.2fa.${kind}`, session: String(challenge.json.session), token };
    return call(url, { target: LOGIN, json: { auth } });
  }

  async recover(url: string, place: number): Promise<HttpAnswer> {
    return this.finish(url, await this.login(url), this.user.recovery_codes[place] ?? '', 'recovery');
  }

  code(steps: 0 | 1): string {
    return codeNow(Buffer.from(this.user.seed, 'hex'), steps);
  }
}

/** Types a block of commands of the page, as printed. */
export async function walk(machine: UpgradeMachine, heading: string, block = 0): Promise<string> {
  const commands = commandsUnder(PAGE, heading)[block];
  if (commands === undefined) throw new Error(`${PAGE} has no block ${block} under "${heading}"`);
  const said = await machine.run(commands);
  expect(said).toMatchObject({ code: 0 });
  return said.out;
}

async function isReady(url: string): Promise<boolean> {
  const answer = await call(url, { target: '/_2fa/ready' }).catch(() => undefined);
  return answer?.status === 200;
}

export async function untilReady(url: string): Promise<void> {
  while (!(await isReady(url))) await delay(20);
}

/** How often no process was ready while `work` was under way. */
export async function gapsDuring(urls: readonly string[], work: () => Promise<unknown>): Promise<number> {
  const oneIsReady = async () => (await Promise.all(urls.map(isReady))).includes(true);
  let under = true;
  const ended = work().finally(() => {
    under = false;
  });
  let gaps = 0;
  while (under) {
    // Twice: the first may be ready just after it was asked, and the second end before it is.
    if (!((await oneIsReady()) || (await oneIsReady()))) gaps += 1;
    await delay(20);
  }
  await ended;
  return gaps;
}

export function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
