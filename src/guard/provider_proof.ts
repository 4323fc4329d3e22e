import { waitMs } from '../homeserver/answer_fields.ts';
import type { Homeserver, HomeserverAnswer } from '../homeserver/homeserver.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { LOGIN_PATH, SSO_STAGE, TOKEN_LOGIN } from '../matrix/wire.ts';
import type { Grant } from '../second_factor/grant.ts';
import type { UpstreamLogin } from '../second_factor/upstream_login.ts';
import type { Storage } from '../storage/storage.ts';
import { completeStage } from '../storage/tables/sessions.ts';
import type { Session } from '../uia/session.ts';
import type { GuardedPage } from './guarded_page.ts';

/** What single sign-on came to. `gone`: the session is over, or wants nothing of the kind. */
export type ProviderOutcome = 'accepted' | 'other_account' | 'gone';

/** A person whom the homeserver's single sign-on sent back to a fallback page. */
export interface ProviderAnswer {
  readonly sessionId: string;
  /** The body that the page asked an approval of, as it was when the person was sent away (attack 148). */
  readonly bodyDigest: string | null;
  /** A login token of the homeserver, for one use. */
  readonly loginToken: string;
}

/**
 * The proof of accounts without a password: the homeserver's own single sign-on says who it is, by a login that is ended
 * at once. No other account takes this way: its password is what the homeserver judges (docs/security_model.md).
 */
export class ProviderProof {
  constructor(
    private readonly deps: {
      readonly page: GuardedPage;
      readonly upstream: UpstreamLogin;
      readonly homeserver: Homeserver;
      readonly storage: Pick<Storage, 'commit'>;
    },
  ) {}

  /** The session in which single sign-on comes next; undefined if there is none. */
  async find(sessionId: string): Promise<Session | undefined> {
    const standing = await this.deps.page.find(sessionId, SSO_STAGE);
    return standing?.missing === 'provider' ? standing.session : undefined;
  }

  /** @throws Refusal limit_exceeded, login_refused, homeserver_unclear, homeserver_unreachable, homeserver_slow */
  async take(request: ClientRequest, answer: ProviderAnswer): Promise<ProviderOutcome> {
    // First of all: whatever becomes of it, its login is ended.
    const grant = await this.redeem(request, answer.loginToken);
    await this.deps.upstream.discard(grant);
    const session = await this.find(answer.sessionId);
    if (session?.token === undefined || session.bodyDigest !== answer.bodyDigest) return 'gone';
    const { userId } = session.binding;
    if (grant.userId !== userId) return 'other_account';
    // It may have got a password since the session was begun.
    if (await this.deps.homeserver.takesPassword(session.token, request)) return 'gone';
    const done = await this.deps.storage.commit([userId], completeStage(session, SSO_STAGE));
    return done === undefined ? 'gone' : 'accepted';
  }

  private async redeem(request: ClientRequest, token: string): Promise<Grant> {
    const outcome = await this.deps.upstream.attempt({
      // The query of this address is not for the homeserver's login.
      request: { ...request, search: '' },
      path: LOGIN_PATH,
      body: { type: TOKEN_LOGIN, token },
    });
    if (outcome.kind === 'granted') return outcome.grant;
    if (outcome.kind === 'without_token') throw new Refusal('homeserver_unclear');
    throw refusalOf(outcome.answer);
  }
}

function refusalOf(answer: HomeserverAnswer): Refusal {
  if (answer.status === 429) {
    return new Refusal('limit_exceeded', { limit: 'homeserver', retryAfterMs: waitMs(answer) });
  }
  return new Refusal(answer.status >= 500 ? 'homeserver_unreachable' : 'login_refused');
}
