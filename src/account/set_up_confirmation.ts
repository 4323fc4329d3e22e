import type { ConfirmedAuthenticator } from '../factors/description.ts';
import type { Factor } from '../factors/factor.ts';
import { newRecoverySet } from '../factors/recovery/new_recovery_set.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { foldLocalpart } from '../matrix/user_id.ts';
import { type Caller, requireCaller } from '../second_factor/caller.ts';
import { hashToken } from '../second_factor/fresh_logins.ts';
import type { Setup } from '../storage/tables/setups.ts';
import { SECOND } from '../system/clock.ts';
import { randomId } from '../system/random.ts';
import type { AccountDeps, AccountSettings } from './account_deps.ts';
import { requireFactorOfPath } from './factor_of_path.ts';

/** Wrong first codes that end a set-up (spec/two_factor_api.md, "Confirming it"). */
const MOST_FAILURES = 5;
/** How long one confirmation may hold a set-up: far longer than the hashes of its codes take. */
const TAKEN_MS = 30 * SECOND;
const RETRY_AFTER_MS = SECOND;

/** A set-up whose first proof is right. */
interface ProvenSetup {
  readonly factor: Factor;
  readonly setup: Setup;
  readonly confirmed: ConfirmedAuthenticator;
}

/**
 * `POST /account/two-factor/{kind}/confirm`: the first proof turns a set-up into an authenticator, and is spent (attack
 * 76), with new recovery codes that are shown now and never again.
 */
export class SetUpConfirmation {
  constructor(
    private readonly deps: AccountDeps,
    private readonly settings: AccountSettings,
  ) {}

  /** @throws Refusal missing_param if there is no code; unknown_setup, wrong_setup_code; limit_exceeded if it is being confirmed, or hashes wait */
  async handle(request: ClientRequest): Promise<Answer> {
    const { factor, setUp } = requireFactorOfPath(this.deps.factors, request);
    const { setupId, proof } = setUp.read(request.body);
    const caller = await requireCaller(this.deps.homeserver, request);
    const setup = await this.findSetup(setupId, factor, caller);
    const secret = this.deps.vault.open(setup.sealedSeed, `setup:${setup.id}:${setup.userId}`);
    const confirmed = await setUp.confirm(setup.userId, secret, proof);
    if (confirmed === undefined) return this.refuse(setup);
    // Before the hashes, which are costly: of many confirmations at once one makes them (attack 140).
    if (!(await this.deps.store.takeSetup(setupId, this.deps.clock.now() + TAKEN_MS))) {
      throw new Refusal('limit_exceeded', { limit: 'set_up', retryAfterMs: RETRY_AFTER_MS });
    }
    try {
      return await this.confirm(request, caller, { factor, setup, confirmed });
    } catch (error) {
      // Where this fails, too, the set-up comes back by itself after its time.
      await this.deps.store.giveSetupBack(setupId).catch(() => undefined);
      throw error;
    }
  }

  private async confirm(
    request: ClientRequest,
    caller: Caller,
    { factor, setup, confirmed }: ProvenSetup,
  ): Promise<Answer> {
    const { userId } = setup;
    const wasOn = await this.deps.store.isEnrolled(userId);
    const recovery = await newRecoverySet({ userId, count: this.settings.recoveryCount }, this.deps.recovery);
    const authenticatorId = randomId(this.deps.random, 96);
    const confirmation = {
      setupId: setup.id,
      userId,
      authenticatorId,
      foldedLocalpart: foldLocalpart(userId),
      sealedSeed: this.deps.vault.seal(confirmed.secret, `authenticator:${authenticatorId}:${userId}`),
      step: confirmed.lastStep,
      recovery: recovery.set,
    };
    const recorded = this.deps.audit.recorded({
      userId,
      event: `${factor.kind}.${wasOn ? 'added' : 'enabled'}`,
      client: request.client,
      deviceId: caller.owner.deviceId,
      detail: { authenticator: authenticatorId },
    });
    if (!(await this.deps.store.activate(confirmation, recorded))) throw new Refusal('unknown_setup');
    await this.deps.mark.keep();
    await this.deps.lanes.remember(userId, request.client);
    return {
      status: 200,
      body: { authenticator_id: authenticatorId, recovery_codes: [...recovery.shown] },
    };
  }

  /** Only the token that began a set-up may end it (attack 59); to all others it is unknown. */
  private async findSetup(setupId: string, { kind }: Factor, { owner, token }: Caller): Promise<Setup> {
    const setup = await this.deps.store.findSetup(setupId);
    const isOwn = setup?.userId === owner.userId && setup.tokenHash === hashToken(token);
    if (!isOwn || setup.kind !== kind) {
      throw new Refusal('unknown_setup');
    }
    return setup;
  }

  private async refuse(setup: Setup): Promise<never> {
    await this.deps.store.countSetupFailure(setup.id, MOST_FAILURES);
    throw new Refusal('wrong_setup_code');
  }
}
