import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { AuthorizationRequests } from '../../oauth/authorization_request.ts';
import { Clients } from '../../oauth/clients.ts';
import { DeviceGrants } from '../../oauth/device_grants.ts';
import { issuerOf } from '../../oauth/metadata.ts';
import { AccessEnd } from '../../pages/authorize/access_end.ts';
import { AccessRequests } from '../../pages/authorize/access_requests.ts';
import { AccessViews } from '../../pages/authorize/access_views.ts';
import { AuthorizePage } from '../../pages/authorize/authorize_page.ts';
import { LinkPage } from '../../pages/link/link_page.ts';
import { LinkTargets } from '../../pages/link/link_targets.ts';
import { OfferedProviders } from '../../pages/sign_in/offered_providers.ts';
import type { ProviderRounds } from '../../pages/sign_in/provider_rounds.ts';
import type { RedirectTargets } from '../../pages/sign_in/redirect_targets.ts';
import type { SignInPage } from '../../pages/sign_in/sign_in_page.ts';
import type { LoginServices } from './login.ts';
import type { PageTools } from './page_tools.ts';
import type { SharedServices } from './shared.ts';

export type AccessParts = ReturnType<typeof oauthAccess>;

/** What lets in what asks for access to an account, at the end of a sign-in on a page. */
export function oauthAccess(
  { config, storage, vault, clock }: SharedServices,
  { formTokens: tokens }: PageTools,
  parts: {
    readonly pageAccess: LoginServices['pageAccess'];
    readonly targets: RedirectTargets;
    readonly rounds: ProviderRounds;
  },
) {
  const clients = new Clients(storage);
  const devices = new DeviceGrants({ storage, vault, clients });
  const links = new LinkTargets({ storage, vault, tokens, devices });
  const requests = new AccessRequests({
    requests: new AuthorizationRequests(clients, issuerOf(config.publicBaseUrl)),
    links,
  });
  const views = new AccessViews({ requests, clock });
  const end = new AccessEnd({ ...parts, ...parts.pageAccess, requests, views, clock });
  return { requests, views, links, end };
}

/** A page with a form. */
export interface AccessPage {
  show(request: ClientRequest): Promise<Answer>;
  submit(request: ClientRequest): Promise<Answer>;
}

/** Where apps ask for access, and where the code of a device is typed. */
export function accessPages(
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
): { readonly authorizePage: AccessPage; readonly linkPage: AccessPage } {
  if (parts === undefined) return { authorizePage: OFF, linkPage: OFF };
  const providers = new OfferedProviders(homeserver, config.login.sso);
  const deps = { ...parts, ...page, pages, providers };
  return {
    authorizePage: new AuthorizePage(deps),
    linkPage: config.oauth.deviceGrant ? new LinkPage(deps) : OFF,
  };
}

const OFF: AccessPage = {
  show: () => Promise.reject(new Refusal('unrecognized')),
  submit: () => Promise.reject(new Refusal('unrecognized')),
};
