import type { Audit } from '../audit/audit.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import type { ClientAddress, ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { HeldLogins } from '../second_factor/held_logins.ts';
import type { AskedAccess, AskedByDevice, OAuthCodes } from '../second_factor/oauth_codes.ts';
import type { OwnLogin } from '../second_factor/own_login.ts';
import type { AloneAccepted } from '../second_factor/passes.ts';
import { when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { endFreeHold } from '../storage/tables/holds.ts';
import { denyDeviceGrant } from '../storage/tables/oauth_grants.ts';
import { finishSession } from '../storage/tables/sessions.ts';
import { type PageSessions, providerOf, redirectUrlOf } from './page_sessions.ts';
import type { PageTickets, ProvenSignIn } from './page_tickets.ts';

/** What an app asks for, or a device that waits for its user; and what the app calls itself. */
export type AskedByApp = (AskedAccess | AskedByDevice) & { readonly appName: string | undefined };

/** What became of a yes. Undefined: that sign-in has ended. */
export type AccessGiven =
  /** The code; for a device none. */
  | { readonly is: 'given'; readonly code: string | undefined }
  /** Once more through the homeserver's single sign-on, for a login token that the code can use. */
  | { readonly is: 'provider'; readonly provider: string }
  /** The factors or the password were changed meanwhile. */
  | { readonly is: 'changed' }
  | undefined;

/** The way from a sign-in on a page to an authorization code: an app that was allowed in gets it, and no token. */
export class PageAccess {
  constructor(
    private readonly deps: {
      readonly sessions: PageSessions;
      readonly tickets: PageTickets;
      readonly holds: HeldLogins;
      readonly codes: OAuthCodes;
      readonly ownLogin: Pick<OwnLogin, 'isOn'>;
      readonly homeserver: Homeserver;
    },
  ) {}

  /**
   * Whether the device that an app asks for is one that the person has: its session would end. Undefined where the
   * homeserver does not say.
   */
  async hasDevice(client: ClientAddress, id: string, deviceId: string): Promise<boolean | undefined> {
    const found = await this.deps.sessions.find(id);
    if (found?.hold === undefined) return undefined;
    const { grant } = this.deps.holds.open(found.hold);
    try {
      return await grant.hasDevice(this.deps.homeserver, deviceId, client);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return undefined;
    }
  }

  /** Where a sign-in leads; undefined if it has ended. */
  async redirectUrlOf(id: string): Promise<string | undefined> {
    const session = await this.deps.sessions.withoutHold(id);
    return session && redirectUrlOf(session);
  }

  /** The person has said yes. For exactly one caller. @throws Refusal */
  async allow(request: ClientRequest, id: string, asked: AskedByApp): Promise<AccessGiven> {
    const { tickets, ownLogin } = this.deps;
    const proven = await tickets.proven(request, id);
    if (proven === undefined) return undefined;
    if ('kind' in proven) return { is: 'changed' };
    const { session, hold } = proven;
    const provider = providerOf(session);
    if (provider !== undefined && !ownLogin.isOn) {
      const sent = await tickets.sendToProvider(hold, provider);
      return sent && { is: 'provider', provider };
    }
    return this.give(request, proven, asked);
  }

  /**
   * The homeserver's single sign-on has given a second login token after the yes: the code gets in by it. Undefined if
   * that sign-in has ended.
   */
  async allowByProvider(
    { client }: ClientRequest,
    id: string,
    loginToken: string,
    asked: AskedByApp,
  ): Promise<AccessGiven> {
    const { sessions, tickets } = this.deps;
    const session = await sessions.withoutHold(id);
    if (session === undefined || providerOf(session) === undefined) return undefined;
    const { userId } = session.binding;
    const version = await sessions.versionOf(userId);
    const proof = await tickets.proofOf(session);
    if (proof === undefined) return { is: 'changed' };
    const { appName, ...access } = asked;
    const spending = finishSession(session);
    const login = { loginToken, appName };
    return givenOf(
      await this.deps.codes.give({ userId, proof, version, asked: access, login, client, spending }),
    );
  }

  /** A person who was let in by a factor alone has said yes: our registration makes the login. */
  async allowAlone(
    { client }: ClientRequest,
    accepted: AloneAccepted,
    { appName, ...asked }: AskedByApp,
  ): Promise<AccessGiven> {
    const { userId, version } = accepted;
    const login = { appName };
    return givenOf(await this.deps.codes.give({ userId, proof: accepted, version, asked, login, client }));
  }

  private async give(
    { client }: ClientRequest,
    { session, proof, version, hold }: ProvenSignIn,
    { appName, ...asked }: AskedByApp,
  ): Promise<AccessGiven> {
    const { userId } = session.binding;
    const { password = session.password } = this.deps.holds.open(hold);
    // In the commit of the code: what is reserved before, and not used, is kept from other sign-ins that share it.
    const also = [when(endFreeHold(hold.id), { won: this.deps.holds.allowanceGivenBack(hold), lost: [] })];
    const login = { password, appName };
    const spending = finishSession(session);
    return givenOf(
      await this.deps.codes.give({ userId, proof, version, asked, login, client, spending, also }),
    );
  }
}

/** An app that was not allowed in. */
export class PageAccessDenial {
  constructor(
    private readonly deps: {
      readonly sessions: PageSessions;
      readonly tickets: PageTickets;
      readonly audit: Audit;
      readonly storage: Pick<Storage, 'commit'>;
    },
  ) {}

  /** The person has said no: the held login ends. */
  async deny({ client }: ClientRequest, id: string, asked: AskedByApp): Promise<void> {
    const found = await this.deps.sessions.find(id);
    if (found === undefined) return;
    await this.deps.tickets.cancel(id);
    await this.denied(client, found.session.binding.userId, asked);
  }

  /** The same after a factor alone, for which no login is held. */
  async denied(client: ClientAddress, userId: string, asked: AskedByApp): Promise<void> {
    const { storage, audit } = this.deps;
    const { clientId, deviceId } = asked;
    const record = audit.recorded({
      ...{ event: 'oauth.denied', userId, deviceId, client },
      detail: { client_id: clientId },
    });
    const denying =
      'idHash' in asked ? when(denyDeviceGrant(asked.idHash, userId), { won: record, lost: [] }) : record;
    await storage.commit([userId], denying);
  }
}

function givenOf(given: { readonly code: string | undefined } | undefined): AccessGiven {
  return given === undefined ? { is: 'changed' } : { is: 'given', code: given.code };
}
