import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import type { AccessRequests } from '../authorize/access_requests.ts';
import type { AccessViews } from '../authorize/access_views.ts';
import type { FormPages, PageVisit } from '../forms/form_pages.ts';
import { seeOther } from '../forms/see_other.ts';
import type { OfferedProviders } from '../sign_in/offered_providers.ts';
import { LINK_PAGE, type RedirectTargets } from '../sign_in/redirect_targets.ts';
import type { SignInPage } from '../sign_in/sign_in_page.ts';
import { codePage, USER_CODE } from './link_cards.ts';
import { DEVICE, type LinkTargets } from './link_targets.ts';

export interface LinkPageDeps {
  readonly pages: FormPages;
  readonly signInPage: SignInPage;
  readonly requests: AccessRequests;
  readonly views: AccessViews;
  readonly links: LinkTargets;
  readonly targets: RedirectTargets;
  readonly providers: OfferedProviders;
}

/**
 * `/_2fa/link`: someone types the code that a device of theirs shows (RFC 8628). Then come the cards of the sign-in page,
 * and the question whether the device gets access.
 */
export class LinkPage {
  constructor(private readonly deps: LinkPageDeps) {}

  /** `GET`: changes nothing. */
  show(request: ClientRequest): Promise<Answer> {
    return this.deps.pages.visit(request, async (visit) => {
      const { signInPage, providers } = this.deps;
      if (request.query.has('v')) {
        const beside = { providers: await providers.beside(request) };
        return (await signInPage.showOn('link', visit, beside)) ?? visit.fail({ cause: 'unknown' });
      }
      return request.query.has(DEVICE)
        ? this.showSignIn(visit)
        : visit.render(codePage(visit.say, request.query.has('wrong')));
    });
  }

  /** `POST`: the code, or a form of the sign-in. */
  submit(request: ClientRequest): Promise<Answer> {
    if (request.query.has('v')) return this.deps.signInPage.submit(request, 'link');
    return this.deps.pages.visit(request, async (visit) => {
      const form = await visit.readForm();
      const query = await this.deps.links.queryFor(request, form.get(USER_CODE) ?? '');
      return seeOther(`${LINK_PAGE}?${query ?? 'wrong=1'}`);
    });
  }

  private async showSignIn(visit: PageVisit): Promise<Answer> {
    const { signInPage, requests, views, targets, providers } = this.deps;
    const target = targets.link(visit.request.query);
    const judged = await requests.judge(visit.request, target);
    if (judged !== undefined && judged.is !== 'fine') return views.fault(visit, judged);
    return signInPage.showRequest(visit, target, undefined, {
      providers: await providers.beside(visit.request),
    });
  }
}
