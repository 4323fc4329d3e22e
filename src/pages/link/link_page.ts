import type { Homeserver } from '../../homeserver/homeserver.ts';
import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { networkOf } from '../../http/network.ts';
import { SharedLimit } from '../../limits/shared_limit.ts';
import { readUserCode } from '../../oauth/user_code.ts';
import type { Storage } from '../../storage/storage.ts';
import { MINUTE, SECOND } from '../../system/clock.ts';
import type { AccessRequests } from '../authorize/access_requests.ts';
import type { AccessViews } from '../authorize/access_views.ts';
import type { FormPages, PageVisit } from '../forms/form_pages.ts';
import { seeOther } from '../forms/see_other.ts';
import { type OfferedProvider, offeredProviders } from '../sign_in/offered_providers.ts';
import { LINK_PAGE, type RedirectTargets } from '../sign_in/redirect_targets.ts';
import type { SignInPage } from '../sign_in/sign_in_page.ts';
import { codePage, USER_CODE } from './link_cards.ts';
import { DEVICE, type LinkTargets } from './link_targets.ts';

/** Of one address, at all processes together: so many codes can be tried in ten minutes that one in 200 million is met. */
export const TYPED_USER_CODES = { perSecond: 10 / (MINUTE / SECOND), burstCount: 10 };

export interface LinkPageDeps {
  readonly pages: FormPages;
  readonly signInPage: SignInPage;
  readonly requests: AccessRequests;
  readonly views: AccessViews;
  readonly links: LinkTargets;
  readonly targets: RedirectTargets;
  readonly homeserver: Homeserver;
  readonly storage: Pick<Storage, 'commit' | 'read'>;
}

/**
 * `/_2fa/link`: someone types the code that a device of theirs shows (RFC 8628). Then come the cards of the sign-in page,
 * and the question whether the device gets access.
 */
export class LinkPage {
  private readonly limit: SharedLimit;

  constructor(
    private readonly deps: LinkPageDeps,
    /** Whether browsers are led through the homeserver's own single sign-on. */
    private readonly hasProviders: boolean,
  ) {
    this.limit = new SharedLimit(deps, 'oauth user code', TYPED_USER_CODES, 'address');
  }

  /** `GET`: changes nothing. */
  show(request: ClientRequest): Promise<Answer> {
    return this.deps.pages.visit(request, async (visit) => {
      const { signInPage } = this.deps;
      if (request.query.has('v')) {
        const beside = { providers: await this.providers(visit) };
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
      await this.limit.take(networkOf(request.client.ip));
      const userCode = readUserCode(form.get(USER_CODE) ?? '');
      const query = userCode && (await this.deps.links.queryFor(request, userCode));
      return seeOther(`${LINK_PAGE}?${query ?? 'wrong=1'}`);
    });
  }

  private async showSignIn(visit: PageVisit): Promise<Answer> {
    const { signInPage, requests, views, targets } = this.deps;
    const target = targets.link(visit.request.query);
    const judged = await requests.judge(visit.request, target);
    if (judged !== undefined && judged.is !== 'fine') return views.fault(visit, judged);
    return signInPage.showRequest(visit, target, undefined, { providers: await this.providers(visit) });
  }

  private async providers({ request }: PageVisit): Promise<readonly OfferedProvider[]> {
    return this.hasProviders ? offeredProviders(this.deps.homeserver, request) : [];
  }
}
