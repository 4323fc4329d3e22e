import type { DecidingOperator, RecoveryEndings } from '../account_recovery/endings.ts';
import { listedRecovery } from '../account_recovery/status.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Write } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import {
  findRunningRecovery,
  listRecoveries,
  listRecoveriesOf,
  type SeenRecovery,
} from '../storage/tables/recovery_requests.ts';
import { type AdminHandler, type AdminRequest, groundsIn } from './handlers.ts';
import type { RecoveryRouteId } from './routes.ts';

/** What operators do about account recoveries. */
export interface RecoveryHandlersDeps {
  readonly storage: Pick<Storage, 'read'>;
  readonly endings: RecoveryEndings;
  /** How long a request that is approved stays open. */
  readonly claimWindowMs: number;
}

type Act = (request: SeenRecovery, by: DecidingOperator, also: Write) => Promise<boolean>;

/** `GET recovery_requests`, `GET users/{id}/recovery_requests`, and the decisions. Each throws Refusal. */
export function recoveryHandlers(
  deps: RecoveryHandlersDeps,
): Readonly<Record<RecoveryRouteId, AdminHandler>> {
  const { storage, endings, claimWindowMs } = deps;
  return {
    listRecoveries: async ({ query }) =>
      shown(await storage.read(listRecoveries(query.running === true, Number(query.limit)))),
    showRecoveries: async ({ id: userId }) => shown(await storage.read(listRecoveriesOf(userId))),
    approveRecovery: (asked) =>
      decide(storage, asked, (request, by, also) => endings.approve(request, by, claimWindowMs, also)),
    denyRecovery: (asked) => decide(storage, asked, (request, by, also) => endings.deny(request, by, also)),
  };
}

/** @throws Refusal unknown_recovery if none waits, or runs */
async function decide(
  storage: Pick<Storage, 'read'>,
  { id: userId, body, by, kept }: AdminRequest,
  act: Act,
): Promise<JsonObject> {
  const [request] = await storage.read(findRunningRecovery(userId));
  if (request === undefined) throw new Refusal('unknown_recovery');
  const answer = { id: request.id };
  const operator = { grounds: groundsIn(body), who: by, by };
  if (!(await act(request, operator, kept(answer)))) throw new Refusal('unknown_recovery');
  return answer;
}

function shown(requests: readonly SeenRecovery[]): JsonObject {
  return { requests: requests.map((request): JsonObject => ({ ...listedRecovery(request) })) };
}
