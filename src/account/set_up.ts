import type { FactorSetUp } from '../factors/description.ts';
import type { Factor } from '../factors/factor.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { Caller } from '../second_factor/caller.ts';
import { hashToken } from '../second_factor/fresh_logins.ts';
import type { OwnAction, ProvenRequest, Requirement } from '../second_factor/own_action.ts';
import { randomId } from '../system/random.ts';
import type { AccountDeps, AccountSettings } from './account_deps.ts';
import { requireFactorOfPath } from './factor_of_path.ts';

/** Every verification looks at each authenticator, so there must be a bound; no one needs more than this. */
const MOST_AUTHENTICATORS = 20;

/** `POST /account/two-factor/{kind}`: a pending authenticator. The live ones stay untouched (attack 84). */
export class SetUp {
  constructor(
    private readonly deps: AccountDeps,
    private readonly settings: AccountSettings,
  ) {}

  /** What a request asks for. @throws Refusal if its path names no factor that can be set up */
  of(request: ClientRequest): OwnAction {
    const kind = requireFactorOfPath(this.deps.factors, request);
    return {
      shape: 'totp_setup_request',
      requirementFor: (caller) => this.requirementFor(caller),
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
  private async begin(
    { factor, setUp }: { readonly factor: Factor; readonly setUp: FactorSetUp },
    { caller, body, proven }: ProvenRequest,
  ): Promise<Answer> {
    const { token } = caller;
    const { userId } = caller.owner;
    const id = randomId(this.deps.random);
    const { secret, answer } = await setUp.begin(userId);
    const expiresAt = this.deps.clock.now() + this.settings.setupTtlMs;
    await this.deps.store.beginSetup({
      id,
      userId,
      kind: factor.kind,
      name: typeof body.name === 'string' && body.name !== '' ? body.name : setUp.usualName,
      sealedSeed: this.deps.vault.seal(secret, `setup:${id}:${userId}`),
      tokenHash: hashToken(token),
      expiresAt,
      failures: 0,
    });
    // 2FA was turned on after this set-up began. A password alone must not add an authenticator, so the set-up id is
    // not returned. After this line 2FA cannot be turned on by another set-up: this one replaced it (attack 89).
    if (proven === 'password' && (await this.deps.store.isEnrolled(userId))) {
      throw new Refusal('unknown_setup');
    }
    return { status: 200, body: { ...answer, setup_id: id, expires_ts: expiresAt } };
  }
}
