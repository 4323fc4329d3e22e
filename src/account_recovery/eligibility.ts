import type { Config } from '../config/config.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import { Refusal } from '../matrix/refusals.ts';
import { isNamedAdministrator } from '../policy/known_policy.ts';
import type { Policies } from '../policy/policies.ts';
import type { Standings } from '../second_factor/standing.ts';
import type { Storage } from '../storage/storage.ts';
import { findPolicy, rememberAdministrator } from '../storage/tables/policies.ts';
import type { RecoveringUser } from './seams.ts';

/** Whose account may be recovered: asked only after the right password, so that it tells others nothing. */
export class Eligibility {
  constructor(
    private readonly deps: {
      readonly storage: Pick<Storage, 'read' | 'commit'>;
      readonly policies: Policies;
      readonly standings: Standings;
      readonly homeserver: Homeserver;
      readonly config: Pick<Config, 'policy' | 'accountRecovery'>;
    },
  ) {}

  /** @throws Refusal not_enrolled, recovery_forbidden */
  async require(user: RecoveringUser): Promise<void> {
    const { policies, standings, config } = this.deps;
    if ((await standings.ofFactor(user.userId)) === undefined) throw new Refusal('not_enrolled');
    const { accountRecovery } = await policies.of(user.userId);
    if (accountRecovery.value === 'forbidden') throw new Refusal('recovery_forbidden');
    if (!config.accountRecovery.administrators && (await this.isAdministrator(user))) {
      throw new Refusal('recovery_forbidden');
    }
  }

  /**
   * Whether the user is an administrator: the operator names them, or the homeserver says so. Where it does not
   * answer, its last word counts; without any the user counts as one.
   */
  private async isAdministrator({ userId, grant, client }: RecoveringUser): Promise<boolean> {
    const { homeserver, storage, config } = this.deps;
    if (isNamedAdministrator(config.policy, userId)) return true;
    if (!config.policy.administrators.detect) return false;
    const said = await grant.witness(homeserver, client, true).isAdministrator();
    const [known] = await storage.read(findPolicy(userId));
    if (said === undefined) return known?.isAdministrator !== 0;
    if (Number(said) !== known?.isAdministrator)
      await storage.commit([userId], rememberAdministrator(userId, said));
    return said;
  }
}
