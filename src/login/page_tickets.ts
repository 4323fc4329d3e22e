import { recoveryOf } from '../account_recovery/recovered_session.ts';
import type { ClientAddress, ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type FactorPassed, passedIn } from '../second_factor/factor_passed.ts';
import type { HeldLogins } from '../second_factor/held_logins.ts';
import type { Passes } from '../second_factor/passes.ts';
import type { RecoveredHolds } from '../second_factor/recovered_holds.ts';
import type { StandingPasses, Standings } from '../second_factor/standing.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import { MINUTE } from '../system/clock.ts';
import type { UiaEngine } from '../uia/engine.ts';
import { isSatisfied, type Session } from '../uia/session.ts';
import type { PageLogin } from './page_login.ts';
import { type PageSessions, providerOf, redirectUrlOf } from './page_sessions.ts';
import type { PageTicket } from './page_standing.ts';

/** How long a homeserver's login token may be on its way to the client: as long as our own. */
const PASSED_TOKEN_MS = 2 * MINUTE;

/** All that a user owes is proven in this sign-in. */
export interface ProvenSignIn {
  readonly session: Session;
  readonly proof: FactorPassed | StandingPasses;
  /** The version of the account, looked up before what its user owes: the proof holds only while the account has it. */
  readonly version: number;
  readonly hold: HeldLogin;
}

/** What a person takes from the sign-in page to their client. */
export class PageTickets {
  constructor(
    private readonly deps: {
      readonly engine: UiaEngine;
      readonly holds: HeldLogins;
      readonly passes: Passes;
      readonly standings: Standings;
      readonly sessions: PageSessions;
      readonly login: PageLogin;
      readonly recoveredHolds: Pick<RecoveredHolds, 'endOthers'>;
    },
  ) {}

  /** What comes after the last form: for a sign-in by password one of our login tokens, for exactly one caller. */
  async issue(request: ClientRequest, id: string): Promise<PageTicket | undefined> {
    const proven = await this.proven(request, id);
    if (proven === undefined || 'kind' in proven) return proven;
    const { session, proof, hold } = proven;
    const provider = providerOf(session);
    if (provider !== undefined) return this.sendToProvider(hold, provider);
    if (!(await this.deps.engine.finish(session))) return undefined;
    const loginToken = await this.deps.passes.issue(hold, proof);
    return { kind: 'client', redirectUrl: redirectUrlOf(session), loginToken };
  }

  /**
   * A sign-in in which nothing is left to prove, with its held login. Undefined if it has ended, or something is left.
   * @throws Refusal if the password must be judged once more and cannot be; others_not_signed_out
   */
  async proven(
    request: ClientRequest,
    id: string,
  ): Promise<ProvenSignIn | { readonly kind: 'changed' } | undefined> {
    const found = await this.deps.sessions.find(id);
    if (found === undefined) return undefined;
    const { session } = found;
    if (!isSatisfied(session.flows, session.completed)) return undefined;
    const version = await this.deps.sessions.versionOf(session.binding.userId);
    const proof = await this.proofOf(session);
    if (proof === undefined) return { kind: 'changed' };
    const hold = found.hold ?? (await this.signInAgain(request, session));
    if (hold === undefined) return { kind: 'changed' };
    await this.requireAlone(request.client, session, hold);
    return { session, proof, version, hold };
  }

  /**
   * Ends a sign-in that its user does not want: its held login is logged out. Equal sign-ins that share the held login
   * sign in once more, by themselves.
   */
  async cancel(id: string): Promise<void> {
    const found = await this.deps.sessions.find(id);
    if (found === undefined) return;
    const { session, hold } = found;
    if (!(await this.deps.engine.finish(session)) || hold === undefined) return;
    await this.deps.holds.endFree(hold);
  }

  /**
   * Signs out the other devices of its user, by the password of this sign-in: only where all that is owed is proven. False
   * where the homeserver did not say that they are gone.
   */
  async endOtherDevices(client: ClientAddress, id: string): Promise<boolean> {
    const found = await this.deps.sessions.find(id);
    if (found?.hold === undefined || (await this.proofOf(found.session)) === undefined) return false;
    return this.endOthers(client, found.session, found.hold);
  }

  private endOthers(client: ClientAddress, { password }: Session, hold: HeldLogin): Promise<boolean> {
    return this.deps.recoveredHolds.endOthers(hold, password, client);
  }

  /**
   * After the recovery of an account no other session of it goes on: before that its login is not given out.
   * @throws Refusal others_not_signed_out
   */
  async requireAlone(client: ClientAddress, session: Session, hold: HeldLogin): Promise<void> {
    if (recoveryOf(session) === undefined || (await this.endOthers(client, session, hold))) return;
    throw new Refusal('others_not_signed_out');
  }

  /**
   * Ends a sign-in through the homeserver's single sign-on: its second login token passes for that user, once. Answers
   * where the client is; for exactly one caller.
   */
  async passProviderToken(id: string, loginToken: string): Promise<string | undefined> {
    const session = await this.deps.sessions.withoutHold(id);
    if (session === undefined || providerOf(session) === undefined) return undefined;
    const proof = await this.proofOf(session);
    if (!(await this.deps.engine.finish(session))) return undefined;
    const { version } = session;
    if (proof?.hasFactor === true && version !== null) {
      const { userId } = session.binding;
      await this.deps.passes.remember(loginToken, { userId, version }, PASSED_TOKEN_MS);
    }
    return redirectUrlOf(session);
  }

  /** Undefined if something is left to prove, or factors or password were changed meanwhile. */
  async proofOf(session: Session): Promise<FactorPassed | StandingPasses | undefined> {
    if (!isSatisfied(session.flows, session.completed)) return undefined;
    const passed = passedIn(session);
    const standing = await this.deps.standings.of(session.binding.userId);
    if (standing.is === 'owes_enrolment') return undefined;
    if (standing.is !== 'owes_factor') return passed ?? standing.proof;
    return session.version === standing.version ? passed : undefined;
  }

  /**
   * The held login of this sign-in is gone: another sign-in took it, or many others pushed it out. Its password is
   * judged once more, and no code is asked for again. Undefined if the password no longer is that user's.
   */
  async signInAgain(request: ClientRequest, session: Session): Promise<HeldLogin | undefined> {
    const { userId } = session.binding;
    if (session.password === undefined) return undefined;
    const user = { type: 'm.id.user', user: userId };
    const judged = await this.deps.login.withPassword(request, user, session.password, 'as_sent');
    if ('hold' in judged) return judged.hold.userId === userId ? judged.hold : undefined;
    if (judged.refusal.refusal === 'login_refused') return undefined;
    throw judged.refusal;
  }

  /** The login that told who it is has done its part: the next sweep logs it out. */
  async sendToProvider(
    hold: HeldLogin,
    provider: string,
  ): Promise<Extract<PageTicket, { kind: 'provider' }> | undefined> {
    // Ended meanwhile, by a change of factors: its session may be left, and proves nothing.
    return (await this.deps.holds.endFree(hold)) ? { kind: 'provider', provider } : undefined;
  }
}
