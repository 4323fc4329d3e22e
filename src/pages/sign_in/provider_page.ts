import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import type { PageSignIn } from '../../login/page_sign_in.ts';
import type { AccessEnd } from '../authorize/access_end.ts';
import type { ProviderApproval } from '../fallback/provider_approval.ts';
import type { FormPages, PageVisit } from '../forms/form_pages.ts';
import type { ProviderRounds } from './provider_rounds.ts';
import type { ProviderState } from './provider_states.ts';
import type { RedirectTargets } from './redirect_targets.ts';
import { backToClient } from './sign_in_ends.ts';
import type { SignInPage } from './sign_in_page.ts';

/**
 * The homeserver's own single sign-on, led through us: once to learn who it is and to ask for the code, and once
 * more for the login token that the client gets (a login token works once, and may be for a device of the client).
 */
export class ProviderPage {
  constructor(
    private readonly deps: {
      readonly door: PageSignIn;
      readonly pages: FormPages;
      readonly targets: RedirectTargets;
      readonly rounds: ProviderRounds;
      readonly signInPage: SignInPage;
      readonly approval: ProviderApproval;
      /** Undefined where apps cannot ask for access. */
      readonly access: AccessEnd | undefined;
    },
  ) {}

  /** `GET /login/sso/redirect/{idpId}` for a provider of the homeserver. */
  lead(request: ClientRequest, provider: string): Promise<Answer> {
    return this.deps.pages.visit(request, async (visit) => {
      const target = this.deps.targets.read(request.query.get('redirectUrl'));
      return target === undefined
        ? visit.fail({ cause: 'link' })
        : this.deps.rounds.begin(request, provider, target.href);
    });
  }

  /** `GET /_2fa/login/provider`: where the homeserver sends the browser with a login token. */
  receive(request: ClientRequest): Promise<Answer> {
    return this.deps.pages.visit(request, async (visit) => {
      const state = this.deps.rounds.stateOf(request);
      const loginToken = request.query.get('loginToken');
      if (state === undefined || loginToken === undefined) return visit.fail({ cause: 'unknown' });
      if (state.round === 'approval') return this.deps.approval.receive(visit, state, loginToken);
      return state.round === 1 ? this.learn(visit, state, loginToken) : this.finish(visit, state, loginToken);
    });
  }

  private async learn(
    visit: PageVisit,
    { provider, redirectUrl }: Extract<ProviderState, { round: 1 }>,
    loginToken: string,
  ): Promise<Answer> {
    const target = this.deps.targets.read(redirectUrl);
    if (target === undefined) return visit.fail({ cause: 'link' });
    const standing = await this.deps.door.beginWithToken(visit.request, {
      loginToken,
      provider,
      redirectUrl,
    });
    return this.deps.signInPage.arrive(visit, standing, target);
  }

  private async finish(
    visit: PageVisit,
    { signInId }: Extract<ProviderState, { round: 2 }>,
    loginToken: string,
  ): Promise<Answer> {
    const asked = await this.deps.access?.afterRound(visit, signInId, loginToken);
    if (asked !== undefined) return asked;
    const target = this.deps.targets.read(await this.deps.door.passProviderToken(signInId, loginToken));
    return target === undefined ? visit.fail({ cause: 'unknown' }) : backToClient(target, loginToken);
  }
}
