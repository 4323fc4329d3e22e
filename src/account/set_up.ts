import type { FactorSetUp } from '../factors/description.ts';
import type { Factor } from '../factors/factor.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { requireShape } from '../matrix/registry.ts';
import type { JsonObject } from '../matrix/wire.ts';
import { hashToken } from '../second_factor/fresh_logins.ts';
import type { Requirement } from '../second_factor/owner_authentication.ts';
import type { KnownCaller } from '../second_factor/token_owner.ts';
import { randomId } from '../system/random.ts';
import type { AccountParts, AccountSettings } from './account_parts.ts';
import { requireFactorOfPath } from './factor_of_path.ts';

/** Every verification looks at each authenticator, so there must be a bound; no one needs more than this. */
const MOST_AUTHENTICATORS = 20;

/** `POST /account/two-factor/{kind}`: a pending authenticator. The live ones stay untouched (attack 84). */
export class SetUp {
  constructor(
    private readonly parts: AccountParts,
    private readonly settings: AccountSettings,
  ) {}

  /** @throws Refusal */
  async handle(request: ClientRequest): Promise<Answer> {
    const { factor, setUp } = requireFactorOfPath(this.parts.factors, request);
    const body = requireShape('totp_setup_request', request.body ?? {});
    const caller = await this.parts.tokenOwners.require(request);
    const enrolled = await this.parts.store.authenticators(caller.owner.userId);
    if (enrolled.length >= MOST_AUTHENTICATORS) throw new Refusal('too_many_authenticators');
    const requirement = enrolled.length > 0 ? 'two_factor' : 'password';
    const proof = await this.parts.proofs.require({ request, ...caller, body, requirement });
    return proof.kind === 'answer'
      ? proof.answer
      : this.begin({ factor, setUp }, caller, proof.body, requirement);
  }

  private async begin(
    { factor, setUp }: { readonly factor: Factor; readonly setUp: FactorSetUp },
    { owner, token }: KnownCaller,
    body: JsonObject,
    proven: Requirement,
  ): Promise<Answer> {
    const { userId } = owner;
    const id = randomId(this.parts.random);
    const { secret, answer } = await setUp.begin(userId);
    const expiresAt = this.parts.clock.now() + this.settings.setupTtlMs;
    await this.parts.store.beginSetup({
      id,
      userId,
      kind: factor.kind,
      name: typeof body.name === 'string' && body.name !== '' ? body.name : setUp.usualName,
      sealedSeed: this.parts.vault.seal(secret, `setup:${id}:${userId}`),
      tokenHash: hashToken(token),
      expiresAt,
      failures: 0,
    });
    // 2FA was turned on after this set-up began. A password alone must not add an authenticator, so the set-up id is
    // not returned. After this line 2FA cannot be turned on by another set-up: this one replaced it (attack 89).
    if (proven === 'password' && (await this.parts.store.isEnrolled(userId))) {
      throw new Refusal('unknown_setup');
    }
    return { status: 200, body: { ...answer, setup_id: id, expires_ts: expiresAt } };
  }
}
