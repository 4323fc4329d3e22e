import type { DecidingOperator, RecoveryEndings } from '../account_recovery/endings.ts';
import { listedRecovery } from '../account_recovery/status.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Grounds } from '../rescue/help.ts';
import type { Write } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import {
  findRunningRecovery,
  listRecoveries,
  listRecoveriesOf,
  type SeenRecovery,
} from '../storage/tables/recovery_requests.ts';

/** What operators do about account recoveries. */
export interface RecoveryHandlersDeps {
  readonly storage: Pick<Storage, 'read'>;
  readonly endings: RecoveryEndings;
  /** How long a request that is approved stays open. */
  readonly claimWindowMs: number;
}

/** Who decides, why, and what keeps the answer for an equal request. */
export interface RecoveryDecision {
  readonly userId: string;
  readonly by: string;
  readonly grounds: Grounds;
  readonly kept: (answer: JsonObject) => Write;
}

/** `GET recovery_requests`, `GET users/{id}/recovery_requests`, and the decisions. Each throws Refusal. */
export class RecoveryHandlers {
  constructor(private readonly deps: RecoveryHandlersDeps) {}

  /** @param running only those that run */
  async list(running: boolean, limit: number): Promise<JsonObject> {
    return shown(await this.deps.storage.read(listRecoveries(running, limit)));
  }

  async ofUser(userId: string): Promise<JsonObject> {
    return shown(await this.deps.storage.read(listRecoveriesOf(userId)));
  }

  /** @throws Refusal unknown_recovery if none waits */
  approve(decision: RecoveryDecision): Promise<JsonObject> {
    const { endings, claimWindowMs } = this.deps;
    return this.decide(decision, (request, by, also) => endings.approve(request, by, claimWindowMs, also));
  }

  /** @throws Refusal unknown_recovery if none runs */
  deny(decision: RecoveryDecision): Promise<JsonObject> {
    return this.decide(decision, (request, by, also) => this.deps.endings.deny(request, by, also));
  }

  private async decide(
    { userId, by, grounds, kept }: RecoveryDecision,
    act: (request: SeenRecovery, by: DecidingOperator, also: Write) => Promise<boolean>,
  ): Promise<JsonObject> {
    const [request] = await this.deps.storage.read(findRunningRecovery(userId));
    if (request === undefined) throw new Refusal('unknown_recovery');
    const answer = { id: request.id };
    if (!(await act(request, { grounds, who: by, by }, kept(answer)))) throw new Refusal('unknown_recovery');
    return answer;
  }
}

function shown(requests: readonly SeenRecovery[]): JsonObject {
  return { requests: requests.map((request): JsonObject => ({ ...listedRecovery(request) })) };
}
