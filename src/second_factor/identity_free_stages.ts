import type { JsonObject } from '../matrix/wire.ts';

/** Stages that prove something without saying who is meant. */
const IDENTITY_FREE: ReadonlySet<string> = new Set([
  'm.login.dummy',
  'm.login.terms',
  'm.login.recaptcha',
  'm.login.registration_token',
  'm.login.sso',
  'm.oauth',
]);

/** Proofs of an address, which is the account's or none: only behind the owner's second factor. */
const OF_AN_ADDRESS: ReadonlySet<string> = new Set(['m.login.email.identity', 'm.login.msisdn']);

/** What homeservers read a user from. */
const NAMES: ReadonlySet<string> = new Set([
  ...['identifier', 'user', 'username', 'password'],
  ...['medium', 'address', 'country', 'phone', 'number'],
]);

/**
 * Whether a stage proves something without saying who is meant. All others must be the owner's password: one server
 * takes another user's JSON Web Token here, and does what is asked to that user (attack 156).
 */
export function isIdentityFree(stage: string): boolean {
  return IDENTITY_FREE.has(stage);
}

/** Whether the owner may be led on through this stage of the homeserver's, their second factor being proven. */
export function mayFollowProof(stage: string): boolean {
  return isIdentityFree(stage) || OF_AN_ADDRESS.has(stage);
}

/** The fields of a stage that names nobody, without what could name somebody all the same. */
export function withoutNames(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !NAMES.has(key)));
}
