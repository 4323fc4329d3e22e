import type { JsonObject } from '../matrix/wire.ts';
import { HOUR, MINUTE } from '../system/clock.ts';
import type { Vault } from '../vault/vault.ts';
import { type ClaimedIdentity, foldedOwner } from './claimed_identity.ts';

/** bcrypt ignores what follows them (docs/security_model.md, "Spellings of one password"). */
const BCRYPT_BYTES = 72;
/** More than makes 72 bytes in any form: folding 60 KB takes long (attack 119). */
const FOLDED_LENGTH = 512;
const FOLDED = 'hold-join-folded';
/** The most that `login.hold_ttl` may be. */
const LONGEST_HOLD_MS = HOUR;
/** A lease, and what it leaves to those who wait, is gone after that. */
const LINE_MS = MINUTE;

/** By what an equal sign-in finds a held login (R12): digests under each key that one may have been made with. */
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
