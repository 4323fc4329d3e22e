import type { Audit } from '../audit/audit.ts';
import type { NamedEvent } from '../audit/events.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import type { ClientAddress } from '../http/client_request.ts';
import { type Write, when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import {
  type Ending,
  endOauthSession,
  endOauthSessionsOf,
  findAnyOauthSession,
  findOauthSession,
  findOauthSessionOfAccess,
  finishOauthLogout,
  listOauthSessions,
  type OauthSession,
  type SessionEnd,
} from '../storage/tables/oauth_sessions.ts';
import type { Log } from '../system/log.ts';
import { hashToken } from '../system/token_hash.ts';
import type { Vault } from '../vault/vault.ts';
import { type Grant, openToken } from './grant.ts';

export interface OAuthSessionsDeps {
  readonly storage: Pick<Storage, 'commit' | 'read'>;
  readonly vault: Vault;
  readonly homeserver: Homeserver;
  readonly audit: Audit;
  readonly log: Log;
}

/** After these the homeserver still has the login: it is to be logged out there. */
const LIVES_ON: readonly SessionEnd[] = ['revoked', 'refresh_reused', 'code_reused', 'operator'];

/** What is put on record besides, so that the owner is told: two clients have had these tokens. */
const REUSED: Partial<Record<SessionEnd, NamedEvent>> = {
  code_reused: 'oauth.code_reused',
  refresh_reused: 'oauth.refresh_reused',
};

/** Who asked for an end. */
export interface EndAsked {
  readonly client?: ClientAddress | undefined;
  /** Whether it was another client than the session's own. */
  readonly isForeign?: boolean;
}

/** The sessions of OAuth clients: which there are, and how they end. From its end on a session cannot be refreshed. */
export class OAuthSessions {
  constructor(private readonly deps: OAuthSessionsDeps) {}

  /** The live session with this access token. */
  async ofToken(token: string): Promise<OauthSession | undefined> {
    return (await this.deps.storage.read(findOauthSessionOfAccess(hashToken(token))))[0];
  }

  /** A session by its id, live or ended. */
  async find(sessionId: string): Promise<OauthSession | undefined> {
    return (await this.deps.storage.read(findOauthSession(sessionId)))[0];
  }

  /** Whether any user has one: logouts need not ask whose a token is where none has. */
  async areThere(): Promise<boolean> {
    return (await this.deps.storage.read(findAnyOauthSession())).length > 0;
  }

  /** Its login, closed. */
  grantOf({ sessionId: id, userId, sealedTokens }: OauthSession): Grant {
    if (sealedTokens === null) throw new Error('an OAuth session that is logged out has no login');
    return openToken(this.deps.vault, 'oauth-session', { id, userId, sealedToken: sealedTokens });
  }

  /** What else is answered with its tokens. */
  sealAnswer({ sessionId, userId }: Pick<OauthSession, 'sessionId' | 'userId'>, rest: object): Buffer {
    return this.deps.vault.seal(JSON.stringify(rest), `oauth-answer:${sessionId}:${userId}`);
  }

  openAnswer({ sessionId, userId, sealedAnswer }: OauthSession): string {
    if (sealedAnswer === null) throw new Error('an OAuth session that was never refreshed has no answer');
    return this.deps.vault.open(sealedAnswer, `oauth-answer:${sessionId}:${userId}`).toString();
  }

  /** Ends a session: false if it had ended before. Where the homeserver still has its login, `logOut` is to follow. */
  async end(session: OauthSession, because: SessionEnd, asked: EndAsked = {}): Promise<boolean> {
    const { won } = await this.deps.storage.commit([session.userId], this.ending(session, because, asked));
    return won;
  }

  /** Logs a session that was ended out at the homeserver. False if that could not be done now: the next sweep does it. */
  async logOut(session: OauthSession): Promise<boolean> {
    const { storage, homeserver, log } = this.deps;
    try {
      await this.grantOf(session).logOut(homeserver);
      await storage.commit([session.userId], finishOauthLogout(session.sessionId));
      return true;
    } catch (error) {
      log.warn({ err: error }, NOT_LOGGED_OUT);
      return false;
    }
  }

  /** The homeserver has logged this access token out. */
  async endOfToken(token: string): Promise<void> {
    const session = await this.ofToken(token);
    if (session !== undefined) await this.end(session, 'logout');
  }

  /** What follows where the homeserver has removed these devices of a user, in a unit that names them. */
  async endingOn(userId: string, deviceIds: readonly string[]): Promise<readonly Write[]> {
    const live = await this.deps.storage.read(listOauthSessions(userId));
    return live
      .filter(({ deviceId }) => deviceIds.includes(deviceId))
      .map((session) => this.ending(session, 'device_deleted'));
  }

  /** What ends all of a user, in a unit that names them. */
  async endingAll(userId: string, because: SessionEnd): Promise<Write> {
    const live = await this.deps.storage.read(listOauthSessions(userId));
    const each = live.map((session) => this.ending(session, because));
    // One that began meanwhile ends too.
    return [each, endOauthSessionsOf(userId, endingBy(because))];
  }

  private ending(
    { sessionId, userId, deviceId, clientId }: OauthSession,
    because: SessionEnd,
    { client, isForeign }: EndAsked = {},
  ) {
    const about = { userId, client, deviceId, detail: { client_id: clientId, cause: because } };
    const won: Write[] = [this.deps.audit.recorded({ ...about, event: 'oauth.session_ended' })];
    const reused = REUSED[because];
    if (reused !== undefined) won.push(this.deps.audit.recorded({ ...about, event: reused }));
    if (isForeign) won.push(this.deps.audit.recorded({ ...about, event: 'oauth.revoked_by_other' }));
    return when(endOauthSession(sessionId, endingBy(because)), { won, lost: [] });
  }
}

/** What the log says then. */
export const NOT_LOGGED_OUT = 'the login of an OAuth session that has ended could not be logged out yet';

function endingBy(because: SessionEnd): Ending {
  return { because, logout: LIVES_ON.includes(because) ? 'due' : 'needless' };
}
