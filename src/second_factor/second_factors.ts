import type { Factors } from '../factors/factors.ts';
import type { SecondFactorStage } from '../matrix/wire.ts';
import type { FactorStore } from '../storage/tables/factors.ts';

/** What the doors ask of second factors: who has one, and which stages they can use. */
export class SecondFactors {
  constructor(
    private readonly store: FactorStore,
    private readonly factors: Factors,
  ) {}

  isEnrolled(userId: string): Promise<boolean> {
    return this.store.isEnrolled(userId);
  }

  /** The stages of all factors that there are. */
  stages(): SecondFactorStage[] {
    return this.factors.all.map(({ stage }) => stage);
  }

  /** The stages that this user can use now. */
  available(userId: string): Promise<SecondFactorStage[]> {
    return this.factors.stagesOf(userId);
  }
}
