import { GuardedPage } from '../../guard/guarded_page.ts';
import { GuardedProofs } from '../../guard/guarded_proofs.ts';
import { HomeserverSignOn } from '../../guard/homeserver_sign_on.ts';
import { ProviderProof } from '../../guard/provider_proof.ts';
import { EnrolmentPage } from '../../pages/fallback/enrolment_page.ts';
import { FallbackPage } from '../../pages/fallback/fallback_page.ts';
import { FallbackSteps } from '../../pages/fallback/fallback_steps.ts';
import { FallbackViews } from '../../pages/fallback/fallback_views.ts';
import { ProviderApproval } from '../../pages/fallback/provider_approval.ts';
import { Visits } from '../../pages/forms/visits.ts';
import { HelpPage } from '../../pages/help/help_page.ts';
import { ProviderPage } from '../../pages/sign_in/provider_page.ts';
import type { SignInPage } from '../../pages/sign_in/sign_in_page.ts';
import { SsoRedirect } from '../../pages/sign_in/sso_redirect.ts';
import type { AccountServices } from './account.ts';
import { accountPages } from './account_pages.ts';
import type { GuardServices } from './guard.ts';
import type { LoginServices } from './login.ts';
import { type PageTools, pageTools } from './page_tools.ts';
import { recoverPages } from './recover_pages.ts';
import type { SharedServices } from './shared.ts';
import { type SignInPages, signInPages } from './sign_in_pages.ts';

/** The pages. */
export function pageServices(
  shared: SharedServices,
  login: LoginServices & Pick<GuardServices, 'guard'>,
  account: AccountServices,
) {
  const tools = pageTools(shared);
  const { pages, contact, brand, formTokens, visiting } = tools;
  const { signIn, signInPage, setUps, authorizePage, linkPage } = signInPages(shared, tools, login, account);
  const { pageSignIn } = login;
  return {
    ...{ assets: tools.assets, support: tools.support, signInPage, authorizePage, linkPage },
    ...accountPages(shared, tools, signInPage, login),
    ...recoverPages(shared, account.recoverySetUp, {
      ...{ ...signIn, formTokens, contact },
      host: new URL(shared.config.publicBaseUrl).host,
      claims: login.recoveryClaims,
      sign: pageSignIn,
    }),
    ...proofPages(shared, tools, signInPage, login, signIn),
    helpPage: new HelpPage(tools.shell, {
      appendedCode: shared.config.login.appendedCode,
      passkeys: shared.factors.hasPasskeys(),
      server: brand.name,
      contact,
      recovery: shared.recovery.enabled,
    }),
    enrolmentPage: new EnrolmentPage(
      { enrolment: account.enrolments, pages, setUps },
      new Visits(visiting, 'enrolment'),
    ),
  };
}

/** Where the homeserver's provider vouches for someone, and where they prove a request of their client. */
function proofPages(
  shared: SharedServices,
  tools: PageTools,
  signInPage: SignInPage,
  { pageSignIn, upstream, guard }: LoginServices & Pick<GuardServices, 'guard'>,
  { targets, rounds, access }: Pick<SignInPages['signIn'], 'targets' | 'rounds' | 'access'>,
) {
  const { pages } = tools;
  const page = new GuardedPage(shared);
  const providerProof = new ProviderProof({ ...shared, page, upstream });
  const providerApproval = new ProviderApproval(providerProof, pages, rounds);
  const providerPage = new ProviderPage({
    ...{ pages, targets, rounds, signInPage, access },
    door: pageSignIn,
    approval: providerApproval,
  });
  return {
    providerPage,
    providerApproval,
    ssoRedirect: new SsoRedirect(shared.homeserver, providerPage, shared.config.login.sso),
    fallbackPage: fallbackPageOf(shared, tools, page, guard),
  };
}

function fallbackPageOf(
  shared: SharedServices,
  { pages, problems, visiting, contact }: PageTools,
  page: GuardedPage,
  guard: GuardServices['guard'],
): FallbackPage {
  const { homeserver, factors, clock } = shared;
  const { passwordSessions, limits } = shared.ownerSessions;
  const signOn = new HomeserverSignOn({ ...shared, page, guard, passwordSessions });
  const proofs = new GuardedProofs({ ...shared, limits });
  const canRecover = shared.recovery.enabled;
  return new FallbackPage({
    ...{ page, pages, homeserver, factors },
    visits: new Visits(visiting, 'fallback'),
    steps: new FallbackSteps({ proofs, signOn, factors, problems, clock }),
    views: new FallbackViews({ page, signOn, homeserver, factors, problems, canRecover, contact }),
  });
}
