import { ContactLinks } from '../../account_recovery/contact_links.ts';
import { AccountPage } from '../../pages/account/account_page.ts';
import { PageSessionDoor } from '../../pages/account/page_session.ts';
import { ContactPage } from '../../pages/recover/contact_page.ts';
import { VotePage } from '../../pages/recover/vote_page.ts';
import type { SignInPage } from '../../pages/sign_in/sign_in_page.ts';
import type { LoginServices } from './login.ts';
import type { PageTools } from './page_tools.ts';
import type { SharedServices } from './shared.ts';

/** The pages of an account whose owner is signed in, and those that links in messages lead to. */
export function accountPages(
  shared: SharedServices,
  { pages, cookie }: PageTools,
  signInPage: SignInPage,
  { accountSessions, pageSessionSweep }: LoginServices,
) {
  const { config, homeserver, log, totp } = shared;
  const { account, accountRecovery, devicePasswords, login, publicBaseUrl } = config;
  return {
    accountPage: new AccountPage(
      { pages, signInPage, cookie, homeserver, factors: shared.factors },
      {
        ...shared.ways,
        digits: totp.digits,
        idleMs: account.idleMs,
        devicePasswords: devicePasswords.enabled,
        accountRecovery: accountRecovery.enabled,
        withoutPassword: config.homeserver.appservice !== undefined && login.sso,
      },
    ),
    votePage: new VotePage(pages, accountRecovery.enabled && accountRecovery.votes.enabled),
    contactPage: new ContactPage(new ContactLinks(shared), pages, accountRecovery.enabled),
    pageSession: new PageSessionDoor({
      ...{ sessions: accountSessions, cookie, pages, log },
      logOut: () => {
        pageSessionSweep
          .sweep()
          .catch((err) => log.warn({ err }, 'page sessions could not be logged out now'));
      },
      settings: { idleMs: account.idleMs, publicBaseUrl },
    }),
  };
}
