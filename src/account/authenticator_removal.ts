import type { FactorDeed } from '../audit/events.ts';
import type { Detail, Factor } from '../factors/factor.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { Json } from '../matrix/wire.ts';
import type { OwnAction, ProvenRequest } from '../second_factor/own_action.ts';
import type { Authenticator } from '../storage/tables/authenticators.ts';
import type { AfterRemoval } from '../storage/tables/factor_changes.ts';
import type { AccountDeps } from './account_deps.ts';
import type { AccountPolicy } from './account_policy.ts';
import { requireFactorOfPath } from './set_ups.ts';

/**
 * `DELETE /account/two-factor/{kind}`: one authenticator of this kind by its id, or all of them; and
 * `DELETE /account/two-factor`: everything. The last one of any kind gone is 2FA off; as long as one stays, the recovery
 * codes do.
 */
export class AuthenticatorRemoval {
  constructor(
    private readonly deps: Pick<AccountDeps, 'factors' | 'standings' | 'store' | 'audit'>,
    private readonly policy: AccountPolicy,
  ) {}

  /** What a request asks for. @throws Refusal if its path names no factor that can be removed */
  of(request: ClientRequest): OwnAction {
    const { factor } = requireFactorOfPath(this.deps.factors, request);
    return {
      shape: 'removal_request',
      requirementFor: async ({ owner }, body) => {
        await this.requireThere(factor, owner.userId, body.authenticator_id);
        return 'two_factor';
      },
      carryOut: (proven) => this.remove(factor, proven),
    };
  }

  /** `DELETE /account/two-factor`: 2FA off, whatever there is. @throws Refusal not_enrolled, factor_required */
  readonly everything: OwnAction = {
    shape: 'two_factor_delete_request',
    requirementFor: async ({ owner }) => {
      if ((await this.deps.standings.ofFactor(owner.userId)) === undefined) throw new Refusal('not_enrolled');
      if (await this.policy.keepsLast(owner.userId)) throw new Refusal('factor_required');
      return 'two_factor';
    },
    carryOut: (proven) => this.turnOff(proven),
  };

  /** @throws Refusal unknown_authenticator */
  private async remove(factor: Factor, proven: ProvenRequest): Promise<Answer> {
    const { body } = proven;
    const { authenticator_id: authenticatorId } = body;
    if (typeof authenticatorId === 'string') await this.removeOne(factor, proven, authenticatorId);
    else await this.removeAll(factor, proven);
    return { status: 200, body: {} };
  }

  /** Before a code is asked for: it would be spent for nothing. */
  private async requireThere(
    { kind }: Factor,
    userId: string,
    authenticatorId: Json | undefined,
  ): Promise<void> {
    const authenticators = await this.deps.store.authenticators(userId, kind);
    if (authenticators.length === 0) throw new Refusal('not_enrolled');
    const known = authenticatorId === undefined || authenticators.some(({ id }) => id === authenticatorId);
    if (!known) throw new Refusal('unknown_authenticator');
    const all = await this.deps.store.authenticators(userId);
    const left = all.filter(
      (each) => !(authenticatorId === undefined ? each.kind === kind : each.id === authenticatorId),
    );
    if (left.length === 0 && (await this.policy.keepsLast(userId))) throw new Refusal('factor_required');
  }

  private async removeOne(factor: Factor, proven: ProvenRequest, id: string): Promise<void> {
    const { userId } = proven.caller.owner;
    const keepLast = await this.policy.keepsLast(userId);
    const recorded = this.recorded(factor, proven, { authenticator: id });
    if (await this.deps.store.removeAuthenticator(userId, id, recorded, keepLast)) return;
    const left = await this.deps.store.authenticators(userId);
    const isThere = left.some((authenticator) => authenticator.id === id);
    throw new Refusal(keepLast && isThere ? 'factor_required' : 'unknown_authenticator');
  }

  private async removeAll(factor: Factor, proven: ProvenRequest): Promise<void> {
    const { userId } = proven.caller.owner;
    const { store } = this.deps;
    const { length: authenticators } = await store.authenticators(userId, factor.kind);
    const recorded = this.recorded(factor, proven, { authenticators });
    if (!(await this.policy.keepsLast(userId))) {
      await store.removeKind(userId, factor.kind, recorded);
    } else if (!(await store.removeKindKeepingLast(userId, factor.kind, recorded))) {
      throw new Refusal('factor_required');
    }
  }

  private async turnOff({ request, caller }: ProvenRequest): Promise<Answer> {
    const { userId, deviceId } = caller.owner;
    if (await this.policy.keepsLast(userId)) throw new Refusal('factor_required');
    const removals = removalsOf(await this.deps.store.authenticators(userId));
    const recorded = removals.map(({ kind, detail }, at) => {
      const event = `${kind}.${at + 1 < removals.length ? 'removed' : 'disabled'}` as const;
      return this.deps.audit.recorded({ userId, deviceId, event, client: request.client, detail });
    });
    if (!(await this.deps.store.turnOff(userId, recorded))) throw new Refusal('not_enrolled');
    return { status: 200, body: {} };
  }

  /** The last authenticator of any kind gone is 2FA off. */
  private recorded(
    { kind }: Factor,
    { request, caller, keptStepUp }: ProvenRequest,
    detail: Readonly<Record<string, string | number>>,
  ): AfterRemoval {
    const { userId, deviceId } = caller.owner;
    const { client } = request;
    const entry = (deed: FactorDeed) =>
      this.deps.audit.recorded({ userId, deviceId, event: `${kind}.${deed}`, client, detail });
    return { someLeft: [entry('removed'), keptStepUp], noneLeft: entry('disabled') };
  }
}

/** What goes on record of authenticators that go together: an entry for each kind. */
export function removalsOf(
  removed: readonly Authenticator[],
): { readonly kind: string; readonly detail: Detail }[] {
  return [...new Set(removed.map(({ kind }) => kind))].map((kind) => {
    const [only, ...others] = removed.filter((each) => each.kind === kind).map(({ id }) => id);
    const count = others.length + 1;
    return {
      kind,
      detail: count === 1 && only !== undefined ? { authenticator: only } : { authenticators: count },
    };
  });
}
