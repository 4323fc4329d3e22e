import type { Homeserver } from '../homeserver/homeserver.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { Storage } from '../storage/storage.ts';
import { type AllowanceRate, findAllowance } from '../storage/tables/allowances.ts';
import { findHoldsOfUser, findHoldsToJoin, type HeldLogin } from '../storage/tables/holds.ts';
import { type Clock, MINUTE, SECOND } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import type { DoubtfulHolds } from './doubtful_holds.ts';
import type { OpenedHold } from './grant.ts';
import type { JoinKeys } from './join_keys.ts';

/** How many holds one name and password may have before a further spelling of the name joins one of them. */
const HOLDS_PER_NAME = 2;

/** So many logins of a user are not used for further spellings of what is held. */
const LEFT_FOR_OWNER = 1;

/** Finds the held login that a further sign-in joins (R12). */
export class JoinableHolds {
  constructor(
    private readonly deps: {
      readonly storage: Pick<Storage, 'read'>;
      readonly doubtful: DoubtfulHolds;
      readonly open: (held: HeldLogin) => OpenedHold;
      readonly allowance: AllowanceRate;
    },
  ) {}

  /**
   * The live hold that a sign-in with these keys joins: an equal one, or one of the same user that was made with
   * the same password and the same wish for a refresh token. Where there are enough holds, or few logins are left,
   * any of them: other spellings that some homeserver takes for the same use up no login of the owner (attack 127).
   */
  async find(keys: JoinKeys): Promise<HeldLogin | undefined> {
    const found = this.deps.doubtful.without(
      await this.deps.storage.read(findHoldsToJoin(keys.exact, keys.folded)),
    );
    const isEqual = (hold: HeldLogin) => hold.joinKey !== null && keys.exact.includes(hold.joinKey);
    const equal = found.find(isEqual) ?? found.find((hold) => this.isLike(hold, keys));
    if (equal !== undefined || found[0] === undefined) return equal;
    if (found.length >= HOLDS_PER_NAME) return found[0];
    return (await this.allowanceLeft(found[0].userId)) < LEFT_FOR_OWNER + 1 ? found[0] : undefined;
  }

  /** One of this user's, best one with the same password. */
  async ofUser(userId: string, keys: JoinKeys | undefined): Promise<HeldLogin | undefined> {
    const live = this.deps.doubtful.without(await this.deps.storage.read(findHoldsOfUser(userId)));
    return live.find((hold) => keys !== undefined && this.isLike(hold, keys)) ?? live[0];
  }

  private async allowanceLeft(userId: string): Promise<number> {
    const { allowance } = this.deps;
    const [found] = await this.deps.storage.read(findAllowance(userId, allowance));
    return found?.level ?? allowance.burstCount;
  }

  private isLike(hold: HeldLogin, { password, refresh }: JoinKeys): boolean {
    const granted = this.deps.open(hold);
    return granted.password === password && granted.refresh === refresh;
  }
}

/** What was granted so short a time ago is not asked about: many equal sign-ins come at once. */
const FRESH_MS = 30 * SECOND;

/** The held logins, as far as one of them is joined, or ended in place of that. */
interface SharedHolds {
  readonly joinable: Pick<JoinableHolds, 'find'>;
  open(held: HeldLogin): OpenedHold;
  claim(held: HeldLogin, claimant: string, forMs: number): Promise<boolean>;
  end(held: HeldLogin, claimant: string): Promise<boolean>;
}

/** R12: an equal sign-in shares the login that is held, as long as the homeserver takes its token. */
export class JoinedHolds {
  constructor(
    private readonly deps: {
      readonly holds: SharedHolds;
      readonly homeserver: Homeserver;
      readonly clock: Clock;
      readonly random: RandomSource;
    },
  ) {}

  /** The first reading of what was typed that has a login to join. */
  async find<Reading extends { readonly joinKeys: JoinKeys | undefined }>(
    readings: readonly Reading[],
    request: ClientRequest,
  ): Promise<{ readonly hold: HeldLogin; readonly reading: Reading } | undefined> {
    for (const reading of readings) {
      const hold = reading.joinKeys && (await this.deps.holds.joinable.find(reading.joinKeys));
      if (hold !== undefined && !(await this.hasEnded(hold, request))) return { hold, reading };
    }
    return undefined;
  }

  /**
   * Whether the homeserver has ended its token, as an administrator or a new password may do there: it would be handed out
   * dead. It ends here, too, unless someone is finishing it just now. Where the homeserver does not say, it is joined.
   */
  private async hasEnded(hold: HeldLogin, { client, signal }: ClientRequest): Promise<boolean> {
    const { holds, homeserver, clock, random } = this.deps;
    if (clock.now() - hold.createdAt < FRESH_MS) return false;
    try {
      await holds.open(hold).grant.askTokenOwner(homeserver, { client, signal });
      return false;
    } catch (error) {
      const isDead = error instanceof Refusal && error.refusal === 'unknown_token';
      return isDead && (await endIdle(hold, holds, random));
    }
  }
}

/** Ends a hold that no one is finishing: the next sweep logs it out. False if someone is, or it has ended. */
export async function endIdle(
  hold: HeldLogin,
  holds: Pick<SharedHolds, 'claim' | 'end'>,
  random: RandomSource,
): Promise<boolean> {
  const claimant = randomId(random);
  return (await holds.claim(hold, claimant, MINUTE)) && (await holds.end(hold, claimant));
}
