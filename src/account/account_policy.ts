import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { Policies } from '../policy/policies.ts';
import { requireCaller } from '../second_factor/caller.ts';
import type { AccountDeps } from './account_deps.ts';

/** What the operator's policy allows users to change about their second factors. What they have stays in force. */
export class AccountPolicy {
  constructor(
    private readonly deps: Pick<AccountDeps, 'homeserver' | 'standings' | 'factors'> & {
      readonly policies: Policies;
      readonly devicePasswords: { readonly enabled: boolean };
    },
  ) {}

  /** @throws Refusal set_up_forbidden, factor_not_allowed */
  async requireSetUp(userId: string, kind: string): Promise<void> {
    const { mode, factors } = await this.deps.policies.of(userId);
    if (mode.value === 'forbidden') throw new Refusal('set_up_forbidden');
    if (factors.value?.includes(kind) === false) throw new Refusal('factor_not_allowed');
  }

  /** Whether the last authenticator of this user stays. */
  async keepsLast(userId: string): Promise<boolean> {
    return (await this.deps.policies.of(userId)).mode.value === 'required';
  }

  mayHaveCodes(userId: string): Promise<boolean> {
    return this.deps.policies.mayHaveCodes(userId);
  }

  /** @throws Refusal codes_off */
  async requireCodesAllowed(userId: string): Promise<void> {
    if (!(await this.mayHaveCodes(userId))) throw new Refusal('codes_off');
  }

  /** @throws Refusal codes_required */
  async requireCodesDeletable(userId: string): Promise<void> {
    if ((await this.deps.policies.of(userId)).recoveryCodes.value === 'required') {
      throw new Refusal('codes_required');
    }
  }

  /** `GET …/org.matrix.2fa/policy`: what is asked of the caller, so that clients can tell them. @throws Refusal */
  async describe(request: ClientRequest): Promise<Answer> {
    const { owner } = await requireCaller(this.deps.homeserver, request);
    const { policies, standings, factors } = this.deps;
    const policy = await policies.of(owner.userId);
    const due =
      policy.mode.value === 'required' && (await standings.ofFactor(owner.userId)) === undefined
        ? await policies.dueFor(owner.userId)
        : undefined;
    return {
      status: 200,
      body: {
        mode: policy.mode.value ?? 'optional',
        in_grace: due?.is === 'in_grace',
        deadline_ts: due === undefined || due.is === 'not_due' ? null : due.deadlineTs,
        factors: factors.settableKinds().filter((kind) => policy.factors.value?.includes(kind) ?? true),
        recovery_codes: policy.recoveryCodes.value ?? 'optional',
        recovery_codes_for_changes: policy.codesForChanges.value ?? true,
        device_passwords: this.deps.devicePasswords.enabled
          ? (policy.devicePasswords.value ?? 'allowed')
          : 'forbidden',
      },
    };
  }
}
