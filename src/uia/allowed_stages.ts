import { Refusal } from '../matrix/refusals.ts';
import { foldLocalpart, parseUserId } from '../matrix/user_id.ts';
import { isJsonObject, type Json, type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';
import type { PresentedAuth } from './presented_auth.ts';

/** Stages that prove something without saying who is meant. */
const IDENTITY_FREE: ReadonlySet<string> = new Set([
  'm.login.dummy',
  'm.login.terms',
  'm.login.recaptcha',
  'm.login.registration_token',
  'm.login.sso',
  'm.oauth',
]);

/** Proofs of an address. They name no user, so they are let through only behind the owner's second factor. */
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

/** The fields of a stage that names no user, without those that could name one all the same. */
export function withoutNames(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !NAMES.has(key)));
}

/**
 * The stages that the specification has where there is no access token: registration and the password reset
 * by e-mail. Homeservers judge an uninvited `m.login.password` there, without any limit (R6, attack 104).
 */
const TOKENLESS_STAGES = new Set([
  'm.login.email.identity',
  'm.login.msisdn',
  'm.login.dummy',
  'm.login.recaptcha',
  'm.login.terms',
  'm.login.registration_token',
  'org.matrix.msc3231.login.registration_token',
]);

/** @throws Refusal stage_not_offered if `auth` is of a stage that has no place where there is no token. */
export function requireTokenlessStage(auth: PresentedAuth | undefined): void {
  if (auth?.type === undefined || TOKENLESS_STAGES.has(auth.type)) return;
  throw new Refusal('stage_not_offered');
}

/**
 * Checks that an `m.login.password` stage names no one but the owner of the access token: two server families
 * accept any user's password there (R6, attack 103). Every field that a homeserver could read a user from is
 * looked at; none at all means the owner.
 * @throws Refusal other_user, bad_json
 */
export function requireOwnName(auth: JsonObject, ownerId: string): void {
  for (const name of namesIn(auth)) {
    if (!isNameOf(name, ownerId)) throw new Refusal('other_user');
  }
}

/** A password stage that names the owner only, by the full id, whatever the spelling was (attack 48). */
export function pinnedPassword(password: Json | undefined, ownerId: string): JsonObject {
  const stage: JsonObject = { type: PASSWORD_STAGE, identifier: { type: 'm.id.user', user: ownerId } };
  return password === undefined ? stage : { ...stage, password };
}

function namesIn(auth: JsonObject): string[] {
  const { identifier, user, medium, address } = auth;
  // The homeserver decides whom a third-party identifier names.
  if (isPresent(medium) || isPresent(address)) throw new Refusal('other_user');
  const names: string[] = [];
  if (isPresent(user)) names.push(requireText(user));
  if (!isPresent(identifier)) return names;
  if (!isJsonObject(identifier)) {
    throw new Refusal('bad_json', { text: '`auth.identifier` must be an object.' });
  }
  if (identifier.type !== 'm.id.user') throw new Refusal('other_user');
  return [...names, requireText(identifier.user)];
}

/** The owner's full id or local part; homeservers fold case, so the same name in capitals is still theirs (attack 48). */
function isNameOf(name: string, ownerId: string): boolean {
  const owner = parseUserId(ownerId);
  if (owner === undefined) return false;
  const named = parseUserId(name);
  if (named !== undefined && named.server.toLowerCase() !== owner.server.toLowerCase()) return false;
  return foldLocalpart(name) === foldLocalpart(ownerId);
}

function isPresent<T>(value: T): value is Exclude<T, undefined | null> {
  return value !== undefined && value !== null;
}

function requireText(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new Refusal('bad_json', { text: 'The user in `auth` must be a string.' });
}
