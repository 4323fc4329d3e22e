import { Refusal } from '../matrix/refusals.ts';
import type { HomeserverCall } from './homeserver.ts';

/** What is asked of the homeserver, in one word each. */
export type CallName = 'login' | 'whoami' | 'logout' | 'keys' | 'versions' | 'other';

/** Why a question was not answered, or not as it was meant. */
export type CallFailure = 'down' | 'timeout' | 'answer' | 'limit' | 'error';

/** Hears how the homeserver answers us. */
export interface HomeserverWatch {
  /** It answered, whatever it said, after so many milliseconds. */
  answered(call: CallName, ms: number): void;
  failed(call: CallName, reason: CallFailure, cause?: unknown): void;
}

const NAMES: readonly (readonly [ending: RegExp, name: CallName])[] = [
  [/\/login$/, 'login'],
  [/\/account\/whoami$/, 'whoami'],
  [/\/logout(\/all)?$/, 'logout'],
  [/\/keys\/query$/, 'keys'],
  [/\/versions$/, 'versions'],
];

/** The name of a call, for counting: paths hold what clients chose. */
export function nameOf({ path }: HomeserverCall): CallName {
  const [plain = ''] = path.split('?', 1);
  return NAMES.find(([ending]) => ending.test(plain))?.[1] ?? 'other';
}

/** How an answer failed, by its status; undefined if it did not. */
export function failureOf(status: number): CallFailure | undefined {
  if (status === 429) return 'limit';
  return status >= 500 ? 'error' : undefined;
}

const FAILURES: Readonly<Record<string, CallFailure>> = {
  homeserver_unreachable: 'down',
  homeserver_slow: 'timeout',
  homeserver_unclear: 'answer',
};

/** Undefined for what is not the homeserver's fault: a client that went away, our own full queue. */
export function failureIn(error: unknown): CallFailure | undefined {
  return error instanceof Refusal ? FAILURES[error.refusal] : undefined;
}
