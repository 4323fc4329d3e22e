import type { ClientRequest } from '../http/client_request.ts';
import type { PageSession } from '../storage/tables/page_sessions.ts';
import { hashToken } from '../system/token_hash.ts';

/** What `randomId` makes of 256 bits. */
const KEY = /^[A-Za-z0-9_-]{43}$/;

/** The cookie of a live page session was shown, and the homeserver has said that its token lives. */
class PageSessionShown {
  readonly #userId: string;

  constructor(userId: string) {
    this.#userId = userId;
  }

  isFor(userId: string): boolean {
    return this.#userId === userId;
  }
}

export type { PageSessionShown };

/**
 * @param session that was found by its cookie
 * @param ownerId whose its token is, as the homeserver says now
 */
export function shownBy({ userId }: PageSession, ownerId: string): PageSessionShown | undefined {
  return ownerId === userId ? new PageSessionShown(userId) : undefined;
}

/** The key of a page that came with a request; undefined if there is none. */
export function pageKeyIn({ headers }: ClientRequest): string | undefined {
  const key = headers['x-m2fa-page'];
  return key !== undefined && KEY.test(key) ? key : undefined;
}

/** Whether a page of this session has this key. */
export function hasPageKey({ pageKeys }: PageSession, key: string): boolean {
  return pageKeys.split(' ').includes(hashToken(key));
}
