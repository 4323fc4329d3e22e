import { setTimeout as pause } from 'node:timers/promises';
import { ACTIONS, POINTS, TARGETS, type Visit, visit } from '../adversary/visits.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { codeNow, type Enrolled, wrongCode } from '../support/enrolment.ts';
import { call, type HttpAnswer, type HttpCall } from '../support/http.ts';
import { PASSWORD, type Scene } from './scene.ts';
import type { Tally } from './tally.ts';
import type { Weather } from './weather.ts';

const STEP_MS = 30_000;
const ANSWER_MS = 30_000;
const VANDAL_PATIENCE_MS = 2_000;

/** What everybody has around them. */
export interface Storm {
  readonly scene: Scene;
  readonly weather: Weather;
  readonly tally: Tally;
  readonly over: AbortSignal;
}

/** Undefined: the connection failed, or nothing came. */
async function ask({ scene }: Storm, from: string, what: HttpCall): Promise<HttpAnswer | undefined> {
  try {
    const headers = { ...what.headers, 'x-forwarded-for': from };
    return await call(scene.serve.url, { ...what, headers, signal: AbortSignal.timeout(ANSWER_MS) });
  } catch {
    return undefined;
  }
}

function localpart({ userId }: Enrolled): string {
  return userId.slice(1, userId.indexOf(':'));
}

/** Signs in with the password, then with a code: whether that gave a token. */
async function signInWithCode(
  storm: Storm,
  from: string,
  owner: Enrolled,
  auth: { readonly type: string; readonly token: string },
): Promise<{ readonly token: string | undefined; readonly told: string }> {
  const challenge = await ask(storm, from, {
    target: LOGIN,
    json: passwordLogin(localpart(owner), PASSWORD),
  });
  const session = challenge?.json.session;
  if (challenge?.status !== 401 || session === undefined) {
    return { token: undefined, told: `password: ${challenge?.status} ${challenge?.text}` };
  }
  const answer = await ask(storm, from, { target: LOGIN, json: { auth: { ...auth, session } } });
  const token = answer?.json.access_token;
  return {
    token: typeof token === 'string' ? token : undefined,
    told: `${auth.type}: ${answer?.status} ${answer?.text}`,
  };
}

/** An owner signs in from home with each second code, and signs out; what fails is tried once more. */
export async function ownerLives(storm: Storm, owner: Enrolled, number: number): Promise<void> {
  const home = `203.0.113.${number + 1}`;
  const codes = [...owner.recoveryCodes];
  let lastStep = 0;
  const tryOnce = async (useRecovery: boolean) => {
    const code = useRecovery ? codes.shift() : undefined;
    if (code !== undefined)
      return signInWithCode(storm, home, owner, { type: 'm.login.2fa.recovery', token: code });
    lastStep = await freshStep(lastStep);
    const token = codeNow(owner.seed);
    return signInWithCode(storm, home, owner, { type: 'm.login.2fa.totp', token });
  };
  while (!storm.over.aborted) {
    if (!storm.weather.isSettled()) {
      await pause(500);
      continue;
    }
    const first = await tryOnce(false);
    const second = first.token === undefined ? await tryOnce(true) : first;
    // Who was caught by foul weather does not count.
    if (storm.weather.isFair() && !storm.over.aborted)
      storm.tally.owner(first.token !== undefined, second.token !== undefined, second.told);
    if (second.token !== undefined)
      await ask(storm, home, {
        method: 'POST',
        target: '/_matrix/client/v3/logout',
        token: second.token,
        json: {},
      });
    await pause(2 * STEP_MS + Math.random() * STEP_MS, undefined, { ref: false });
  }
}

/** Waits for a time step whose code was not used. */
async function freshStep(last: number): Promise<number> {
  for (;;) {
    const step = Math.floor(Date.now() / STEP_MS);
    if (step > last) return step;
    await pause(500);
  }
}

/** A user without 2FA signs in, reads, uploads and signs out. */
export async function guestLives(storm: Storm, number: number): Promise<void> {
  const from = `192.0.2.${number + 1}`;
  while (!storm.over.aborted) {
    const begunFair = storm.weather.isSettled();
    const login = await ask(storm, from, { target: LOGIN, json: passwordLogin(`guest${number}`, PASSWORD) });
    const token = typeof login?.json.access_token === 'string' ? login.json.access_token : '';
    const upload = await ask(storm, from, {
      target: '/_matrix/media/v3/upload',
      body: 'x'.repeat(20_000),
      token,
    });
    const logout = await ask(storm, from, { target: '/_matrix/client/v3/logout', json: {}, token });
    const statuses = [login, upload, logout].map((answer) => answer?.status ?? 0);
    if (begunFair && storm.weather.isFair() && !storm.over.aborted) {
      storm.tally.guest(
        statuses.every((status) => status === 200),
        statuses.join(' '),
      );
    }
    await pause(300 + Math.random() * 700);
  }
}

/** A thief has learnt the passwords of owners, and guesses codes from ever new addresses. */
export async function thiefLives(storm: Storm): Promise<void> {
  while (!storm.over.aborted) {
    const owner = any(storm.scene.owners);
    const from = `198.51.${Math.floor(Math.random() * 256)}.${Math.floor(Math.random() * 256)}`;
    const guess = { type: 'm.login.2fa.totp', token: wrongCode(owner.seed, Date.now()) };
    const { token } = await signInWithCode(storm, from, owner, guess);
    if (token !== undefined) storm.tally.stolen(owner.userId);
    await pause(Math.random() * 1_000);
  }
}

/** A vandal begins requests and leaves them, at any point and in any way. */
export async function vandalLives(storm: Storm): Promise<void> {
  while (!storm.over.aborted) {
    const each: Visit = { target: any(TARGETS), point: any(POINTS), action: any(ACTIONS) };
    await visit(storm.scene.port, each, VANDAL_PATIENCE_MS);
    await pause(Math.random() * 100);
  }
}

function any<T>(list: readonly T[]): T {
  return list[Math.floor(Math.random() * list.length)] as T;
}
