import { newRecoverySet } from '../factors/recovery/new_recovery_set.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { RECOVERY_STAGE } from '../matrix/wire.ts';
import { type Caller, requireCaller } from '../second_factor/caller.ts';
import type { OwnAction, ProvenRequest } from '../second_factor/own_action.ts';
import type { Write } from '../storage/statement.ts';
import type { AccountDeps, AccountSettings } from './account_deps.ts';
import type { AccountPolicy } from './account_policy.ts';

const NO_CODES = { remaining: 0, total: 0, generated_at: null, codes: [] };

/** `/account/two-factor/recovery`: which codes there are, a new set, or no set. A code is shown only when made. */
export class RecoveryCodes {
  constructor(
    private readonly deps: Pick<
      AccountDeps,
      'homeserver' | 'factors' | 'standings' | 'recovery' | 'store' | 'audit'
    >,
    private readonly settings: AccountSettings,
    private readonly policy: AccountPolicy,
  ) {}

  /** `GET`: positions and uses, never a code. @throws Refusal */
  async describe(request: ClientRequest): Promise<Answer> {
    const { owner } = await requireCaller(this.deps.homeserver, request);
    const state = await this.deps.factors.ofStage(RECOVERY_STAGE)?.describe(owner.userId);
    return { status: 200, body: state ?? NO_CODES };
  }

  /** `POST`: a new set; the codes of the old one are refused at once (attack 82). @throws Refusal not_enrolled */
  readonly renewal: OwnAction = {
    shape: 'recovery_request',
    requirementFor: async (caller) => {
      await this.policy.requireCodesAllowed(caller.owner.userId);
      return this.requireEnrolled(caller);
    },
    carryOut: (proven) => this.renew(proven),
  };

  /** `DELETE`: an account with codes is weaker than one without; going without is the user's choice. */
  readonly removal: OwnAction = {
    shape: 'recovery_request',
    requirementFor: async (caller) => {
      await this.policy.requireCodesDeletable(caller.owner.userId);
      return this.requireEnrolled(caller);
    },
    carryOut: (proven) => this.remove(proven),
  };

  private async requireEnrolled({ owner }: Caller): Promise<'two_factor'> {
    if ((await this.deps.standings.ofFactor(owner.userId)) === undefined) throw new Refusal('not_enrolled');
    return 'two_factor';
  }

  private async renew(proven: ProvenRequest): Promise<Answer> {
    const { userId } = proven.caller.owner;
    await this.policy.requireCodesAllowed(userId);
    const { shown, set } = await newRecoverySet(
      { userId, count: this.settings.recoveryCount },
      this.deps.recovery,
    );
    const recorded = this.recorded(proven, 'recovery.regenerated');
    if (!(await this.deps.store.replaceRecoverySet(userId, set, recorded))) throw new Refusal('not_enrolled');
    return { status: 200, body: { recovery_codes: [...shown], generated_at: set.generatedAt } };
  }

  private async remove(proven: ProvenRequest): Promise<Answer> {
    const { userId } = proven.caller.owner;
    await this.policy.requireCodesDeletable(userId);
    await this.deps.store.deleteRecoverySet(userId, this.recorded(proven, 'recovery.deleted'));
    return { status: 200, body: {} };
  }

  private recorded(
    { request, caller, keptStepUp }: ProvenRequest,
    event: 'recovery.regenerated' | 'recovery.deleted',
  ): Write {
    const { userId, deviceId } = caller.owner;
    const entry = this.deps.audit.recorded({ userId, event, client: request.client, deviceId });
    return [entry, keptStepUp];
  }
}
