import type { Factors } from '../factors/factors.ts';
import type { ClientAddress } from '../http/client_request.ts';
import {
  ENROLMENT_STAGE,
  type Flow,
  isSecondFactorStage,
  type JsonObject,
  RECOVERY_STAGE,
} from '../matrix/wire.ts';
import type { Challenges } from '../second_factor/challenges.ts';
import type { HeldLogins } from '../second_factor/held_logins.ts';
import { enrolmentFlows } from '../second_factor/owed_enrolment.ts';
import { owes, type Standing, type Standings } from '../second_factor/standing.ts';
import type { Storage } from '../storage/storage.ts';
import { findVersion } from '../storage/tables/accounts.ts';
import type { FactorStore } from '../storage/tables/factors.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import { codesLeftIn } from '../storage/tables/recovery_sets.ts';
import type { UiaEngine } from '../uia/engine.ts';
import { nextStages, type Session } from '../uia/session.ts';
import type { PageSetUp, PageStanding } from './page_standing.ts';

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
      readonly storage: Pick<Storage, 'read'>;
    },
  ) {}

  /** Opens the session of a sign-in: a user with 2FA brings a code in it. */
  async open({ client, hold, proven, redirectUrl, provider, password }: PageOpening): Promise<Session> {
    const { userId } = hold;
    const standing = await this.deps.standings.of(userId);
    const body: JsonObject = {
      redirect_url: redirectUrl,
      ...(provider === undefined ? {} : { provider }),
    };
    return this.deps.engine.open(
      { target: TARGET, userId, tokenHash: null },
      {
        flows: await this.flowsOf(userId, proven, standing),
        completed: [proven],
        body,
        holdId: hold.id,
        version: owes(standing) ? standing.version : undefined,
        password,
        client,
        endsAt: hold.expiresAt,
      },
    );
  }

  private async flowsOf(userId: string, proven: string, standing: Standing): Promise<readonly Flow[]> {
    if (standing.is === 'owes_enrolment') return enrolmentFlows([proven]);
    if (standing.is !== 'owes_factor') return [[proven]];
    const stages = await this.deps.secondFactors.stagesOf(userId, standing.enrolled);
    return stages.map((stage): Flow => [proven, stage]);
  }

  /**
   * The same sign-in of a user in their grace, in which a factor is set up before it goes on. Undefined if that is not
   * offered to them, or their held login is gone.
   */
  async withSetUp(client: ClientAddress, id: string): Promise<Session | undefined> {
    const found = await this.find(id);
    if (found?.hold === undefined) return undefined;
    const { hold, session } = found;
    const { userId } = hold;
    if ((await this.deps.standings.of(userId)).is !== 'in_grace') return undefined;
    return this.deps.engine.open(session.binding, {
      flows: enrolmentFlows(session.completed),
      completed: session.completed,
      body: session.body,
      holdId: hold.id,
      version: await this.versionOf(userId),
      password: session.password,
      client,
      endsAt: hold.expiresAt,
    });
  }

  /** Undefined if there is none, or there is nothing left with which it could go on. */
  async find(id: string): Promise<PageSession | undefined> {
    const session = await this.withoutHold(id);
    if (session === undefined || session.holdId === null) return undefined;
    const hold = session.held;
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
      version: await this.versionOf(userId),
      endsAt: session.expiresAt,
      redirectUrl: redirectUrlOf(session),
      provider: providerOf(session),
      codeWanted: nextStages(session.flows, session.completed).some((stage) => stage !== ENROLMENT_STAGE),
      setUp: await this.setUpOf(session),
      factors: this.deps.challenges.nextIn(session),
      asked: await this.deps.challenges.of(session),
      recoveryCodesLeft: session.completed.includes(RECOVERY_STAGE)
        ? await this.recoveryCodesLeft(userId)
        : undefined,
      mayTurnOn: await this.mayTurnOn(session),
    };
  }

  /** The version of an account as it is now. */
  async versionOf(userId: string): Promise<number> {
    const [account] = await this.deps.storage.read(findVersion(userId));
    return account?.version ?? 0;
  }

  private async mayTurnOn(session: Session): Promise<boolean> {
    if (providerOf(session) !== undefined || session.completed.some(isSecondFactorStage)) return false;
    const { is } = await this.deps.standings.of(session.binding.userId);
    return is === 'passes' || is === 'in_grace';
  }

  /** Whether a factor is to be set up before the sign-in goes on, or may be. */
  private async setUpOf({ binding, flows, completed }: Session): Promise<PageSetUp | undefined> {
    const isWanted = nextStages(flows, completed).includes(ENROLMENT_STAGE);
    if (!isWanted && completed.some(isSecondFactorStage)) return undefined;
    if (isWanted) return { is: 'wanted' };
    const standing = await this.deps.standings.of(binding.userId);
    return standing.is === 'in_grace' && standing.deadlineTs !== undefined
      ? { is: 'offered', deadlineTs: standing.deadlineTs }
      : undefined;
  }

  private async recoveryCodesLeft(userId: string): Promise<number> {
    const set = await this.deps.factors.recoverySet(userId);
    return set === undefined ? 0 : codesLeftIn(set);
  }
}

export function redirectUrlOf({ body }: Session): string {
  return String(body?.redirect_url);
}

export function providerOf({ body }: Session): string | undefined {
  return typeof body?.provider === 'string' ? body.provider : undefined;
}
