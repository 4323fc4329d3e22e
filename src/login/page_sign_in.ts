import type { ClientRequest } from '../http/client_request.ts';
import type { Lanes } from '../limits/lanes.ts';
import { foldLocalpart } from '../matrix/user_id.ts';
import { type JsonObject, PASSWORD_STAGE, TOKEN_LOGIN } from '../matrix/wire.ts';
import { readIdentity } from '../second_factor/claimed_identity.ts';
import type { CodeStep } from '../second_factor/code_step.ts';
import type { PresentedCodes } from '../second_factor/presented.ts';
import { isSatisfied } from '../uia/session.ts';
import type {
  PageCode,
  PageCodeOutcome,
  PageCredentials,
  PageDoor,
  PageStanding,
  PageTicket,
  ProviderReturn,
} from './page_door.ts';
import type { PageLogin } from './page_login.ts';
import type { PageSessions } from './page_sessions.ts';
import type { PageTickets } from './page_tickets.ts';

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
 * everyone, and a user with 2FA on brings a code before they get a login token for it (R1, R5, R12).
 */
export class PageSignIn implements PageDoor {
  constructor(private readonly deps: PageSignInDeps) {}

  /** @throws Refusal */
  async begin(
    from: ClientRequest,
    { name, password, browser, redirectUrl }: PageCredentials,
  ): Promise<PageStanding> {
    const identifier = identifierOf(name);
    const request = await this.byBrowser(from, readIdentity({ identifier }).foldedNames, browser);
    const judged = await this.deps.login.withPassword(request, identifier, password);
    if ('refusal' in judged) throw judged.refusal;
    const { client } = request;
    return this.deps.sessions.open({
      client,
      hold: judged.hold,
      proven: PASSWORD_STAGE,
      redirectUrl,
      password,
    });
  }

  /** @throws Refusal */
  async beginWithToken(
    request: ClientRequest,
    { loginToken, provider, redirectUrl }: ProviderReturn,
  ): Promise<PageStanding> {
    const hold = await this.deps.login.withToken(request, loginToken);
    const { client } = request;
    return this.deps.sessions.open({ client, hold, proven: TOKEN_LOGIN, redirectUrl, provider });
  }

  async find(id: string): Promise<PageStanding | undefined> {
    const found = await this.deps.sessions.find(id);
    return found && this.deps.sessions.standing(found.session);
  }

  async withSetUp({ client }: ClientRequest, id: string): Promise<PageStanding | undefined> {
    const session = await this.deps.sessions.withSetUp(client, id);
    return session && this.deps.sessions.standing(session);
  }

  /** @throws Refusal */
  async submitCode(
    request: ClientRequest,
    id: string,
    { code, kind, browser }: PageCode,
  ): Promise<PageCodeOutcome | undefined> {
    const { sessions, presented, codeStep } = this.deps;
    const found = await sessions.find(id);
    if (found === undefined) return undefined;
    const { session } = found;
    if (isSatisfied(session.flows, session.completed)) {
      return { kind: 'accepted', standing: await sessions.standing(session) };
    }
    const { client } = await this.byBrowser(request, [foldLocalpart(session.binding.userId)], browser);
    const outcome = await codeStep.take(session, presented.inField(code, kind), { client, browser });
    switch (outcome.is) {
      case 'passed':
        return { kind: 'accepted', standing: await sessions.standing(outcome.session) };
      case 'missing':
        return { kind: 'missing', standing: await sessions.standing(session) };
      case 'refused':
        return outcome.isOver ? undefined : { kind: 'refused', standing: await sessions.standing(session) };
      case 'unasked':
      case 'out_of_order':
        return { kind: 'refused', standing: await sessions.standing(session) };
      case 'gone':
        return undefined;
    }
  }

  issueTicket(request: ClientRequest, id: string): Promise<PageTicket | undefined> {
    return this.deps.tickets.issue(request, id);
  }

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
