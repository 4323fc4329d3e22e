import { Refusal } from '../../matrix/refusals.ts';
import { AuthorizationRequests } from '../../oauth/authorization_request.ts';
import { Clients } from '../../oauth/clients.ts';
import { AccessEnd } from '../../pages/authorize/access_end.ts';
import { AccessViews } from '../../pages/authorize/access_views.ts';
import { AuthorizePage } from '../../pages/authorize/authorize_page.ts';
import type { ProviderRounds } from '../../pages/sign_in/provider_rounds.ts';
import type { RedirectTargets } from '../../pages/sign_in/redirect_targets.ts';
import type { SignInPage } from '../../pages/sign_in/sign_in_page.ts';
import type { LoginServices } from './login.ts';
import type { PageTools } from './page_tools.ts';
import type { SharedServices } from './shared.ts';

export type AccessParts = ReturnType<typeof oauthAccess>;

/** What lets an app in that asks for access to an account, at the end of a sign-in on a page. */
export function oauthAccess(
  { config, storage, clock }: SharedServices,
  parts: {
    readonly pageAccess: LoginServices['pageAccess'];
    readonly targets: RedirectTargets;
    readonly rounds: ProviderRounds;
  },
) {
  const requests = new AuthorizationRequests(new Clients(storage), `${config.publicBaseUrl}/`);
  const views = new AccessViews({ requests, clock });
  return {
    requests,
    views,
    end: new AccessEnd({ ...parts, requests, views, clock, access: parts.pageAccess }),
  };
}

/** The page on which apps ask for access. */
export function authorizePage(
  { config, homeserver }: SharedServices,
  { pages }: PageTools,
  {
    parts,
    ...page
  }: {
    readonly signInPage: SignInPage;
    readonly targets: RedirectTargets;
    /** Undefined where the operator has not switched it on. */
    readonly parts: AccessParts | undefined;
  },
): Pick<AuthorizePage, 'show' | 'submit'> {
  if (parts === undefined) return OFF;
  return new AuthorizePage({ ...parts, ...page, ...{ pages, homeserver } }, config.login.sso);
}

const OFF = {
  show: () => Promise.reject(new Refusal('unrecognized')),
  submit: () => Promise.reject(new Refusal('unrecognized')),
};
