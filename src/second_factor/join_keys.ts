import type { JsonObject } from '../matrix/wire.ts';
import type { Vault } from '../vault/vault.ts';
import { type ClaimedIdentity, foldedOwner } from './claimed_identity.ts';

/** bcrypt ignores what follows them (docs/security_model.md, "Spellings of one password"). */
const BCRYPT_BYTES = 72;
/** More than makes 72 bytes in any form: folding 60 KB takes long (attack 119). */
const FOLDED_LENGTH = 512;
const FOLDED = 'hold-join-folded';

/** By what an equal sign-in finds a held login (R12): digests under each key of the ring, the active one first. */
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
    exact: vault.digests('hold-join', JSON.stringify([identity.exact, password, refresh])),
    folded: vault.digests(FOLDED, foldedSignIn(identity.folded, password)),
    password,
    refresh,
  };
}

/** The folded key of a sign-in by this user's own name. */
export function joinKeyOfOwner(vault: Vault, userId: string, password: string): string {
  return vault.digest(FOLDED, foldedSignIn(foldedOwner(userId), password));
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
): { readonly line: string; readonly exact: string } {
  return {
    line: vault.digest('sign-in-line', foldedSignIn(identity.folded, password)),
    exact: vault.digest('sign-in-exact', JSON.stringify([identity.exact, asSent])),
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
