import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { isOwnSite } from '../../http/own_site.ts';
import { refusalAnswer } from '../../http/refusal_answer.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { requireShape } from '../../matrix/registry.ts';
import type { JsonObject } from '../../matrix/wire.ts';
import type { AccountSessions, OpenedPageSession } from '../../second_factor/account_sessions.ts';
import { pageKeyIn } from '../../second_factor/page_shown.ts';
import type { Log } from '../../system/log.ts';
import type { FormPages } from '../forms/form_pages.ts';
import type { SessionCookie } from './session_cookie.ts';

/** Where the account page is. */
const PAGE = '/_2fa/account';
/** The same, saying that its user has signed out. */
const SIGNED_OUT = `${PAGE}?signed_out`;

export interface PageSessionDeps {
  readonly sessions: AccountSessions;
  readonly cookie: SessionCookie;
  readonly pages: FormPages;
  /** Whether the account has a password; undefined where the homeserver does not say. */
  readonly hasPassword: (accessToken: string, request: ClientRequest) => Promise<boolean | undefined>;
  readonly settings: { readonly idleMs: number; readonly publicBaseUrl: string };
  /** Has what has ended logged out at the homeserver, without anyone who waits for it. */
  readonly logOut: () => void;
  readonly log: Log;
}

/** The session of the account page, as its script and its form use it (spec/account_page.md). */
export class PageSessionDoor {
  constructor(private readonly deps: PageSessionDeps) {}

  /** `POST /_2fa/account/session`: for our own page only, so no other origin may read even a refusal. */
  async call(request: ClientRequest): Promise<Answer> {
    try {
      return await this.answerTo(request);
    } catch (error) {
      const answer = refusalAnswer(error, this.deps.log, request.client.record);
      const isOver = error instanceof Refusal && error.refusal === 'unknown_token';
      const headers = isOver ? { 'Set-Cookie': this.deps.cookie.removed } : {};
      return { ...answer, headers: { ...answer.headers, ...headers }, sameOrigin: true };
    }
  }

  /** `POST /_2fa/account/sign-out`: a form of the page. */
  signOut(request: ClientRequest): Promise<Answer> {
    // What went wrong leads back to the page: there is nothing to see at the address of the form.
    return this.deps.pages.visit({ ...request, path: PAGE, search: '' }, async (visit) => {
      const form = await visit.readForm();
      const why = form.get('why') === 'idle' ? '=idle' : '';
      const cookie = this.deps.cookie.in(request);
      if (cookie !== undefined) {
        await this.deps.sessions.end(cookie);
        this.deps.logOut();
      }
      return this.leave(SIGNED_OUT + why);
    });
  }

  /** @throws Refusal forbidden, unknown_token, bad_json */
  private async answerTo(request: ClientRequest): Promise<Answer> {
    const { cookie, sessions, settings } = this.deps;
    if (!this.isFromPage(request)) throw new Refusal('forbidden');
    requireShape('page_session_request', request.body ?? {});
    const value = cookie.in(request);
    const opened = value && (await sessions.call(request, value, pageKeyIn(request)));
    if (opened === undefined || opened === '') throw new Refusal('unknown_token');
    const hasPassword = await this.deps.hasPassword(opened.accessToken, request);
    return { status: 200, body: shown(opened, settings.idleMs, hasPassword), sameOrigin: true };
  }

  /**
   * Browsers send `Origin`, or say that it is the same one, with each POST of a script: a request without it is not
   * from our page.
   */
  private isFromPage(request: ClientRequest): boolean {
    const { origin, 'sec-fetch-site': site } = request.headers;
    if (origin === undefined && site !== 'same-origin') return false;
    return origin !== 'null' && isOwnSite(request, this.deps.settings.publicBaseUrl);
  }

  private leave(location: string): Answer {
    return {
      status: 303,
      headers: {
        Location: location,
        'Set-Cookie': this.deps.cookie.removed,
        'Referrer-Policy': 'no-referrer',
        'Content-Type': 'text/plain',
      },
      sameOrigin: true,
      body: Buffer.alloc(0),
    };
  }
}

function shown(
  { session, accessToken, pageKey, codesLeft }: OpenedPageSession,
  idleMs: number,
  hasPassword: boolean | undefined,
): JsonObject {
  return {
    user_id: session.userId,
    device_id: session.deviceId ?? '',
    access_token: accessToken,
    page_key: pageKey,
    step_up_until_ts: session.stepUpUntil,
    idle_ms: idleMs,
    ends_ts: session.expiresAt,
    factor: session.factor,
    codes_left: codesLeft,
    has_password: hasPassword ?? null,
  };
}
