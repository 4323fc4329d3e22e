import type { ConfirmedAuthenticator, FactorSetUp } from '../factors/description.ts';
import type { Factor } from '../factors/factor.ts';
import type { Factors } from '../factors/factors.ts';
import { newRecoverySet } from '../factors/recovery/new_recovery_set.ts';
import type { ClientAddress, ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { foldLocalpart } from '../matrix/user_id.ts';
import type { Json, JsonObject } from '../matrix/wire.ts';
import { StoreUnavailable } from '../storage/errors.ts';
import type { Authenticator } from '../storage/tables/authenticators.ts';
import type { Confirmation } from '../storage/tables/factor_changes.ts';
import type { Replaces, Setup } from '../storage/tables/setups.ts';
import { SECOND } from '../system/clock.ts';
import { isWrittenAsId, randomId } from '../system/random.ts';
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

/** What is wanted of a new set-up. */
export interface WantedSetUp {
  readonly name?: Json | undefined;
  /** None where it is left out. */
  readonly replaces?: Replaces | undefined;
  /** Only the password was proven for it: lost where 2FA is on. */
  readonly onlyWhileOff?: boolean;
}

/** What the client is told of a new set-up: these members for every factor, and what the factor itself says. */
export interface BegunSetUp extends JsonObject {
  setup_id: string;
  expires_ts: number;
  /** What a confirmation that asks for nothing else does to the recovery codes. */
  recovery_codes: 'new' | 'kept' | 'none';
}

/** A first proof, and what is to become of the recovery codes: undefined is left to the rule. */
export interface WantedConfirmation {
  readonly proof: Json;
  readonly codes: boolean | undefined;
  /** In place of the name that it was begun with. */
  readonly name?: string | undefined;
}

/** What a set-up becomes, with the new recovery codes in the order in which they are shown. */
export interface ReadyConfirmation {
  readonly confirmation: Confirmation;
  readonly replaced: readonly Authenticator[];
  readonly shown: readonly string[];
}

/** What a confirmation does besides adding its authenticator. */
interface Plan {
  readonly wasOn: boolean;
  readonly replaced: readonly Authenticator[];
  readonly codes: 'new' | 'kept' | 'none';
}

/** What both ways to set a factor up have in common: under an access token, and during a sign-in. */
export class SetUps {
  constructor(
    private readonly deps: Pick<
      AccountDeps,
      'store' | 'recovery' | 'vault' | 'clock' | 'random' | 'mark' | 'lanes'
    >,
    private readonly settings: AccountSettings,
    private readonly policy: AccountPolicy,
  ) {}

  /** @throws Refusal set_up_forbidden, factor_not_allowed */
  requireAllowed(userId: string, { factor }: SettableFactor): Promise<void> {
    return this.policy.requireSetUp(userId, factor.kind);
  }

  /**
   * Begins a set-up; one that the user began before ends. Answers what the client is told.
   * @throws Refusal unknown_setup if 2FA was turned on since its password was proven
   */
  async begin(
    { factor, setUp }: SettableFactor,
    { userId, begunBy, endsAt = Number.POSITIVE_INFINITY }: SetUpOwner,
    { name, replaces = [], onlyWhileOff = false }: WantedSetUp,
  ): Promise<BegunSetUp> {
    const id = randomId(this.deps.random);
    const { secret, answer } = await setUp.begin(userId);
    const expiresAt = Math.min(this.deps.clock.now() + this.settings.setupTtlMs, endsAt);
    const setup = {
      ...{ id, userId, kind: factor.kind, replaces, expiresAt, failures: 0 },
      name: typeof name === 'string' && name !== '' ? name : setUp.usualName,
      sealedSeed: this.deps.vault.seal(secret, identityOf({ id, userId })),
      tokenHash: begunBy,
    };
    const { codes } = await this.plan(setup, undefined);
    if (!(await this.deps.store.beginSetup(setup, onlyWhileOff))) throw new Refusal('unknown_setup');
    const hasCodes = codes === 'kept' && (await this.hasCodes(userId));
    const told = codes === 'kept' && !hasCodes ? 'none' : codes;
    return { ...answer, setup_id: id, expires_ts: expiresAt, recovery_codes: told };
  }

  /** Only who began a set-up may go on with it (attack 59); to all others it is unknown. @throws Refusal unknown_setup */
  async require(setupId: string, { userId, begunBy }: SetUpOwner): Promise<Setup> {
    const setup = isWrittenAsId(setupId) ? await this.deps.store.findSetup(setupId) : undefined;
    if (setup?.userId !== userId || setup.tokenHash !== begunBy) throw new Refusal('unknown_setup');
    return setup;
  }

  /** What a set-up keeps for its authenticator. */
  secretOf(setup: Setup): Buffer {
    return this.deps.vault.open(setup.sealedSeed, identityOf(setup));
  }

  /**
   * Judges the first proof of a set-up, and has what follows done by `carryOut`: of many confirmations at once by one.
   * @throws Refusal codes_required, wrong_setup_code; limit_exceeded if it is being confirmed, or hashes wait
   */
  async confirm<Done>(
    setup: Setup,
    settable: SettableFactor,
    { proof, codes, name }: WantedConfirmation,
    carryOut: (ready: ReadyConfirmation) => Promise<Done>,
  ): Promise<Done> {
    await this.requireAllowed(setup.userId, settable);
    const plan = await this.plan(setup, codes);
    const confirmed = await settable.setUp.confirm(setup.userId, this.secretOf(setup), proof);
    if (confirmed === undefined) return this.refuse(setup, settable);
    // Before the hashes, which are costly: of many confirmations at once one makes them (attack 140).
    if (!(await this.deps.store.takeSetup(setup.id, this.deps.clock.now() + TAKEN_MS, name))) {
      throw new Refusal('limit_exceeded', { limit: 'set_up', retryAfterMs: RETRY_AFTER_MS });
    }
    try {
      return await carryOut(await this.ready(setup, confirmed, plan));
    } catch (error) {
      // Where this fails, too, the set-up comes back by itself after its time.
      await this.deps.store.giveSetupBack(setup.id).catch(() => undefined);
      throw error;
    }
  }

  /**
   * After a confirmation: the database is marked as one that has users with 2FA, and the place that it came from is
   * known. Where the store fails by now the place is not: recovery codes are shown in this answer and in no other.
   */
  async added(userId: string, client: ClientAddress): Promise<void> {
    await this.deps.mark.keep();
    try {
      await this.deps.lanes.remember(userId, client);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }

  /**
   * What becomes of the recovery codes: saved ones stay good when an authenticator is added or replaced, unless new ones
   * are asked for; they are new when 2FA is turned on, or everything is replaced. What the confirmation writes holds
   * only while it is so.
   * @throws Refusal codes_required
   */
  private async plan({ userId, replaces }: Setup, wanted: boolean | undefined): Promise<Plan> {
    const all = await this.deps.store.authenticators(userId);
    const wasOn = all.length > 0;
    const replaced = all.filter(({ id }) => replaces === 'all' || replaces.includes(id));
    const startsAfresh = !wasOn || replaces === 'all';
    if (!(wanted ?? startsAfresh)) {
      if (startsAfresh) await this.policy.requireCodesDeletable(userId);
      return { wasOn, replaced, codes: startsAfresh ? 'none' : 'kept' };
    }
    if (await this.policy.mayHaveCodes(userId)) return { wasOn, replaced, codes: 'new' };
    return { wasOn, replaced, codes: startsAfresh ? 'none' : 'kept' };
  }

  private async hasCodes(userId: string): Promise<boolean> {
    if (!(await this.policy.mayHaveCodes(userId))) return false;
    return (await this.deps.store.recoverySet(userId)) !== undefined;
  }

  private async ready(
    { id, userId }: Setup,
    { secret, lastStep, claim }: ConfirmedAuthenticator,
    { wasOn, replaced, codes }: Plan,
  ): Promise<ReadyConfirmation> {
    const count = this.settings.recoveryCount;
    const made = codes === 'new' ? await newRecoverySet({ userId, count }, this.deps.recovery) : undefined;
    const authenticatorId = randomId(this.deps.random, 96);
    const confirmation = {
      setupId: id,
      userId,
      authenticatorId,
      foldedLocalpart: foldLocalpart(userId),
      sealedSeed: this.deps.vault.seal(secret, `authenticator:${authenticatorId}:${userId}`),
      step: lastStep,
      claim: claim?.(authenticatorId),
      recovery: made?.set ?? (codes === 'kept' ? 'kept' : 'none'),
      wasOn,
      replaced: replaced.map((authenticator) => authenticator.id),
    } as const;
    return { confirmation, replaced, shown: made?.shown ?? [] };
  }

  private async refuse(setup: Setup, { factor }: SettableFactor): Promise<never> {
    await this.deps.store.countSetupFailure(setup.id, MOST_FAILURES);
    const { refused: text } = factor;
    throw new Refusal('wrong_setup_code', text === undefined ? {} : { text });
  }
}

function identityOf({ id, userId }: Pick<Setup, 'id' | 'userId'>): string {
  return `setup:${id}:${userId}`;
}

/** The factor that `/account/two-factor/{kind}` names. @throws Refusal unrecognized if users cannot set it up */
export function requireFactorOfPath(factors: Factors, { params }: ClientRequest): SettableFactor {
  const factor = factors.ofKind(params.kind ?? '');
  if (factor?.setUp === undefined) throw new Refusal('unrecognized');
  return { factor, setUp: factor.setUp };
}
