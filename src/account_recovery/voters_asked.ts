import type { AccountRecoveryConfig, NotifyConfig } from '../config/config.ts';
import { ASK_VOTER, voteIdentity } from '../notify/vote_request.ts';
import type { Standings } from '../second_factor/standing.ts';
import type { Write } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { addNotice } from '../storage/tables/notices.ts';
import { type AskedVoter, askVoter } from '../storage/tables/recovery_votes.ts';
import type { Clock } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { hashToken } from '../system/token_hash.ts';
import type { Vault } from '../vault/vault.ts';
import { findContactList } from './contact_list.ts';
import type { RecoveryName } from './seams.ts';
import { countingVoters } from './voters.ts';

export interface VotersAskedDeps {
  readonly storage: Pick<Storage, 'read'>;
  readonly vault: Vault;
  readonly random: RandomSource;
  readonly clock: Clock;
  readonly standings: Pick<Standings, 'ofFactor'>;
  /** As it is now: it may be read again while `serve` runs. */
  readonly notify: () => NotifyConfig;
  readonly settings: Pick<AccountRecoveryConfig, 'votes'>;
}

/** Asks those whom an owner has named, when a recovery begins. */
export class VotersAsked {
  constructor(private readonly deps: VotersAskedDeps) {}

  /** What freezes the list and asks each, in the unit that begins the request. @throws SealBroken */
  async asking(request: RecoveryName): Promise<readonly Write[]> {
    const { votes } = this.deps.settings;
    if (!votes.enabled) return [];
    const { voters } = await findContactList(request.userId, this.deps);
    const counting = await countingVoters(
      { userId: request.userId, voters },
      { now: this.deps.clock.now(), nominationAgeMs: votes.nominationAgeMs },
      this.deps.standings,
    );
    return counting.flatMap((voter) => this.one(request, voter));
  }

  private one(request: RecoveryName, voter: string): readonly Write[] {
    const { random, vault, clock } = this.deps;
    const row = { id: randomId(random, 96), requestId: request.id, userId: request.userId, voter };
    const token = randomId(random);
    const asked: AskedVoter = {
      ...row,
      linkHash: hashToken(token),
      sealedLink: vault.seal(token, voteIdentity(row)),
    };
    const told = { event: ASK_VOTER, userId: voter, actor: 'system', address: null, deviceId: null };
    const notice = { ...told, detail: { vote: row.id }, happenedAt: clock.now() };
    const notices = this.channels().map((channel) => addNotice(randomId(random), channel, notice));
    return [askVoter(asked), ...notices];
  }

  private channels(): ('mail' | 'matrix')[] {
    const notify = this.deps.notify();
    return (['mail', 'matrix'] as const).filter((channel) => notify[channel] !== undefined);
  }
}
