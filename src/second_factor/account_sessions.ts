import type { Homeserver } from '../homeserver/homeserver.ts';
import type { ClientAddress, ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { ENROLMENT_STAGE, OWN_STAGES, RECOVERY_STAGE } from '../matrix/wire.ts';
import type { Write } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import {
  addPageKey,
  endPageSession,
  keepPageSession,
  type PageSession,
  usePageSession,
} from '../storage/tables/page_sessions.ts';
import { codesLeftIn } from '../storage/tables/recovery_sets.ts';
import { MINUTE } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { hashToken } from '../system/token_hash.ts';
import type { Vault } from '../vault/vault.ts';
import type { Exit } from './exit.ts';
import { type Grant, openToken, type ReleasingProof } from './grant.ts';
import type { HeldLogins } from './held_logins.ts';
import { hasPageKey, type PageSessionShown, shownBy } from './page_shown.ts';
import type { FactorTokenClaimed } from './passes.ts';
import type { Taker } from './taker.ts';

const SECRET_BITS = 256;
/** In place of a factor, where one was set up. */
const SET_UP = ENROLMENT_STAGE.slice(OWN_STAGES.length);
const RECOVERY = RECOVERY_STAGE.slice(OWN_STAGES.length);
/** How long a recovery code stands for replacing the authenticator, where no factor stands for anything else. */
const REPLACEMENT_MS = 10 * MINUTE;

export interface AccountSessionSettings {
  readonly stepUpMs: number;
  readonly idleMs: number;
  readonly lifetimeMs: number;
}

/** A sign-in on the account page with nothing left to prove. */
export interface PassedEntry {
  readonly held: HeldLogin;
  readonly proof: ReleasingProof;
  /** The kind of the factor that was given; undefined where the account has none. */
  readonly factor: string | undefined;
  /** What the device is called from now on. */
  readonly deviceName: string;
}

interface NewPageSession {
  readonly cookie: string;
  /** The kind of the factor that was given. */
  readonly factor: string | null;
  /** How long the token of its login has lived. */
  readonly heldMs: number;
}

/** What the page is told of its session, with its token. */
export interface OpenedPageSession {
  readonly session: PageSession;
  readonly accessToken: string;
  readonly pageKey: string;
  /** Recovery codes that are left; null where there is no set. */
  readonly codesLeft: number | null;
}

export interface AccountSessionsDeps {
  readonly storage: Storage;
  readonly vault: Vault;
  readonly homeserver: Homeserver;
  readonly exit: Exit;
  readonly holds: HeldLogins;
  readonly random: RandomSource;
  readonly settings: AccountSessionSettings;
}

/**
 * The sessions of the account page (docs/security_model.md): the token of a sign-in there stays sealed, for the page
 * that brings the cookie. Each call of the page lets it live on; what has ended is logged out by the next sweep (R10).
 */
export class AccountSessions {
  constructor(private readonly deps: AccountSessionsDeps) {}

  /** The value of the cookie, for exactly one caller; undefined if another one took the held login, or it ended. */
  async enter(request: ClientRequest, { held, ...passed }: PassedEntry): Promise<string | undefined> {
    const { random, exit, homeserver, holds } = this.deps;
    const { client } = request;
    const cookie = randomId(random, SECRET_BITS);
    const factor = await this.kindOf(held.userId, passed.factor);
    await holds.open(held).grant.nameDevice(homeserver, passed.deviceName, client);
    const entered = await exit.enter(held, passed.proof, takerBy(client), (grant, heldMs) =>
      this.keeping(grant, { cookie, factor, heldMs }),
    );
    return entered ? cookie : undefined;
  }

  /** The same for a login that was just made for a factor alone; undefined if factors or password were changed meanwhile. */
  async enterAlone(
    { client }: ClientRequest,
    grant: Grant,
    proof: FactorTokenClaimed,
  ): Promise<string | undefined> {
    const cookie = randomId(this.deps.random, SECRET_BITS);
    const keep = this.keeping(grant, { cookie, factor: proof.kind, heldMs: 0 });
    return (await this.deps.exit.enterAlone(grant, proof, takerBy(client), keep)) ? cookie : undefined;
  }

  private keeping(grant: Grant, { cookie, factor, heldMs }: NewPageSession): Write {
    const { random, vault, settings } = this.deps;
    const { userId, deviceId = null, tokenHash, expiresInMs = Number.POSITIVE_INFINITY } = grant;
    const id = randomId(random);
    return keepPageSession({
      ...{ id, cookieHash: hashToken(cookie), userId, deviceId, tokenHash, factor },
      sealedToken: grant.sealToken(vault, 'page-session', { id, userId }),
      lifetimeMs: Math.min(settings.lifetimeMs, expiresInMs - heldMs),
      idleMs: settings.idleMs,
      stepUpMs: this.stepUpMs(factor),
    });
  }

  /**
   * Lets the session of this cookie live on, and answers what its page needs. Undefined if it has ended: here, or at the
   * homeserver.
   * @param pageKey the key that the page has from an earlier call; without one it gets a key
   * @throws Refusal if the homeserver could not say whose the token is
   */
  async call(
    request: ClientRequest,
    cookie: string,
    pageKey: string | undefined,
  ): Promise<OpenedPageSession | undefined> {
    const { storage, vault, exit, settings } = this.deps;
    const cookieHash = hashToken(cookie);
    const session = await storage.commit([], usePageSession(cookieHash, settings.idleMs));
    if (session === undefined) return undefined;
    request.client.record?.isOf(session.userId, session.deviceId);
    const grant = openToken(vault, 'page-session', session);
    const shown = await this.shownIn(request, session, grant);
    if (shown === undefined) {
      await this.end(cookie);
      return undefined;
    }
    const key = await this.keyFor(session, pageKey);
    if (key === undefined) return undefined;
    const accessToken = exit.tokenFor(grant, shown);
    return { session, accessToken, pageKey: key, codesLeft: await this.codesLeft(session.userId) };
  }

  /** Signs out: the next sweep logs the token out. */
  async end(cookie: string): Promise<void> {
    await this.deps.storage.commit([], endPageSession(hashToken(cookie)));
  }

  /** Undefined if the homeserver does not know the token any more: its device was removed, or logged out. */
  private async shownIn(
    { client, signal }: ClientRequest,
    session: PageSession,
    grant: Grant,
  ): Promise<PageSessionShown | undefined> {
    try {
      return shownBy(session, await grant.askOwner(this.deps.homeserver, { client, signal }));
    } catch (error) {
      if (error instanceof Refusal && error.refusal === 'unknown_token') return undefined;
      throw error;
    }
  }

  /** The key that the page has, or a new one. Undefined if the session has ended meanwhile. */
  private async keyFor(session: PageSession, pageKey: string | undefined): Promise<string | undefined> {
    if (pageKey !== undefined && hasPageKey(session, pageKey)) return pageKey;
    const key = randomId(this.deps.random, SECRET_BITS);
    const added = await this.deps.storage.commit([], addPageKey(session.id, hashToken(key)));
    return added === undefined ? undefined : key;
  }

  private async codesLeft(userId: string): Promise<number | null> {
    const set = await this.deps.storage.factors.recoverySet(userId);
    return set === undefined ? null : codesLeftIn(set);
  }

  /** A lost authenticator is replaced by one recovery code, whatever else is asked for. */
  private stepUpMs(factor: string | null): number {
    const { stepUpMs } = this.deps.settings;
    if (factor === null) return 0;
    return stepUpMs === 0 && factor === RECOVERY ? REPLACEMENT_MS : stepUpMs;
  }

  /** A factor that was set up during the sign-in is the one that the user has. */
  private async kindOf(userId: string, factor: string | undefined): Promise<string | null> {
    if (factor !== SET_UP) return factor ?? null;
    const [authenticator] = await this.deps.storage.factors.authenticators(userId);
    return authenticator?.kind ?? null;
  }
}

function takerBy(client: ClientAddress): Taker {
  return { client, deviceId: undefined, passwordAsSent: undefined };
}
