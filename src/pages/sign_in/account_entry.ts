import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import type { PageEntry } from '../../login/page_entry.ts';
import type { SessionCookie } from '../account/session_cookie.ts';
import { pathOf, type RedirectTarget } from './redirect_targets.ts';

/** What the account page's session is made with, besides the sign-in. */
export interface EntryWishes {
  /** The account page as it was asked for: its query survives the sign-in. */
  readonly target: RedirectTarget;
  readonly deviceName: string;
}

/** The end of a sign-in on the account page: the browser gets the cookie of a page session, and no token. */
export class AccountEntry {
  constructor(
    private readonly entry: PageEntry,
    private readonly cookie: SessionCookie,
  ) {}

  /** Undefined if the sign-in has ended, or another request has finished it. */
  async enter(
    request: ClientRequest,
    id: string,
    { target, deviceName }: EntryWishes,
  ): Promise<Answer | undefined> {
    const value = await this.entry.enter(request, id, deviceName);
    return value === undefined ? undefined : this.entered(target, value);
  }

  /** To the account page, with the cookie of its session. */
  entered(target: RedirectTarget, value: string): Answer {
    return {
      status: 303,
      headers: {
        Location: pathOf(target.href),
        'Set-Cookie': this.cookie.set(value),
        'Referrer-Policy': 'no-referrer',
        'Content-Type': 'text/plain',
      },
      sameOrigin: true,
      body: Buffer.alloc(0),
    };
  }
}
