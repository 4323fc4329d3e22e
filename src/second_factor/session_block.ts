import type { Homeserver } from '../homeserver/homeserver.ts';
import type { PassedRequest } from '../http/answer.ts';
import type { ClientAddress } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { Policies } from '../policy/policies.ts';
import { type Clock, MINUTE } from '../system/clock.ts';
import { hashToken } from '../system/token_hash.ts';
import type { AppserviceTokens } from './appservices.ts';
import type { OwedEnrolment } from './owed_enrolment.ts';
import type { Standings } from './standing.ts';
import { witnessBy } from './witness.ts';

/** How long the owner of a token is known without another question. */
const KNOWN_MS = MINUTE;
const MOST_KNOWN = 10_000;

/** What a session may do all the same: say whose it is, and what its owner needs to set a second factor up. */
const STAYS_OPEN =
  /^\/_matrix\/client\/(?:(?:api\/)?v1|r0|v3|unstable)\/(?:account\/whoami|auth\/[a-z][a-z0-9._]*\/fallback\/web)$/;

/** Whose a token is. Undefined: it opens nothing, as the homeserver will say itself. */
interface Owner {
  readonly userId: string;
  readonly isGuest: boolean;
  /** The homeserver has been asked what else the policy needs to know of them. */
  wasAsked: boolean;
}

interface KnownOwner {
  readonly owner: Promise<Owner | undefined>;
  readonly until: number;
}

export interface SessionBlockDeps {
  readonly homeserver: Homeserver;
  readonly policies: Policies;
  readonly standings: Standings;
  readonly appservices: AppserviceTokens;
  readonly enrolment: OwedEnrolment;
  readonly clock: Clock;
}

/**
 * With `after_grace: block` the sessions of a user who has to set up a second factor are refused, not only their
 * sign-ins. Whose a token is, is remembered for a minute; what they owe is looked up each time.
 */
export class SessionBlock {
  /** By the hash of the token, the oldest first. */
  private readonly known = new Map<string, KnownOwner>();

  constructor(private readonly deps: SessionBlockDeps) {}

  /** Undefined if there is nothing to look at. The promise is rejected if the request must not go on. */
  check(request: PassedRequest): Promise<void> | undefined {
    if (STAYS_OPEN.test(request.path)) return undefined;
    const shown = request.readToken();
    if (shown.kind === 'none') return undefined;
    return this.judge(request, shown);
  }

  /** @throws Refusal unknown_token where it is not plain which token a homeserver would take; owes_enrolment */
  private async judge(
    request: PassedRequest,
    shown: Exclude<ReturnType<PassedRequest['readToken']>, { kind: 'none' }>,
  ): Promise<void> {
    if (shown.kind === 'malformed') throw new Refusal('unknown_token');
    const { token } = shown;
    if (this.deps.appservices.isListed(token)) return;
    const client = request.readClient();
    const owner = await this.ownerOf(token, client);
    if (owner === undefined) return;
    const { userId, isGuest } = owner;
    const seen = { token, userId, client, isGuest, hasPassword: false, isSignIn: false };
    const witness = owner.wasAsked ? undefined : witnessBy(this.deps.homeserver, seen);
    const standing = await this.deps.standings.of(userId, witness);
    owner.wasAsked = true;
    if (standing.is !== 'owes_enrolment') return;
    const { afterGrace } = await this.deps.policies.of(userId);
    if (afterGrace.value === 'block') throw this.deps.enrolment.owed(standing);
  }

  private ownerOf(token: string, client: ClientAddress): Promise<Owner | undefined> {
    const hash = hashToken(token);
    const now = this.deps.clock.now();
    const known = this.known.get(hash);
    // A clock that was set back does not make it longer.
    if (known !== undefined && known.until > now && known.until - now <= KNOWN_MS) return known.owner;
    const owner = this.ask(token, client);
    this.known.delete(hash);
    this.known.set(hash, { owner, until: now + KNOWN_MS });
    // What was not answered is asked again.
    owner.catch(() => this.known.delete(hash));
    const [oldest] = this.known.keys();
    if (this.known.size > MOST_KNOWN && oldest !== undefined) this.known.delete(oldest);
    return owner;
  }

  private async ask(token: string, client: ClientAddress): Promise<Owner | undefined> {
    try {
      const { userId, isGuest } = await this.deps.homeserver.whoami(token, { client });
      return { userId, isGuest, wasAsked: false };
    } catch (error) {
      const isRefused =
        error instanceof Refusal && (error.refusal === 'unknown_token' || error.refusal === 'forbidden');
      if (isRefused) return undefined;
      throw error;
    }
  }
}
