import { GrantedHold } from '../../login/granted_hold.ts';
import { HandingOut } from '../../login/granted_sign_in.ts';
import { HoldSweeper } from '../../login/hold_sweeper.ts';
import { LoginAgain } from '../../login/login_again.ts';
import { LoginConversation } from '../../login/login_conversation.ts';
import { LoneLogin } from '../../login/lone_login.ts';
import { OwnTokens } from '../../login/own_tokens.ts';
import { PageAccess, PageAccessDenial } from '../../login/page_access.ts';
import { PageEntry } from '../../login/page_entry.ts';
import { PageLogin } from '../../login/page_login.ts';
import { sweepOfPageSessions } from '../../login/page_session_sweeper.ts';
import { PageSessions } from '../../login/page_sessions.ts';
import { PageSignIn } from '../../login/page_sign_in.ts';
import { PageTickets } from '../../login/page_tickets.ts';
import { Readings } from '../../login/readings.ts';
import { GrantedRegistration, RegisterGate } from '../../login/register.ts';
import { SecondLogin } from '../../login/second_login.ts';
import { SessionEndings } from '../../login/session_endings.ts';
import { LoginGate } from '../../login/sign_in.ts';
import { SignInLine } from '../../login/sign_in_line.ts';
import { StoredLineLeases } from '../../login/stored_line_leases.ts';
import { AccountSessions } from '../../second_factor/account_sessions.ts';
import { Exit } from '../../second_factor/exit.ts';
import { JoinedHolds } from '../../second_factor/joined_holds.ts';
import { OAuthCodes } from '../../second_factor/oauth_codes.ts';
import { OwnLogin } from '../../second_factor/own_login.ts';
import { UpstreamLogin } from '../../second_factor/upstream_login.ts';
import { systemPause } from '../../system/pause.ts';
import { recoveryServices } from './account_recovery.ts';
import { devicePasswordRelease, devicePasswordServices } from './device_passwords.ts';
import type { SharedServices } from './shared.ts';

export type LoginServices = ReturnType<typeof loginServices>;

/** Where users sign in and out. All doors share the held logins and their limits. */
export function loginServices(shared: SharedServices) {
  const { config } = shared;
  const { doors, upstream, exit, ownLogin, secondLogin } = tokenServices(shared);
  const codes = { presented: shared.presented, step: shared.codeStep };
  const conversation = new LoginConversation({ ...shared, codes, secondLogin });
  const held = new GrantedHold({ ...doors, conversation, step: shared.codeStep, secondLogin });
  const granted = { ...doors, held, handingOut: new HandingOut(doors) };
  const signIn = { ...doors, conversation, granted };
  const accountSessions = new AccountSessions({ ...doors, settings: config.account });
  const loneLogin = new LoneLogin({ ...doors, ownLogin, accountSessions });
  return {
    login: new LoginGate({
      ...doors,
      signIn,
      ownTokens: new OwnTokens({ ...shared, secondLogin, loneLogin }),
      devicePasswordRelease: devicePasswordRelease(shared, exit, ownLogin),
    }),
    register: new RegisterGate({
      ...{ ...doors, conversation, publicBaseUrl: config.publicBaseUrl },
      granted: new GrantedRegistration(doors),
    }),
    sessionEndings: new SessionEndings({ ...doors, sessions: shared.storage.sessions }),
    sweeper: new HoldSweeper({ ...shared, storage: shared.aside }),
    accountSessions,
    exit,
    ownLogin,
    upstream,
    loneLogin,
    ...pageDoors(shared, doors, ownLogin, accountSessions),
    ...devicePasswordServices(shared, upstream, ownLogin),
  };
}

/** How a login is taken from the homeserver and how its token leaves, with what all doors of sign-ins need. */
function tokenServices(shared: SharedServices) {
  const { config, storage, vault, clock, holds } = shared;
  const readings = new Readings(
    { factors: storage.factors, codes: shared.factors, vault, policies: shared.policies, clock },
    shared.ways,
  );
  const upstream = new UpstreamLogin(shared);
  const exit = new Exit({ ...shared, holds, publicBaseUrl: config.publicBaseUrl });
  const ownLogin = new OwnLogin({ ...shared, upstream, registration: config.homeserver.appservice });
  const again = new LoginAgain({ upstream, ownLogin });
  const secondLogin = new SecondLogin({ ...shared, holds, again, exit });
  const doors = {
    ...shared,
    factors: storage.factors,
    holds,
    joined: new JoinedHolds({ ...shared, holds }),
    upstream,
    again,
    exit,
    line: new SignInLine({ ...shared, leases: new StoredLineLeases(shared), pause: systemPause }),
    readings,
  };
  return { doors, upstream, exit, ownLogin, secondLogin };
}

/** What the pages call where someone signs in, or recovers their account. */
function pageDoors(
  shared: SharedServices,
  doors: ReturnType<typeof tokenServices>['doors'],
  ownLogin: OwnLogin,
  accountSessions: AccountSessions,
) {
  const login = new PageLogin(doors);
  const sessions = new PageSessions(doors);
  const tickets = new PageTickets({ ...doors, sessions, login });
  return {
    pageSignIn: new PageSignIn({ ...doors, sessions, tickets, login }),
    pageAccess: {
      access: new PageAccess({ ...doors, sessions, tickets, ownLogin, codes: new OAuthCodes(shared) }),
      denial: new PageAccessDenial({ ...shared, sessions, tickets }),
    },
    pageEntry: new PageEntry({ ...doors, sessions, tickets, accountSessions }),
    pageSessionSweep: sweepOfPageSessions({ ...shared, storage: shared.aside }),
    ...recoveryServices(shared, login, sessions),
  };
}
