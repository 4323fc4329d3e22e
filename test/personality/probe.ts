import type { JsonObject } from '../../src/matrix/wire.ts';
import type { HttpAnswer, HttpCall } from '../support/http.ts';
import type { PersonalityName } from '../support/stub/personality.ts';

/** A user of the homeserver under test, signed in on one device. */
export interface ProbeUser {
  readonly name: string;
  readonly userId: string;
  readonly password: string;
  readonly token: string;
  readonly deviceId: string;
}

/** A homeserver under test, real or stub. */
export interface ProbedHomeserver {
  readonly serverName: string;
  readonly call: (call: HttpCall) => Promise<HttpAnswer>;
  /** Writes bytes to a fresh connection; what came back. */
  readonly raw: (bytes: string) => Promise<string>;
  /** A fresh user, signed in; `password` if it matters. */
  readonly newUser: (given?: { password?: string; email?: string }) => Promise<ProbeUser>;
}

/**
 * What was measured, one text a homeserver; continuwuity's is left out where it is the same as that of tuwunel, whose
 * relative it is. A text holds one word group an answer, divided by `; `. Each group
 * names what must be seen in that answer: the status (`401+`: with a session and flows), the error code,
 * `completed:[a,b]`, `completed:null`, `params:null`; with `!` before it what must not be there. `?`: it was not measured.
 */
export type Measured = readonly [
  synapse: string,
  dendrite: string,
  conduit: string,
  tuwunel: string,
  continuwuity?: string,
];

/** One experiment that was made on every homeserver. */
export interface Probe {
  readonly name: string;
  readonly measured: Measured;
  readonly run: (homeserver: ProbedHomeserver) => Promise<readonly HttpAnswer[]>;
}

export function measuredOn(name: PersonalityName, measured: Measured): string {
  const [synapse, dendrite, conduit, tuwunel, continuwuity = tuwunel] = measured;
  return { synapse, dendrite, conduit, tuwunel, continuwuity }[name];
}

/** The words that describe an answer. */
export function describeAnswer({ status, json }: HttpAnswer): string[] {
  const isChallenge = typeof json.session === 'string' && Array.isArray(json.flows);
  const words = [`${status}${isChallenge ? '+' : ''}`];
  if (typeof json.errcode === 'string') words.push(json.errcode);
  if ('completed' in json) words.push(`completed:${listed(json.completed)}`);
  if ('params' in json) words.push(`params:${json.params === null ? 'null' : 'object'}`);
  return words;
}

/** What of `measured` cannot be seen in the answers; empty if all fits. */
export function misfits(measured: string, answers: readonly HttpAnswer[]): string[] {
  const groups = measured.split('; ');
  const seen = answers.map(describeAnswer);
  if (groups.length !== seen.length) return [`${groups.length} answers measured, ${seen.length} seen`];
  return groups.flatMap((group, at) => misfitsOfOne(group, seen[at] ?? []));
}

/** Everything that two homeservers of one kind must have in common in an answer, secrets left out. */
export function comparable(answer: HttpAnswer): JsonObject {
  const isJson = Object.keys(answer.json).length > 0 || answer.text === '{}';
  return {
    words: describeAnswer(answer),
    keys: isJson ? Object.keys(answer.json).sort() : [],
    flows: answer.json.flows,
    softLogout: answer.json.soft_logout,
    contentType: isJson ? answer.headers['content-type'] : undefined,
    hasRetryAfter: 'retry-after' in answer.headers,
  };
}

function misfitsOfOne(group: string, seen: readonly string[]): string[] {
  return group
    .split(' ')
    .filter((word) => !fits(word, seen))
    .map((word) => `${word} was measured, ${seen.join(' ')} seen`);
}

function fits(word: string, seen: readonly string[]): boolean {
  if (word === '?') return true;
  if (!word.startsWith('!')) return seen.includes(word);
  return !seen.some((one) => one.startsWith(word.slice(1)));
}

function listed(value: JsonObject[string]): string {
  return Array.isArray(value) ? `[${value.join(',')}]` : String(value);
}
