import type { Form } from '../../http/form.ts';
import type { Outcome } from '../../matrix/outcome.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { SECOND } from '../../system/clock.ts';
import { LONGEST_NAME } from './fields.ts';
import type { PageVisit } from './form_pages.ts';
import { waitTime } from './time_text.ts';

const LONGEST_PASSWORD = 4096;

/** What was wrong with name and password. Times are ms since the epoch. */
export type CredentialProblem =
  | { readonly is: 'wrong' | 'missingUser' | 'missingPassword' | 'down' }
  | { readonly is: 'limited' | 'limitedByServer'; readonly until: number };

/** Name and password as they were typed, where there is something to judge. */
export interface TypedCredentials {
  readonly name: string;
  readonly password: string;
  /** Nothing was judged. */
  readonly problem?: RefusedCredentials | undefined;
}

/** What a form with name and password came to, and what the operator is told. */
export interface RefusedCredentials {
  readonly problem: CredentialProblem;
  readonly outcome: Outcome;
}

export function readCredentials(form: Form): TypedCredentials {
  const name = (form.get('user') ?? '').trim().slice(0, LONGEST_NAME + 1);
  const password = form.get('password') ?? '';
  const typed = { name, password };
  const missing = new Refusal('missing_param').outcome;
  if (name === '') return { ...typed, problem: { problem: { is: 'missingUser' }, outcome: missing } };
  if (password === '') return { ...typed, problem: { problem: { is: 'missingPassword' }, outcome: missing } };
  if (name.length <= LONGEST_NAME && password.length <= LONGEST_PASSWORD) return typed;
  return { ...typed, problem: { problem: { is: 'wrong' }, outcome: new Refusal('login_refused').outcome } };
}

/** What a refusal tells of name and password; undefined where it is about neither. @throws the error, if it is not a refusal */
export function credentialsRefused(error: unknown, now: number): RefusedCredentials | undefined {
  if (!(error instanceof Refusal)) throw error;
  const { outcome } = error;
  if (error.refusal === 'login_refused') return { problem: { is: 'wrong' }, outcome };
  if (error.status === 429) {
    const isServers = outcome.is === 'limited' && outcome.reason === 'homeserver';
    const until = now + (error.retryAfterMs ?? SECOND);
    return { problem: { is: isServers ? 'limitedByServer' : 'limited', until }, outcome };
  }
  return awayFrom(error);
}

/** The homeserver is away: the form is shown again. Undefined if it is not that. @throws the error, if it is not a refusal */
export function awayFrom(error: unknown): RefusedCredentials | undefined {
  if (!(error instanceof Refusal)) throw error;
  return error.status < 500 ? undefined : { problem: { is: 'down' }, outcome: error.outcome };
}

/** @param leftMs what is left of a wait */
export function credentialText(
  { say, server }: PageVisit,
  { is }: CredentialProblem,
  leftMs: number,
): string {
  if (is === 'down') return say('error.down.text', { server });
  if (is === 'limited' || is === 'limitedByServer')
    return say(`signIn.${is}`, { time: waitTime(say, leftMs) });
  return say(`signIn.${is}`);
}
