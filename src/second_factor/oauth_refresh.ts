import type { TokenOwner } from '../homeserver/homeserver.ts';
import type { Branch } from '../storage/statement.ts';
import { when } from '../storage/statement.ts';
import { type OauthSession, type Rotation, rotateOauthSession } from '../storage/tables/oauth_sessions.ts';
import { MINUTE } from '../system/clock.ts';
import { hashToken } from '../system/token_hash.ts';

/** So long after a rotation the token before it gets the same answer: its own may have been lost on the way. */
export const REPEAT_MS = MINUTE;
const PREFIX = 'm2for_';
/** A session id and a secret, each of 256 bits in base64url. */
const TOKEN = /^m2for_([A-Za-z0-9_-]{43})\.[A-Za-z0-9_-]{43}$/;

/** What takes the place of a session's tokens. */
export type NextTokens = Omit<Rotation, 'sessionId' | 'presentedHash'>;

/** The refresh token of a live session was brought, and the homeserver has said that its login lives. */
class RefreshPresented {
  readonly #session: OauthSession;
  readonly #presentedHash: string;

  constructor(session: OauthSession, presentedHash: string) {
    this.#session = session;
    this.#presentedHash = presentedHash;
  }

  isFor(userId: string): boolean {
    return this.#session.userId === userId;
  }

  /** Puts the next tokens into its place (R8): lost where another request has done so, or the session has ended. */
  rotating(next: NextTokens): Branch<object, readonly [], readonly []> {
    const { sessionId } = this.#session;
    const rotation = { ...next, sessionId, presentedHash: this.#presentedHash };
    return when(rotateOauthSession(rotation), { won: [], lost: [] });
  }
}

/** The token before the last rotation of a live session was brought, a moment after it. */
class RefreshRepeated {
  readonly #session: OauthSession;

  constructor(session: OauthSession) {
    this.#session = session;
  }

  isFor(userId: string): boolean {
    return this.#session.userId === userId;
  }
}

export type { RefreshPresented, RefreshRepeated };

/** What a refresh token is to its session. `stolen`: it was current once, and is not any more. */
export type RefreshStanding =
  | { readonly is: 'current' }
  | { readonly is: 'repeated'; readonly proof: RefreshRepeated }
  | { readonly is: 'stolen' };

export function newRefreshToken(sessionId: string, secret: string): string {
  return `${PREFIX}${sessionId}.${secret}`;
}

export function isRefreshToken(token: string): boolean {
  return token.startsWith(PREFIX);
}

/** The id of the session that a refresh token names; undefined if it does not have the form of one. */
export function sessionIdIn(token: string): string | undefined {
  return TOKEN.exec(token)?.[1];
}

/** @param session live, found by the id that is in the token */
export function standingOfRefresh(session: OauthSession, token: string): RefreshStanding {
  const hash = hashToken(token);
  if (session.refreshHash === hash) return { is: 'current' };
  const { previousHash, rotatedAt, now } = session;
  const isRecent = rotatedAt !== null && now - rotatedAt <= REPEAT_MS;
  if (previousHash === hash && isRecent) return { is: 'repeated', proof: new RefreshRepeated(session) };
  return { is: 'stolen' };
}

/**
 * @param owner whose the session's access token is, as the homeserver says now
 * @returns undefined if the token is not the session's current one, or the login is another's
 */
export function refreshedBy(
  session: OauthSession,
  token: string,
  owner: Pick<TokenOwner, 'userId'>,
): RefreshPresented | undefined {
  const hash = hashToken(token);
  if (session.refreshHash !== hash || owner.userId !== session.userId) return undefined;
  return new RefreshPresented(session, hash);
}
