import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import type { FormPages } from '../forms/form_pages.ts';
import type { OfferedProviders } from '../sign_in/offered_providers.ts';
import type { RedirectTargets } from '../sign_in/redirect_targets.ts';
import type { SignInPage } from '../sign_in/sign_in_page.ts';
import { requestIn } from './access_request.ts';
import type { AccessRequests } from './access_requests.ts';
import type { AccessViews } from './access_views.ts';

export interface AuthorizePageDeps {
  readonly pages: FormPages;
  readonly signInPage: SignInPage;
  readonly requests: AccessRequests;
  readonly views: AccessViews;
  readonly targets: RedirectTargets;
  readonly providers: OfferedProviders;
}

/**
 * `/_2fa/oauth2/authorize`: an app asks for access to an account. It is the sign-in page with another end: the second
 * factor and the consent are asked for each time, whatever a browser brings.
 */
export class AuthorizePage {
  constructor(private readonly deps: AuthorizePageDeps) {}

  /** `GET`: changes nothing, stores nothing, and leads nowhere by itself. */
  show(request: ClientRequest): Promise<Answer> {
    return this.deps.pages.visit(request, async (visit) => {
      const { signInPage, requests, targets, views, providers } = this.deps;
      if (request.query.has('v')) {
        const beside = { providers: await providers.beside(request) };
        return (await signInPage.showOn('authorize', visit, beside)) ?? visit.fail({ cause: 'unknown' });
      }
      const target = targets.authorize(requestIn(request));
      const judged = await requests.judge(request, target);
      if (judged?.is !== 'fine') return views.fault(visit, judged ?? { is: 'unknown' });
      const beside = { providers: await providers.beside(request) };
      const { access } = judged;
      const hint = access.by === 'app' ? access.request.hint : undefined;
      return signInPage.showRequest(visit, target, hint, beside);
    });
  }

  /** `POST`: a form. */
  submit(request: ClientRequest): Promise<Answer> {
    return this.deps.signInPage.submit(request, 'authorize');
  }
}
