import type { Factors } from '../factors/factors.ts';
import type { ClientRequest } from '../http/client_request.ts';
import {
  type Flow,
  isSecondFactorStage,
  type JsonObject,
  PASSWORD_STAGE,
  type SecondFactorStage,
  SSO_STAGE,
} from '../matrix/wire.ts';
import type { Caller } from '../second_factor/caller.ts';
import type { OfferedWays } from '../second_factor/challenge_answer.ts';
import type { Requirement } from '../second_factor/own_action.ts';
import type { Standings } from '../second_factor/standing.ts';
import type { CallingPage } from '../second_factor/step_ups.ts';
import { hashToken } from '../system/token_hash.ts';
import type { UiaEngine } from '../uia/engine.ts';
import { type PresentedAuth, withoutAuth } from '../uia/presented_auth.ts';
import { isSatisfied, type Session, type SessionBinding } from '../uia/session.ts';

/** A request of a token's owner that needs a proof. */
export interface OwnedRequest {
  readonly request: ClientRequest;
  readonly caller: Caller;
  /** The whole body, `auth` included. */
  readonly body: JsonObject;
  readonly requirement: Requirement;
  /**
   * What goes with the second factor. `provider`: the account has no password, and the homeserver's own single sign-on
   * says on our page who it is. `none`: it has none, and nothing goes with the factor. Left out: the password.
   */
  readonly first?: 'provider' | 'none' | undefined;
  /** Whether it can be proven on our page alone: an OAuth client knows no other way. */
  readonly onPage?: true | undefined;
  /** Whether a recovery code does not count for it. */
  readonly withoutBackup?: boolean;
  /** The account page, where the request came from one. */
  readonly page?: CallingPage | undefined;
  /**
   * Checks what the request is about, without `auth`, before it is bound to a session: no code is spent, and no page
   * asks for an approval, of something that cannot be done. Throws Refusal bad_json.
   */
  readonly requireSound: (body: JsonObject) => void;
}

export interface SessionOfRequestDeps {
  readonly engine: UiaEngine;
  readonly secondFactors: Factors;
  readonly standings: Pick<Standings, 'ofFactor'>;
  readonly ways: OfferedWays;
}

/** Finds or opens the session of a request. */
export class SessionOfRequest {
  constructor(
    private readonly deps: SessionOfRequestDeps,
    private readonly owned: OwnedRequest,
  ) {}

  /**
   * The session that this request is about. One without `auth` gets the one it had before; one that names a
   * session that is gone gets a new one and must begin there; a one-shot has one of its own, so that it never
   * rides on what another request has proven.
   */
  async for(auth: PresentedAuth | undefined): Promise<{ session: Session; isNew: boolean }> {
    const { body, requirement, requireSound } = this.owned;
    const rest = withoutAuth(body);
    if (auth === undefined) {
      const before = await this.deps.engine.again(this.binding(), rest);
      const usable =
        before !== undefined && this.fits(before, requirement) && (await this.offersAll(before, requirement));
      return { session: usable ? before : await this.open(rest, requirement), isNew: true };
    }
    if (auth.session === undefined) return { session: await this.open(rest, requirement), isNew: false };
    const named = await this.deps.engine.resume(this.binding(), auth.session, rest, requireSound);
    if (named !== undefined && this.fits(named, requirement)) return { session: named, isNew: false };
    return { session: await this.open(named?.body ?? rest, requirement), isNew: true };
  }

  /** @throws Refusal bad_json if `body` is not sound (attacks 148, 149) */
  async open(body: JsonObject, requirement: Requirement): Promise<Session> {
    const { request, caller, requireSound } = this.owned;
    requireSound(body);
    return this.deps.engine.open(this.binding(), {
      flows: await this.flowsFor(requirement),
      body,
      client: request.client,
      deviceId: caller.owner.deviceId,
      token: this.hasPage ? caller.token : undefined,
    });
  }

  /** A session in which nothing is done makes way for one with a factor that the user has got since. */
  private async offersAll({ completed, flows }: Session, requirement: Requirement): Promise<boolean> {
    if (completed.length > 0) return true;
    const wanted = await this.flowsFor(requirement);
    return wanted.every(([first]) => flows.some((flow) => flow[0] === first));
  }

  /** The single-stage `m.login.sso` stands first: some clients know or take no other (docs/clients.md). */
  private async flowsFor(requirement: Requirement): Promise<Flow[]> {
    const first = this.firstStages();
    if (requirement === 'stepped_up') return [first];
    const pages: Flow[] = this.hasPage ? [[SSO_STAGE]] : [];
    if (requirement !== 'two_factor') return this.owned.first === undefined ? [...pages, first] : pages;
    const stages = (await this.available()).filter((stage) => !this.isRefused(stage));
    return [...pages, ...stages.map((stage) => [stage, ...first])];
  }

  private get hasPage(): boolean {
    return this.deps.ways.pages || this.owned.onPage === true;
  }

  private firstStages(): Flow {
    if (this.owned.first === 'none') return [];
    return [this.owned.first === 'provider' ? SSO_STAGE : PASSWORD_STAGE];
  }

  private async available(): Promise<SecondFactorStage[]> {
    const { userId } = this.owned.caller.owner;
    const owing = await this.deps.standings.ofFactor(userId);
    return owing === undefined ? [] : this.deps.secondFactors.stagesOf(userId, owing.enrolled);
  }

  private fits(session: Session, requirement: Requirement): boolean {
    const stages = session.flows.flat();
    return meets(session, requirement) && !stages.some((stage) => this.isRefused(stage));
  }

  private isRefused(stage: string): boolean {
    return this.owned.withoutBackup === true && this.deps.secondFactors.ofStage(stage)?.role === 'backup';
  }

  private binding(): SessionBinding {
    const { request, caller } = this.owned;
    const target = `${request.method} ${request.path}${request.search}`;
    return { target, userId: caller.owner.userId, tokenHash: hashToken(caller.token) };
  }
}

/** Nothing is left to prove. The page of single sign-on alone is never enough where a second factor is required. */
export function isProven({ flows, completed }: Session, requirement: Requirement): boolean {
  const lacksFactor = requirement === 'two_factor' && !completed.some(isSecondFactorStage);
  return isSatisfied(flows, completed) && !lacksFactor;
}

/**
 * Whether what a session asks for is enough for what is required now: 2FA may have been turned on since, or the step-up
 * that it was begun under has ended. One that asks for more stays as it was begun.
 */
function meets({ flows }: Session, requirement: Requirement): boolean {
  if (requirement !== 'two_factor') return true;
  // The page alone is offered to an account without a password while 2FA is off, and under a step-up.
  const isPageAlone = flows.length === 1 && flows[0]?.[0] === SSO_STAGE;
  return !isPageAlone && !flows.some((flow) => flow[0] === PASSWORD_STAGE);
}

/**
 * Sessions under a step-up are the only ones that ask for the password and nothing else, not even offer a page; those of
 * accounts without a password ask for single sign-on in its place.
 */
export function isBegunUnderStepUp({ flows }: Session): boolean {
  const [only] = flows;
  const first = only?.length === 1 ? only[0] : undefined;
  return flows.length === 1 && (first === PASSWORD_STAGE || first === SSO_STAGE);
}
