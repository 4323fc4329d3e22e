import type { FactorEvent } from '../audit/events.ts';
import type { Detail } from '../factors/factor.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { JsonObject } from '../matrix/wire.ts';
import { type Caller, requireCaller } from '../second_factor/caller.ts';
import type { Confirmation } from '../storage/tables/factor_changes.ts';
import type { FactorStore } from '../storage/tables/factors.ts';
import { hashToken } from '../system/token_hash.ts';
import type { AccountDeps } from './account_deps.ts';
import { removalsOf } from './authenticator_removal.ts';
import { type ReadyConfirmation, requireFactorOfPath, type SettableFactor, type SetUps } from './set_ups.ts';

/**
 * `POST /account/two-factor/{kind}/confirm`: the first proof turns a set-up into an authenticator, and is spent (attack
 * 76). New recovery codes are shown now and never again.
 */
export class SetUpConfirmation {
  constructor(
    private readonly deps: Pick<AccountDeps, 'factors' | 'homeserver' | 'store' | 'audit' | 'stepUps'>,
    private readonly setUps: SetUps,
  ) {}

  /**
   * @throws Refusal missing_param if there is no code; unknown_setup, wrong_setup_code, codes_required; limit_exceeded
   *   if it is being confirmed, or hashes wait
   */
  async handle(request: ClientRequest): Promise<Answer> {
    const settable = requireFactorOfPath(this.deps.factors, request);
    const { setupId, proof } = settable.setUp.read(request.body);
    const caller = await requireCaller(this.deps.homeserver, request);
    const { owner, token } = caller;
    const setup = await this.setUps.require(setupId, { userId: owner.userId, begunBy: hashToken(token) });
    if (setup.kind !== settable.factor.kind) throw new Refusal('unknown_setup');
    const codes = wantedCodes(request.body);
    return this.setUps.confirm(setup, settable, { proof, codes }, (ready) =>
      this.activate(request, caller, settable, ready),
    );
  }

  private async activate(
    request: ClientRequest,
    caller: Caller,
    { factor }: SettableFactor,
    ready: ReadyConfirmation,
  ): Promise<Answer> {
    const { confirmation, shown } = ready;
    const { userId, authenticatorId } = confirmation;
    const { owner } = caller;
    const entry = (event: FactorEvent, detail: Detail) =>
      this.deps.audit.recorded({ userId, event, client: request.client, deviceId: owner.deviceId, detail });
    const losesCodes = await willLoseCodes(this.deps.store, confirmation);
    const recorded = eventsOf(ready, factor.kind, losesCodes).map(({ event, detail }) =>
      entry(event, detail),
    );
    const page = await this.deps.stepUps.pageOf(request, caller);
    const also = [recorded, this.deps.stepUps.kept(page)];
    if (!(await this.deps.store.activate(confirmation, also))) throw new Refusal('unknown_setup');
    await this.setUps.added(userId, request.client);
    return { status: 200, body: { authenticator_id: authenticatorId, recovery_codes: [...shown] } };
  }
}

/** Whether a confirmation takes recovery codes away and makes none. The store is asked only where it could. */
export async function willLoseCodes(
  store: Pick<FactorStore, 'recoverySet'>,
  { userId, wasOn, recovery }: Confirmation,
): Promise<boolean> {
  return wasOn && recovery === 'none' && (await store.recoverySet(userId)) !== undefined;
}

/** What goes on record of a confirmation: what came, what it replaced, and what became of the recovery codes. */
export function eventsOf(
  { confirmation, replaced, shown }: ReadyConfirmation,
  kind: string,
  losesCodes: boolean,
): { readonly event: FactorEvent; readonly detail: Detail }[] {
  const { authenticatorId, wasOn } = confirmation;
  const came = `${kind}.${wasOn ? 'added' : 'enabled'}` as const;
  const removals = removalsOf(replaced).map((gone) => ({
    event: `${gone.kind}.removed` as const,
    detail: gone.detail,
  }));
  const codes: FactorEvent[] = wasOn && shown.length > 0 ? ['recovery.regenerated'] : [];
  if (losesCodes) codes.push('recovery.deleted');
  return [
    { event: came, detail: { authenticator: authenticatorId } },
    ...removals,
    ...codes.map((event) => ({ event, detail: {} })),
  ];
}

/** @throws Refusal bad_json */
function wantedCodes(body: JsonObject | undefined): boolean | undefined {
  const wanted = body?.recovery_codes;
  if (wanted === undefined || typeof wanted === 'boolean') return wanted;
  throw new Refusal('bad_json', { text: '`recovery_codes` must be true or false.' });
}
