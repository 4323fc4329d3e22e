import { GuardedPage } from '../guard/guarded_page.ts';
import { isSoundSession } from '../guard/sound_session.ts';
import type { PageSignIn } from '../login/page_sign_in.ts';
import { AccountPage } from '../pages/account/account_page.ts';
import { FallbackPage } from '../pages/fallback/fallback_page.ts';
import { FormPages } from '../pages/forms/form_pages.ts';
import { FormTokens } from '../pages/forms/form_tokens.ts';
import { KnownBrowser } from '../pages/forms/known_browser.ts';
import { Assets } from '../pages/shell/assets.ts';
import { brandOf } from '../pages/shell/brand.ts';
import { PageShell } from '../pages/shell/page.ts';
import { ProviderPage } from '../pages/sign_in/provider_page.ts';
import { ProviderRounds } from '../pages/sign_in/provider_rounds.ts';
import { ProviderStates } from '../pages/sign_in/provider_states.ts';
import { RedirectTargets } from '../pages/sign_in/redirect_targets.ts';
import { SignInPage } from '../pages/sign_in/sign_in_page.ts';
import { SsoRedirect } from '../pages/sign_in/sso_redirect.ts';
import type { Groundwork } from './groundwork.ts';

/** The pages. */
export interface PageRooms {
  readonly accountPage: AccountPage;
  readonly assets: Assets;
  readonly signInPage: SignInPage;
  readonly providerPage: ProviderPage;
  readonly ssoRedirect: SsoRedirect;
  readonly fallbackPage: FallbackPage;
}

/** Puts the pages together. */
export function composePageRooms(ground: Groundwork, pageSignIn: PageSignIn): PageRooms {
  const { config, vault, homeserver, clock, random, log, totp } = ground;
  const { publicBaseUrl, login, sso } = config;
  const brand = brandOf(config.brand);
  const assets = new Assets(brand.logo);
  const shell = new PageShell(brand, assets, random);
  const formTokens = new FormTokens(vault, random, publicBaseUrl);
  const formPages = new FormPages(shell, formTokens, log);
  const targets = new RedirectTargets(sso.clients);
  const states = new ProviderStates(vault, clock);
  const rounds = new ProviderRounds(homeserver, states, formTokens, publicBaseUrl);
  const browsers = new KnownBrowser(random, publicBaseUrl);
  const signInPage = new SignInPage(pageSignIn, formPages, targets, rounds, browsers, {
    offered: login.sso,
    digits: totp.digits,
    factors: ground.factors,
  });
  const providerPage = new ProviderPage(pageSignIn, formPages, targets, rounds, signInPage);
  const proofs = new GuardedPage({ ...ground, isSound: isSoundSession });
  return {
    assets,
    signInPage,
    providerPage,
    accountPage: new AccountPage(shell, { ...ground.ways, digits: totp.digits }, ground.factors),
    ssoRedirect: new SsoRedirect(homeserver, providerPage, login.sso),
    fallbackPage: new FallbackPage(proofs, formPages, homeserver, ground.factors, totp.digits),
  };
}
