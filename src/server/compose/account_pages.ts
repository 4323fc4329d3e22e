import { ContactLinks } from '../../account_recovery/contact_links.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { Refusal } from '../../matrix/refusals.ts';
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
  const { config, homeserver, log } = shared;
  const { account, accountRecovery, devicePasswords, login, publicBaseUrl } = config;
  return {
    accountPage: new AccountPage(
      { pages, signInPage, cookie, homeserver, factors: shared.factors },
      {
        ...shared.ways,
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
      hasPassword: hasPasswordBy(shared),
      logOut: () => {
        pageSessionSweep
          .sweep()
          .catch((err) => log.warn({ err }, 'page sessions could not be logged out now'));
      },
      settings: { idleMs: account.idleMs, publicBaseUrl },
    }),
  };
}

/** Only where people sign in by the homeserver's single sign-on can an account be without one. */
function hasPasswordBy({ config, ownerSessions }: SharedServices) {
  return async (accessToken: string, request: ClientRequest): Promise<boolean | undefined> => {
    if (!config.login.sso) return true;
    try {
      return await ownerSessions.passwordSessions.takesPassword(accessToken, request);
    } catch (error) {
      // The page is told all else without it.
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  };
}
