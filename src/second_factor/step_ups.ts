import type { ClientRequest } from '../http/client_request.ts';
import { isOwnOrigin } from '../http/own_site.ts';
import type { Write } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { findPageSessionOfToken, keepStepUp, startStepUp } from '../storage/tables/page_sessions.ts';
import { hashToken } from '../system/token_hash.ts';
import type { Session } from '../uia/session.ts';
import type { Caller } from './caller.ts';
import { hasPageKey, pageKeyIn } from './page_shown.ts';

/** The page of a live page session, which has made a request under its token and with one of its keys. */
export interface CallingPage {
  readonly sessionId: string;
  /** The kind of the factor that its step-up stands for; undefined without one. */
  readonly steppedUpBy: string | undefined;
  /** There are no step-ups but that of a recovery code at the sign-in, for one authenticator that replaces others. */
  readonly onlyReplaces: boolean;
}

/**
 * Step-ups: a second factor that was accepted on the account page a moment ago stands for further acts there
 * (docs/security_model.md). They are bound to a key that only the page has, in its memory, to the token of the page, and to
 * the version of the account: an access token alone does nothing.
 */
export class StepUps {
  constructor(
    private readonly deps: {
      readonly storage: Storage;
      /** How long a factor stands, in ms; 0 for not at all, but for the one replacement after a recovery code. */
      readonly stepUpMs: number;
      readonly publicBaseUrl: string;
    },
  ) {}

  /** The page that a request came from. Undefined if its key is missing, unknown or another session's. */
  async pageOf(request: ClientRequest, { token, owner }: Caller): Promise<CallingPage | undefined> {
    const key = pageKeyIn(request);
    if (key === undefined || !isOwnOrigin(request, this.deps.publicBaseUrl)) return undefined;
    const [session] = await this.deps.storage.read(findPageSessionOfToken(hashToken(token)));
    if (session?.userId !== owner.userId || !hasPageKey(session, key)) return undefined;
    return {
      sessionId: session.id,
      steppedUpBy: session.stepUpUntil === null ? undefined : (session.stepUpBy ?? undefined),
      onlyReplaces: this.deps.stepUpMs === 0,
    };
  }

  /** A factor was accepted in `session` for a request of this page. */
  async start({ sessionId }: CallingPage, by: string, { idHash, binding }: Session): Promise<void> {
    const { stepUpMs } = this.deps;
    // No step-up begins, and one that stands is not cut short.
    if (stepUpMs === 0) return;
    const started = startStepUp(sessionId, { by, stepUpMs, idHash });
    await this.deps.storage.commit([binding.userId], started);
  }

  /**
   * Written behind a change of factors by this page: it ends the step-ups of all others. One that is for one replacement
   * ends with it, too.
   */
  kept(page: CallingPage | undefined): Write {
    return page === undefined || page.onlyReplaces ? [] : keepStepUp(page.sessionId);
  }
}
