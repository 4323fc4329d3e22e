import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { Caller } from '../second_factor/caller.ts';
import { hashToken } from '../second_factor/fresh_logins.ts';
import type { OwnAction, ProvenRequest, Requirement } from '../second_factor/own_action.ts';
import type { AccountDeps } from './account_deps.ts';
import { requireFactorOfPath } from './factor_of_path.ts';
import type { SettableFactor, SetUps } from './set_ups.ts';

/** Every verification looks at each authenticator, so there must be a bound; no one needs more than this. */
const MOST_AUTHENTICATORS = 20;

/** `POST /account/two-factor/{kind}`: a pending authenticator. The live ones stay untouched (attack 84). */
export class SetUp {
  constructor(
    private readonly deps: Pick<AccountDeps, 'store' | 'factors'>,
    private readonly setUps: SetUps,
  ) {}

  /** What a request asks for. @throws Refusal if its path names no factor that can be set up */
  of(request: ClientRequest): OwnAction {
    const kind = requireFactorOfPath(this.deps.factors, request);
    return {
      shape: 'totp_setup_request',
      requirementFor: async (caller) => {
        await this.setUps.requireAllowed(caller.owner.userId, kind);
        return this.requirementFor(caller);
      },
      takesStepUp: true,
      carryOut: (proven) => this.begin(kind, proven),
    };
  }

  /** @throws Refusal too_many_authenticators */
  private async requirementFor({ owner }: Caller): Promise<Requirement> {
    const enrolled = await this.deps.store.authenticators(owner.userId);
    if (enrolled.length >= MOST_AUTHENTICATORS) throw new Refusal('too_many_authenticators');
    return enrolled.length > 0 ? 'two_factor' : 'password';
  }

  /** @throws Refusal unknown_setup */
  private async begin(kind: SettableFactor, { caller, body, proven }: ProvenRequest): Promise<Answer> {
    const { userId } = caller.owner;
    const begun = await this.setUps.begin(kind, { userId, begunBy: hashToken(caller.token) }, body.name);
    // 2FA was turned on after this set-up began. A password alone must not add an authenticator, so the set-up id is
    // not returned. After this line 2FA cannot be turned on by another set-up: this one replaced it (attack 89).
    if (proven === 'password' && (await this.deps.store.isEnrolled(userId))) {
      throw new Refusal('unknown_setup');
    }
    return { status: 200, body: begun };
  }
}
