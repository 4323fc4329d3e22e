import { Refusal } from '../matrix/refusals.ts';
import { foldLocalpart } from '../matrix/user_id.ts';
import { isJsonObject, type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';
import { withoutAuth } from '../uia/presented_auth.ts';

/** E-mail addresses and telephone numbers are shorter; folding what has 60 KB takes long (attack 119). */
const LONGEST_ADDRESS = 1024;

/** A login request, read. */
export interface SignIn {
  readonly type: string;
  /** The body without `auth`. */
  readonly body: JsonObject;
  /** The password as sent; undefined for other login types. */
  readonly password: string | undefined;
  readonly deviceId: string | undefined;
  readonly displayName: string | undefined;
  readonly identity: ClaimedIdentity;
}

/**
 * Whom a login claims to be. A hint (R5) and a key for joining (R12), never what the gate decides by (R1).
 */
export interface ClaimedIdentity {
  /** Folded local parts of every field that a homeserver could read a user from. */
  readonly foldedNames: readonly string[];
  /** False where anybody may be meant: a third-party identifier, or none at all. */
  readonly named: boolean;
  /** Equal for equal identifiers only. */
  readonly exact: string;
  /** Equal for all spellings of one name. */
  readonly folded: string;
}

/**
 * Reads the body of `POST /login`.
 * @throws Refusal missing_param; bad_json where the fields of a password login name different users
 */
export function readSignIn(body: JsonObject): SignIn {
  const type = body.type;
  if (typeof type !== 'string') throw new Refusal('missing_param', { text: '`type` is missing.' });
  const password = type === PASSWORD_STAGE ? body.password : undefined;
  if (type === PASSWORD_STAGE && typeof password !== 'string') {
    throw new Refusal('missing_param', { text: '`password` is missing.' });
  }
  const claims = claimsOf(body);
  // Servers differ in which field they go by; no client names two people (spec/login.md, "Who is meant").
  if (type === PASSWORD_STAGE && claims.length > 1) {
    throw new Refusal('bad_json', { text: 'The fields that say who signs in name different users.' });
  }
  return {
    type,
    body: withoutAuth(body),
    password: typeof password === 'string' ? password : undefined,
    deviceId: wishedDevice(body),
    displayName: textOf(body, 'initial_device_display_name'),
    identity: readIdentity(body),
  };
}

/** The device that a login or registration asks for; an empty one is none. */
export function wishedDevice(body: JsonObject): string | undefined {
  const deviceId = body.device_id;
  if (deviceId === undefined || deviceId === null || deviceId === '') return undefined;
  if (typeof deviceId !== 'string') throw new Refusal('bad_json', { text: '`device_id` must be a string.' });
  return deviceId;
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
    // Numbers are written with blanks and signs, and an identifier may hold keys that nobody reads: neither
    // makes another claim (attack 108).
    folded: JSON.stringify(claimsOf(body)),
  };
}

/** What `folded` of a sign-in by this user's own name is. */
export function foldedOwner(userId: string): string {
  return JSON.stringify([foldLocalpart(userId)]);
}

/** Everybody who is named, folded: one, unless fields name different people. */
function claimsOf(body: JsonObject): string[] {
  const { names, addresses } = namingFields(body);
  const users = names.map(foldLocalpart);
  return [...new Set([...users, ...addresses.map((address) => `address ${foldAddress(address)}`)])];
}

function namingFields(body: JsonObject): NamingFields {
  const objects = [body, identifierOf(body)];
  const textsOf = (...keys: string[]) =>
    objects.flatMap((object) => keys.flatMap((key) => textOf(object, key) ?? [])).filter(isNoBlank);
  return { names: textsOf('user'), addresses: textsOf('address', 'phone', 'number') };
}

/** A field left blank names nobody. */
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
