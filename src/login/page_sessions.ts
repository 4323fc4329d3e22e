import type { Factors } from '../factors/factors.ts';
import type { ClientAddress } from '../http/client_request.ts';
import { type Flow, type JsonObject, RECOVERY_STAGE } from '../matrix/wire.ts';
import type { Challenges } from '../second_factor/challenges.ts';
import type { HeldLogins } from '../second_factor/held_logins.ts';
import type { OwedEnrolment } from '../second_factor/owed_enrolment.ts';
import type { Standings } from '../second_factor/standing.ts';
import type { FactorStore } from '../storage/tables/factors.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import type { UiaEngine } from '../uia/engine.ts';
import { isSatisfied, type Session } from '../uia/session.ts';
import type { PageStanding } from './page_door.ts';

/** What sessions of the page are for: no client can go on with one, and no fallback page. */
const TARGET = 'page /_2fa/login';

/** A sign-in of the page that the homeserver has granted. */
export interface PageOpening {
  readonly client: ClientAddress;
  readonly hold: HeldLogin;
  /** The login type that the homeserver judged. */
  readonly proven: string;
  readonly redirectUrl: string;
  /** The identity provider of the homeserver that the person came by. */
  readonly provider?: string;
  readonly password?: string;
}

/** A live session of the page. `hold` is undefined where the person has to sign in again. */
export interface PageSession {
  readonly session: Session;
  readonly hold: HeldLogin | undefined;
}

/** The sessions of the sign-in page, and where a person stands in one. */
export class PageSessions {
  constructor(
    private readonly deps: {
      readonly engine: UiaEngine;
      readonly holds: HeldLogins;
      readonly standings: Standings;
      readonly secondFactors: Factors;
      readonly challenges: Challenges;
      readonly factors: FactorStore;
      readonly enrolment: OwedEnrolment;
    },
  ) {}

  /** Opens the session of a sign-in: a user with 2FA brings a code in it. */
  async open({ client, hold, proven, redirectUrl, provider, password }: PageOpening): Promise<PageStanding> {
    const { userId } = hold;
    const standing = await this.deps.standings.of(userId);
    if (standing.is === 'owes_enrolment') throw this.deps.enrolment.owed(standing);
    const enrolled = standing.is === 'owes_factor';
    const stages = enrolled ? await this.deps.secondFactors.stagesOf(userId) : [];
    const withCode = stages.map((stage): Flow => [proven, stage]);
    const body: JsonObject = {
      redirect_url: redirectUrl,
      ...(provider === undefined ? {} : { provider }),
    };
    const session = await this.deps.engine.open(
      { target: TARGET, userId, tokenHash: null },
      {
        flows: enrolled ? withCode : [[proven]],
        completed: [proven],
        body,
        holdId: hold.id,
        version: enrolled ? standing.version : undefined,
        password,
        client,
        endsAt: hold.expiresAt,
      },
    );
    return this.standing(session);
  }

  /** Undefined if there is none, or there is nothing left with which it could go on. */
  async find(id: string): Promise<PageSession | undefined> {
    const session = await this.withoutHold(id);
    if (session === undefined || session.holdId === null) return undefined;
    const hold = await this.deps.holds.find(session.holdId);
    return hold === undefined && session.password === undefined ? undefined : { session, hold };
  }

  /** The live session of the page, whatever became of its held login. */
  async withoutHold(id: string): Promise<Session | undefined> {
    const session = await this.deps.engine.find(id);
    return session?.binding.target === TARGET ? session : undefined;
  }

  async standing(session: Session): Promise<PageStanding> {
    const { userId } = session.binding;
    return {
      id: session.id,
      userId,
      redirectUrl: redirectUrlOf(session),
      provider: providerOf(session),
      codeWanted: !isSatisfied(session.flows, session.completed),
      kinds: this.deps.challenges.kindsIn(session),
      asked: await this.deps.challenges.of(session),
      recoveryCodesLeft: session.completed.includes(RECOVERY_STAGE)
        ? await this.recoveryCodesLeft(userId)
        : undefined,
    };
  }

  private async recoveryCodesLeft(userId: string): Promise<number> {
    const set = await this.deps.factors.recoverySet(userId);
    return set?.codes.filter((code) => code.usedAt === null).length ?? 0;
  }
}

export function redirectUrlOf({ body }: Session): string {
  return String(body?.redirect_url);
}

export function providerOf({ body }: Session): string | undefined {
  return typeof body?.provider === 'string' ? body.provider : undefined;
}
