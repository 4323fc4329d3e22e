import { LOGIN, passwordLogin } from '../../support/app.ts';
import type { Enrolled } from '../../support/enrolment.ts';
import { call, type HttpAnswer, type HttpCall } from '../../support/http.ts';
import { PASSWORD } from '../scene.ts';
import type { Code, CodeBook } from './code_book.ts';
import type { Dice } from './dice.ts';
import type { Ledger } from './ledger.ts';
import type { World } from './world.ts';

/** In a storm clients lose their patience: that is how their connections are aborted. */
const STORMY_MS = 10_000;
/** In calm weather a busy machine may take its time. */
const CALM_MS = 90_000;

/** What everybody in a storm has around them. */
export interface Storm {
  readonly world: World;
  readonly ledger: Ledger;
  readonly dice: Dice;
  /** Whether nothing is broken at the moment. */
  isCalm: boolean;
  /** When everybody leaves what they are about. */
  leave: AbortSignal;
  /** What is wrong at the moment, for the report. */
  now: string;
}

/** An owner with their phone, which is signed in, and their codes. */
export interface Owner {
  readonly enrolled: Enrolled;
  readonly name: string;
  readonly phone: string;
  readonly address: string;
  readonly book: CodeBook;
}

/** Undefined: the connection failed, or nothing came. @param userId whose login may be granted meanwhile */
export async function send(
  { world, ledger, isCalm, leave }: Storm,
  from: string,
  what: HttpCall,
  userId?: string,
): Promise<HttpAnswer | undefined> {
  const signal = isCalm
    ? AbortSignal.timeout(CALM_MS)
    : AbortSignal.any([AbortSignal.timeout(STORMY_MS), leave]);
  const headers = { ...what.headers, 'x-forwarded-for': from };
  const answer = await call(world.url, { ...what, headers, signal }).catch(() => undefined);
  if (userId !== undefined && (answer === undefined || answer.status >= 500)) ledger.cut(userId);
  return answer;
}

export function asOwner(storm: Storm, owner: Owner, what: HttpCall): Promise<HttpAnswer | undefined> {
  return send(storm, owner.address, what, owner.enrolled.userId);
}

export function text(answer: HttpAnswer | undefined): string {
  return answer === undefined ? 'no answer' : `${answer.status} ${answer.text.slice(0, 300)}`;
}

/** The session that a right password opens; a token for it is the fault that all of this is about. */
export async function openSession(
  storm: Storm,
  { userId, from }: { readonly userId: string; readonly from: string },
): Promise<{ readonly session: string | undefined; readonly told: string }> {
  const name = userId.slice(1, userId.indexOf(':'));
  const answer = await send(storm, from, { target: LOGIN, json: passwordLogin(name, PASSWORD) }, userId);
  if (answer?.json.access_token !== undefined)
    storm.ledger.fault(`${storm.now}: the password alone signed in as ${userId}`);
  const session = answer?.status === 401 ? answer.json.session : undefined;
  return { session: typeof session === 'string' ? session : undefined, told: `password: ${text(answer)}` };
}

/** A code for a session, sent twice at the same moment where `twice`; the tokens that came of it. */
export async function finishSession(
  storm: Storm,
  owner: Owner,
  session: string,
  { stage, token }: Code,
  twice = false,
): Promise<{ readonly tokens: readonly string[]; readonly told: string }> {
  const { ledger } = storm;
  const { userId } = owner.enrolled;
  const json = { auth: { type: stage, session, token } };
  const answers = await Promise.all(
    Array.from({ length: twice ? 2 : 1 }, () => asOwner(storm, owner, { target: LOGIN, json })),
  );
  const tokens = answers.flatMap((answer) => {
    const given = answer?.json.access_token;
    return typeof given === 'string' ? [given] : [];
  });
  for (const given of tokens) {
    ledger.token(userId, given);
    ledger.codeAccepted(userId, token);
  }
  return { tokens, told: `${stage}: ${answers.map(text).join(', ')}` };
}

/** Who is in signs out again. */
export async function signOut(storm: Storm, owner: Owner, token: string): Promise<void> {
  await asOwner(storm, owner, { method: 'POST', target: '/_matrix/client/v3/logout', token, json: {} });
}

/** Password and code in one field, as a client that knows only passwords sends them. */
export function withCode({ enrolled }: Owner, { token }: Code) {
  return {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: enrolled.userId },
    password: `${PASSWORD} ${token}`,
  };
}
