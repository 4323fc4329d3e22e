import { foldLocalpart } from '../matrix/user_id.ts';
import { isJsonObject, type JsonObject } from '../matrix/wire.ts';
import { HOUR, MINUTE } from '../system/clock.ts';
import type { Vault } from '../vault/vault.ts';

/** E-mail addresses and telephone numbers are shorter; folding what has 60 KB takes long (attack 119). */
const LONGEST_ADDRESS = 1024;

/**
 * Whom a login claims to be. A hint (R5) and a key for joining (R12), never what the gate decides by (R1).
 */
export interface ClaimedIdentity {
  /** Folded local parts of every field that a homeserver could read a user from. */
  readonly foldedNames: readonly string[];
  /** False where any user may be meant: a third-party identifier, or none at all. */
  readonly named: boolean;
  /** Equal for equal identifiers only. */
  readonly exact: string;
  /** Equal for all spellings of one name. */
  readonly folded: string;
}

/** What could name a user in a login body, as it came; homeservers read different fields (spec/login.md, "Who is meant"). */
interface NamingFields {
  readonly names: readonly string[];
  /** E-mail addresses and telephone numbers (client-server API, "Identifier types"). */
  readonly addresses: readonly string[];
}

/** The claim that the identity fields of a login body make. */
export function readIdentity(body: JsonObject): ClaimedIdentity {
  const identifier = identifierOf(body);
  const { names, addresses } = namingFields(body);
  const isName = identifier.type === undefined || identifier.type === 'm.id.user';
  const named = isName && names.length > 0 && addresses.length === 0;
  return {
    foldedNames: [...new Set(names.map(foldLocalpart))],
    named,
    exact: JSON.stringify(named && names.length === 1 ? names : [body.identifier ?? null, names, addresses]),
    // Numbers are written with blanks and signs, and an identifier may hold keys that no homeserver reads: neither
    // makes another claim (attack 108).
    folded: JSON.stringify(claimsOf(body)),
  };
}

/** What `folded` of a sign-in by this user's own name is. */
export function foldedOwner(userId: string): string {
  return JSON.stringify([foldLocalpart(userId)]);
}

/** Every user that is named, folded: one, unless fields name different users. */
export function claimsOf(body: JsonObject): string[] {
  const { names, addresses } = namingFields(body);
  const users = names.map(foldLocalpart);
  return [...new Set([...users, ...addresses.map((address) => `address ${foldAddress(address)}`)])];
}

/**
 * Whether a login body names this user and no one else: every name in any spelling of theirs, with their server or
 * without one, and no third-party identifier.
 */
export function namesOnly(userId: string, body: JsonObject): boolean {
  const { names, addresses } = namingFields(body);
  const { type } = identifierOf(body);
  if (names.length === 0 || addresses.length > 0) return false;
  if (type !== undefined && type !== 'm.id.user') return false;
  return names.every((name) => foldLocalpart(name) === foldLocalpart(userId) && hasServerOf(userId, name));
}

/** A name that says nothing of a server means ours. */
function hasServerOf(userId: string, name: string): boolean {
  const named = serverIn(name);
  return named === undefined || named === serverIn(userId);
}

function serverIn(name: string): string | undefined {
  const spelt = name.slice(0, LONGEST_ADDRESS).normalize('NFKC').trim().toLowerCase();
  const colon = spelt.indexOf(':');
  return colon === -1 ? undefined : spelt.slice(colon);
}

function namingFields(body: JsonObject): NamingFields {
  const objects = [body, identifierOf(body)];
  const textsOf = (...keys: string[]) =>
    objects.flatMap((object) => keys.flatMap((key) => textOf(object, key) ?? [])).filter(isNoBlank);
  return { names: textsOf('user'), addresses: textsOf('address', 'phone', 'number') };
}

/** A blank field names no user. */
function isNoBlank(text: string): boolean {
  return text.trim() !== '';
}

function identifierOf({ identifier }: JsonObject): JsonObject {
  return isJsonObject(identifier) ? identifier : {};
}

function foldAddress(address: string): string {
  const folded = address.trim().slice(0, LONGEST_ADDRESS).normalize('NFKC').trim().toLowerCase();
  return folded.includes('@') ? folded : folded.replace(/\D/g, '');
}

function textOf(object: JsonObject, key: string): string | undefined {
  const value = object[key];
  return typeof value === 'string' ? value : undefined;
}

/** bcrypt ignores what follows them (docs/security_model.md, "Spellings of one password"). */
const BCRYPT_BYTES = 72;
/** More than makes 72 bytes in any form: folding 60 KB takes long (attack 119). */
const FOLDED_LENGTH = 512;
const FOLDED = 'hold-join-folded';
/** The most that `login.hold_ttl` may be. */
const LONGEST_HOLD_MS = HOUR;
/** A lease, and what it leaves to those who wait, is gone after that. */
const LINE_MS = MINUTE;

/** The digests by which an equal sign-in finds a held login (R12): one under each key that may have been used. */
export interface JoinKeys {
  readonly exact: readonly string[];
  readonly folded: readonly string[];
  readonly password: string;
  readonly refresh: boolean;
}

/**
 * The join keys of a password sign-in. The folded one is the same for all spellings of a name, for all forms of a
 * password that some homeserver takes for the same (docs/security_model.md, "Spellings of one password"), and
 * whether or not a refresh token is asked for. So none of these uses up the owner's logins (attack 108).
 */
export function joinKeysOf(
  vault: Vault,
  identity: ClaimedIdentity,
  password: string,
  body: JsonObject,
): JoinKeys {
  const refresh = body.refresh_token === true;
  return {
    exact: vault.digests('hold-join', JSON.stringify([identity.exact, password, refresh]), LONGEST_HOLD_MS),
    folded: vault.digests(FOLDED, foldedSignIn(identity.folded, password), LONGEST_HOLD_MS),
    password,
    refresh,
  };
}

/** The folded key of a sign-in by this user's own name. */
export function joinKeyOfOwner(vault: Vault, userId: string, password: string): string {
  return vault.digest(FOLDED, foldedSignIn(foldedOwner(userId), password));
}

/** Where a sign-in stands in line, as digests under each key with which an equal one may stand there. */
export interface LineKey {
  /** Equal for all spellings of a name and password; in one order for all processes. */
  readonly lines: readonly string[];
  /** Equal for equal sign-ins only, the one under the active key first. */
  readonly exact: readonly string[];
}

/**
 * Where a sign-in stands in line: with all spellings of its name and password, and with equal ones only.
 * @param password without a code behind it
 * @param asSent the whole password field
 */
export function lineKeyOf(
  vault: Vault,
  identity: ClaimedIdentity,
  password: string,
  asSent: string,
): LineKey {
  return {
    lines: vault.digests('sign-in-line', foldedSignIn(identity.folded, password), LINE_MS).toSorted(),
    exact: vault.digests('sign-in-exact', JSON.stringify([identity.exact, asSent]), LINE_MS),
  };
}

function foldedSignIn(foldedName: string, password: string): string {
  return JSON.stringify([foldedName, foldPassword(password)]);
}

/** What is left of a password where least of it counts: one form of each character, and 72 bytes (bcrypt). */
function foldPassword(password: string): string {
  const folded = Buffer.from(password.slice(0, FOLDED_LENGTH).normalize('NFKC'));
  return folded.subarray(0, BCRYPT_BYTES).toString('base64');
}
