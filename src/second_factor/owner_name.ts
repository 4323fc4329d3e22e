import { Refusal } from '../matrix/refusals.ts';
import { foldLocalpart, parseUserId } from '../matrix/user_id.ts';
import { isJsonObject, type Json, type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';

/**
 * Checks that an `m.login.password` stage names nobody but the owner of the access token: two server families
 * accept any user's password there (R6, attack 103). Every field that a homeserver could read a user from is
 * looked at; none at all means the owner.
 * @throws Refusal other_user, bad_json
 */
export function requireOwnName(auth: JsonObject, ownerId: string): void {
  for (const name of namesIn(auth)) {
    if (!isNameOf(name, ownerId)) throw new Refusal('other_user');
  }
}

/** A password stage that names nobody but the owner, by the full id, whatever the spelling was (attack 48). */
export function pinnedPassword(password: Json | undefined, ownerId: string): JsonObject {
  const stage: JsonObject = { type: PASSWORD_STAGE, identifier: { type: 'm.id.user', user: ownerId } };
  return password === undefined ? stage : { ...stage, password };
}

function namesIn(auth: JsonObject): string[] {
  const { identifier, user, medium, address } = auth;
  // A third-party identifier names whomever the homeserver says.
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

/** The owner's full id or local part; homeservers fold case, so the same name in capitals is still his (attack 48). */
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
