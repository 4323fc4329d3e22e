import type { LoneLogin } from '../../login/lone_login.ts';
import { LoneSignIn } from '../../login/lone_sign_in.ts';
import { KnownBrowser } from '../../pages/forms/known_browser.ts';
import { Visits } from '../../pages/forms/visits.ts';
import { SetUpPages } from '../../pages/set_up/set_up_pages.ts';
import { AccountEntry } from '../../pages/sign_in/account_entry.ts';
import { LoneQuestions } from '../../pages/sign_in/lone_questions.ts';
import { ProviderRounds } from '../../pages/sign_in/provider_rounds.ts';
import { ProviderStates } from '../../pages/sign_in/provider_states.ts';
import { RedirectTargets } from '../../pages/sign_in/redirect_targets.ts';
import { SignInAlone, type SignInAloneDeps } from '../../pages/sign_in/sign_in_alone.ts';
import { SignInEnds } from '../../pages/sign_in/sign_in_ends.ts';
import { SignInForms } from '../../pages/sign_in/sign_in_forms.ts';
import { SignInPage } from '../../pages/sign_in/sign_in_page.ts';
import { SignInProofs } from '../../pages/sign_in/sign_in_proofs.ts';
import { SignInReplace } from '../../pages/sign_in/sign_in_replace.ts';
import { SignInSetUp } from '../../pages/sign_in/sign_in_set_up.ts';
import { SignInSteps } from '../../pages/sign_in/sign_in_steps.ts';
import { SignInViews } from '../../pages/sign_in/sign_in_views.ts';
import type { SignInVisit } from '../../pages/sign_in/sign_in_visit.ts';
import type { AccountServices } from './account.ts';
import { accessPages, oauthAccess } from './authorize_pages.ts';
import type { LoginServices } from './login.ts';
import type { PageTools } from './page_tools.ts';
import type { SharedServices } from './shared.ts';

export type SignInPages = ReturnType<typeof signInPages>;

/** The pages on which someone signs in. */
export function signInPages(
  shared: SharedServices,
  tools: PageTools,
  { pageSignIn, pageEntry, pageAccess, loneLogin, pageRecovery }: LoginServices,
  { enrolments, replacement }: AccountServices,
) {
  const { config, random } = shared;
  const setUps = new SetUpPages(enrolments);
  const { accessParts, ...ends } = signInEnds(shared, tools, pageAccess);
  const browsers = new KnownBrowser(random, config.publicBaseUrl);
  const entry = new AccountEntry(pageEntry, tools.cookie);
  const signIn = {
    ...{ ...shared, ...ends, browsers, entry, pages: tools.pages, problems: tools.problems },
    alone: signInAlone(shared, loneLogin, { ...ends, browsers, entry }),
    door: pageSignIn,
    setUp: new SignInSetUp(pageSignIn, setUps),
    replace: new SignInReplace(pageSignIn, new SetUpPages(replacement), replacement),
    recovery: shared.recovery.enabled ? pageRecovery : undefined,
  };
  const { host } = new URL(config.publicBaseUrl);
  const whereTo = new SignInEnds(signIn);
  const signInPage = new SignInPage(
    {
      ...signIn,
      visits: new Visits<SignInVisit>(tools.visiting, 'sign_in'),
      steps: new SignInSteps({
        ...signIn,
        ends: whereTo,
        proofs: new SignInProofs({ ...signIn, ends: whereTo }),
      }),
      views: new SignInViews({ ...signIn, forms: new SignInForms({ ...signIn, host }) }),
    },
    config.login.sso,
  );
  return {
    ...{ signIn, signInPage, setUps },
    ...accessPages(shared, tools, { signInPage, ...ends, parts: accessParts }),
  };
}

/** Where sign-ins lead: back to a client, through a provider, or to an app that asks for access. */
function signInEnds(shared: SharedServices, tools: PageTools, pageAccess: LoginServices['pageAccess']) {
  const { sso, publicBaseUrl, oauth } = shared.config;
  const targets = new RedirectTargets(sso, publicBaseUrl, oauth.enabled);
  const rounds = providerRounds(shared, tools);
  const accessParts = oauth.enabled ? oauthAccess(shared, tools, { pageAccess, targets, rounds }) : undefined;
  return { targets, rounds, accessParts, access: accessParts?.end, accessViews: accessParts?.views };
}

function providerRounds(shared: SharedServices, { formTokens }: PageTools) {
  const { config, vault, homeserver, clock } = shared;
  const states = new ProviderStates(vault, clock);
  return new ProviderRounds({ homeserver, states, formTokens, publicBaseUrl: config.publicBaseUrl });
}

/** Undefined where the operator lets no one sign in by a factor alone. */
function signInAlone(
  shared: SharedServices,
  login: LoneLogin,
  pages: SignInAloneDeps['pages'],
): SignInAlone | undefined {
  const factor = shared.factors.ofLoneSignIn();
  if (factor === undefined) return undefined;
  const questions = new LoneQuestions(shared.vault, shared.clock, factor.alone.questionMs);
  return new SignInAlone({
    ...shared,
    factor,
    questions,
    login,
    pages,
    door: new LoneSignIn(shared, factor),
  });
}
