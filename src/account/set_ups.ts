import type { ConfirmedAuthenticator, FactorSetUp } from '../factors/description.ts';
import type { Factor } from '../factors/factor.ts';
import { newRecoverySet } from '../factors/recovery/new_recovery_set.ts';
import { Refusal } from '../matrix/refusals.ts';
import { foldLocalpart } from '../matrix/user_id.ts';
import type { Json, JsonObject } from '../matrix/wire.ts';
import type { Confirmation } from '../storage/tables/factor_changes.ts';
import type { Setup } from '../storage/tables/setups.ts';
import { SECOND } from '../system/clock.ts';
import { randomId } from '../system/random.ts';
import type { AccountDeps, AccountSettings } from './account_deps.ts';
import type { AccountPolicy } from './account_policy.ts';

/** Wrong first codes that end a set-up (spec/two_factor_api.md, "Confirming it"). */
const MOST_FAILURES = 5;
/** How long one confirmation may hold a set-up: far longer than the hashes of its codes take. */
const TAKEN_MS = 30 * SECOND;
const RETRY_AFTER_MS = SECOND;

/** A factor that users can set up. */
export interface SettableFactor {
  readonly factor: Factor;
  readonly setUp: FactorSetUp;
}

/** Whose a set-up is. */
export interface SetUpOwner {
  readonly userId: string;
  /** The hash of the access token that begins it, or the name of the sign-in session: only these may confirm it. */
  readonly begunBy: string;
  /** An end before the usual time, in ms since the epoch. */
  readonly endsAt?: number;
}

/** What the client is told of a new set-up: of every factor these, and what it says itself. */
export interface BegunSetUp extends JsonObject {
  setup_id: string;
  expires_ts: number;
}

/** What a set-up becomes, with the new recovery codes in the order in which they are shown. */
export interface ReadyConfirmation {
  readonly confirmation: Confirmation;
  readonly shown: readonly string[];
}

/** What both ways to set a factor up have in common: under an access token, and during a sign-in. */
export class SetUps {
  constructor(
    private readonly deps: AccountDeps,
    private readonly settings: AccountSettings,
    private readonly policy: AccountPolicy,
  ) {}

  /** @throws Refusal set_up_forbidden, factor_not_allowed */
  requireAllowed(userId: string, { factor }: SettableFactor): Promise<void> {
    return this.policy.requireSetUp(userId, factor.kind);
  }

  /** Begins a set-up; one that the user began before ends. Answers what the client is told. */
  async begin(
    { factor, setUp }: SettableFactor,
    { userId, begunBy, endsAt = Number.POSITIVE_INFINITY }: SetUpOwner,
    name: Json | undefined,
  ): Promise<BegunSetUp> {
    const id = randomId(this.deps.random);
    const { secret, answer } = await setUp.begin(userId);
    const expiresAt = Math.min(this.deps.clock.now() + this.settings.setupTtlMs, endsAt);
    await this.deps.store.beginSetup({
      id,
      userId,
      kind: factor.kind,
      name: typeof name === 'string' && name !== '' ? name : setUp.usualName,
      sealedSeed: this.deps.vault.seal(secret, identityOf({ id, userId })),
      tokenHash: begunBy,
      expiresAt,
      failures: 0,
    });
    return { ...answer, setup_id: id, expires_ts: expiresAt };
  }

  /** Only who began a set-up may go on with it (attack 59); to all others it is unknown. @throws Refusal unknown_setup */
  async require(setupId: string, { userId, begunBy }: SetUpOwner): Promise<Setup> {
    const setup = await this.deps.store.findSetup(setupId);
    if (setup?.userId !== userId || setup.tokenHash !== begunBy) throw new Refusal('unknown_setup');
    return setup;
  }

  /** What a set-up keeps for its authenticator. */
  secretOf(setup: Setup): Buffer {
    return this.deps.vault.open(setup.sealedSeed, identityOf(setup));
  }

  /**
   * Judges the first proof of a set-up, and has what follows done by `carryOut`: of many confirmations at once by one.
   * @param withCodes whether recovery codes are made
   * @throws Refusal wrong_setup_code; limit_exceeded if it is being confirmed, or hashes wait
   */
  async confirm<Done>(
    setup: Setup,
    settable: SettableFactor,
    { proof, withCodes }: { readonly proof: Json; readonly withCodes: boolean },
    carryOut: (ready: ReadyConfirmation) => Promise<Done>,
  ): Promise<Done> {
    await this.requireAllowed(setup.userId, settable);
    const confirmed = await settable.setUp.confirm(setup.userId, this.secretOf(setup), proof);
    if (confirmed === undefined) return this.refuse(setup);
    // Before the hashes, which are costly: of many confirmations at once one makes them (attack 140).
    if (!(await this.deps.store.takeSetup(setup.id, this.deps.clock.now() + TAKEN_MS))) {
      throw new Refusal('limit_exceeded', { limit: 'set_up', retryAfterMs: RETRY_AFTER_MS });
    }
    try {
      return await carryOut(await this.ready(setup, confirmed, withCodes));
    } catch (error) {
      // Where this fails, too, the set-up comes back by itself after its time.
      await this.deps.store.giveSetupBack(setup.id).catch(() => undefined);
      throw error;
    }
  }

  private async ready(
    { id, userId }: Setup,
    { secret, lastStep }: ConfirmedAuthenticator,
    withCodes: boolean,
  ): Promise<ReadyConfirmation> {
    const count = this.settings.recoveryCount;
    const makes = withCodes && (await this.policy.mayHaveCodes(userId));
    const made = makes ? await newRecoverySet({ userId, count }, this.deps.recovery) : undefined;
    const authenticatorId = randomId(this.deps.random, 96);
    const confirmation = {
      setupId: id,
      userId,
      authenticatorId,
      foldedLocalpart: foldLocalpart(userId),
      sealedSeed: this.deps.vault.seal(secret, `authenticator:${authenticatorId}:${userId}`),
      step: lastStep,
      recovery: made?.set,
    };
    return { confirmation, shown: made?.shown ?? [] };
  }

  private async refuse(setup: Setup): Promise<never> {
    await this.deps.store.countSetupFailure(setup.id, MOST_FAILURES);
    throw new Refusal('wrong_setup_code');
  }
}

function identityOf({ id, userId }: Pick<Setup, 'id' | 'userId'>): string {
  return `setup:${id}:${userId}`;
}
