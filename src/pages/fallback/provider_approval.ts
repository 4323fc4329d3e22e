import type { ProviderProof } from '../../guard/provider_proof.ts';
import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import type { FormPages, PageVisit } from '../forms/form_pages.ts';
import { seeOther } from '../forms/see_other.ts';
import type { ProviderRounds } from '../sign_in/provider_rounds.ts';
import type { ApprovalState } from '../sign_in/provider_states.ts';

const PAGE = '/_matrix/client/v3/auth/m.login.sso/fallback/web';

/** Accounts without a password prove on a fallback page who they are by the homeserver's own single sign-on. */
export class ProviderApproval {
  constructor(
    private readonly proof: ProviderProof,
    private readonly pages: FormPages,
    private readonly rounds: ProviderRounds,
  ) {}

  /** `GET /_2fa/approve`: to the provider. It changes nothing. */
  lead(request: ClientRequest): Promise<Answer> {
    return this.pages.visit(request, async (visit) => {
      const id = request.query.get('session') ?? '';
      const session = await this.proof.find(id);
      if (session === undefined) return seeOther(pageOf(id));
      const provider = request.query.get('provider') ?? '';
      return this.rounds.approve(visit.request, provider, { sessionId: id, bodyDigest: session.bodyDigest });
    });
  }

  /** Back from the provider, with a login token of the homeserver: to the page that asked. */
  async receive(visit: PageVisit, state: ApprovalState, loginToken: string): Promise<Answer> {
    const { sessionId, bodyDigest } = state;
    const outcome = await this.proof.take(visit.request, { sessionId, bodyDigest, loginToken });
    const back = pageOf(sessionId);
    return outcome === 'other_account' ? visit.fail({ cause: 'otherAccount', href: back }) : seeOther(back);
  }
}

/** The page of the session, which a client may have open: it says how far the session is. */
function pageOf(sessionId: string): string {
  return `${PAGE}?session=${encodeURIComponent(sessionId)}`;
}
