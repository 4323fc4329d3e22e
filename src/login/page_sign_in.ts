import type { ClientRequest } from '../http/client_request.ts';
import type { Lanes } from '../limits/lanes.ts';
import { Refusal } from '../matrix/refusals.ts';
import { foldLocalpart } from '../matrix/user_id.ts';
import { type JsonObject, PASSWORD_STAGE, TOKEN_LOGIN } from '../matrix/wire.ts';
import { readIdentity } from '../second_factor/claimed_identity.ts';
import type { CodeStep } from '../second_factor/code_step.ts';
import type { CodeSource } from '../second_factor/code_unit.ts';
import type { PresentedCodes } from '../second_factor/presented.ts';
import { isSatisfied, type Session } from '../uia/session.ts';
import type { PageLogin } from './page_login.ts';
import type { PageSessions } from './page_sessions.ts';
import type {
  EndedSignIn,
  PageBegun,
  PageCode,
  PageCodeOutcome,
  PageCodesUsedUp,
  PageCredentials,
  PageStanding,
  PageTicket,
  ProviderReturn,
} from './page_standing.ts';
import type { PageTickets } from './page_tickets.ts';
import type { Reading } from './readings.ts';

export interface PageSignInDeps {
  readonly login: PageLogin;
  readonly sessions: PageSessions;
  readonly tickets: PageTickets;
  readonly presented: PresentedCodes;
  readonly codeStep: CodeStep;
  readonly lanes: Lanes;
}

/**
 * The sign-in page's way through the gate: the homeserver judges the password, what it grants is held for
 * everyone, and a user with 2FA on brings a code before they get a login token for it (R1, R5, R12). Where a method
 * answers undefined that sign-in has ended, and begins again.
 */
export class PageSignIn {
  constructor(private readonly deps: PageSignInDeps) {}

  /** @throws Refusal login_refused, limit_exceeded, homeserver_unreachable, homeserver_slow, homeserver_unclear */
  async begin(
    from: ClientRequest,
    { name, password, browser, redirectUrl, readings }: PageCredentials,
  ): Promise<PageBegun> {
    const identifier = identifierOf(name);
    const request = await this.byBrowser(from, readIdentity({ identifier }).foldedNames, browser);
    const judged = await this.deps.login.withPassword(request, identifier, password, readings);
    if ('refusal' in judged) throw judged.refusal;
    const { hold, reading } = judged;
    const { client } = request;
    const session = await this.deps.sessions.open({
      client,
      hold,
      proven: PASSWORD_STAGE,
      redirectUrl,
      ...(reading.password !== undefined && { password: reading.password }),
    });
    return this.withAppended(session, reading, { client, browser });
  }

  /** Judges the code that stood behind the password, once. */
  private async withAppended(session: Session, { appended }: Reading, from: CodeSource): Promise<PageBegun> {
    const standing = () => this.deps.sessions.standing(session);
    if (appended === undefined) return { standing: await standing(), appended };
    try {
      const outcome = await this.deps.codeStep.take(session, appended, from);
      return outcome.is === 'passed'
        ? { standing: await this.deps.sessions.standing(outcome.session), appended: 'accepted' }
        : { standing: await standing(), appended: 'refused' };
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 429) throw error;
      return { standing: await standing(), appended: error };
    }
  }

  /**
   * Learns from the homeserver whose login token it is; that login is held and never handed out.
   * @throws Refusal login_refused, homeserver_unreachable, homeserver_slow, homeserver_unclear
   */
  async beginWithToken(
    request: ClientRequest,
    { loginToken, provider, redirectUrl }: ProviderReturn,
  ): Promise<PageStanding> {
    const hold = await this.deps.login.withToken(request, loginToken);
    const { client } = request;
    const { sessions } = this.deps;
    return sessions.standing(
      await sessions.open({ client, hold, proven: TOKEN_LOGIN, redirectUrl, provider }),
    );
  }

  async find(id: string): Promise<PageStanding | undefined> {
    const found = await this.deps.sessions.find(id);
    return found && this.deps.sessions.standing(found.session);
  }

  /** The same sign-in with the set-up that was offered in it, which then comes next. */
  async withSetUp({ client }: ClientRequest, id: string): Promise<PageStanding | undefined> {
    const session = await this.deps.sessions.withSetUp(client, id);
    return session && this.deps.sessions.standing(session);
  }

  /** @throws Refusal limit_exceeded, codes_wait, codes_shut */
  async submitCode(
    request: ClientRequest,
    id: string,
    { browser, ...sent }: PageCode,
  ): Promise<PageCodeOutcome | PageCodesUsedUp | undefined> {
    const { sessions, presented, codeStep } = this.deps;
    const found = await sessions.find(id);
    if (found === undefined) return undefined;
    const { session } = found;
    if (isSatisfied(session.flows, session.completed)) {
      return { kind: 'accepted', standing: await sessions.standing(session) };
    }
    const { client } = await this.byBrowser(request, [foldLocalpart(session.binding.userId)], browser);
    const outcome = await codeStep.take(session, presented.inField(sent, session), { client, browser });
    switch (outcome.is) {
      case 'passed':
        return { kind: 'accepted', standing: await sessions.standing(outcome.session) };
      case 'missing':
        return { kind: 'missing', standing: await sessions.standing(session) };
      case 'refused':
        return outcome.isOver
          ? { kind: 'used_up', waitMs: await codeStep.waitOf(session, { client, browser }) }
          : { kind: 'refused', standing: await sessions.standing(session) };
      case 'unasked':
      case 'out_of_order':
        return { kind: 'refused', standing: await sessions.standing(session) };
      case 'gone':
        return undefined;
    }
  }

  /** As `PageTickets.issue`. */
  issueTicket(request: ClientRequest, id: string): Promise<PageTicket | undefined> {
    return this.deps.tickets.issue(request, id);
  }

  /** As `PageTickets.endOtherDevices`. */
  endOtherDevices({ client }: ClientRequest, id: string): Promise<boolean> {
    return this.deps.tickets.endOtherDevices(client, id);
  }

  /** As `PageTickets.cancel`. */
  cancel(id: string): Promise<void> {
    return this.deps.tickets.cancel(id);
  }

  /** Whether factors or password of the user were changed since. */
  async isChanged({ userId, version }: EndedSignIn): Promise<boolean> {
    return (await this.deps.sessions.versionOf(userId)) !== version;
  }

  /** As `PageTickets.passProviderToken`. */
  passProviderToken(id: string, loginToken: string): Promise<string | undefined> {
    return this.deps.tickets.passProviderToken(id, loginToken);
  }

  /** The request, counted by its browser where one of these users has passed a factor in it. */
  private async byBrowser(
    request: ClientRequest,
    foldedNames: readonly string[],
    browser: string | undefined,
  ): Promise<ClientRequest> {
    const knownBrowser = browser && (await this.deps.lanes.knownBrowser(foldedNames, browser));
    return knownBrowser === undefined ? request : { ...request, client: { ...request.client, knownBrowser } };
  }
}

/** An e-mail address signs in where the homeserver knows whose it is. */
function identifierOf(name: string): JsonObject {
  const isAddress = /^[^@\s]+@[^@\s]+$/.test(name);
  return isAddress
    ? { type: 'm.id.thirdparty', medium: 'email', address: name }
    : { type: 'm.id.user', user: name };
}
