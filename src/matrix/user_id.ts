/** A user id taken apart: `@localpart:server`. */
export interface UserIdParts {
  readonly localpart: string;
  readonly server: string;
}

/** In no user id, not even in an old one; PostgreSQL takes no text with it. */
export const NUL = '\0';

/**
 * The parts of a full user id, or undefined if `text` is not one
 * (https://spec.matrix.org/latest/appendices/#user-identifiers).
 */
export function parseUserId(text: string): UserIdParts | undefined {
  if (!text.startsWith('@') || text.includes(NUL)) return undefined;
  const colon = text.indexOf(':');
  if (colon < 2 || colon === text.length - 1) return undefined;
  return { localpart: text.slice(1, colon), server: text.slice(colon + 1) };
}

/** User ids have at most 255 bytes (appendices, "User Identifiers"); folding what has 60 KB takes long (attack 119). */
const LONGEST_FOLDED = 1024;

/**
 * The local part of a user name as any homeserver could read it: without sigil and server, blanks cut,
 * compatibility forms and case folded, NULs left out. A hint for R5 only, never a decision: two different users may share it.
 */
export function foldLocalpart(userNameOrId: string): string {
  const name = userNameOrId.trim().slice(0, LONGEST_FOLDED).normalize('NFKC').trim();
  const bare = name.startsWith('@') ? name.slice(1) : name;
  const colon = bare.indexOf(':');
  const localpart = colon === -1 ? bare : bare.slice(0, colon);
  return localpart.toUpperCase().toLowerCase().replaceAll(NUL, '').trim();
}
