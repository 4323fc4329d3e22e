import type { Homeserver } from '../homeserver/homeserver.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { Storage } from '../storage/storage.ts';
import { findAllowance } from '../storage/tables/allowances.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import { findHoldsOfUser, findHoldsToJoin } from '../storage/tables/holds_to_join.ts';
import { type Clock, SECOND } from '../system/clock.ts';
import type { JoinKeys } from './claimed_identity.ts';
import type { HeldLogins, Kept, NewHold, Open } from './held_logins.ts';

/** How many holds one name and password may have before a further spelling of the name joins one of them. */
const HOLDS_PER_NAME = 2;

/** How many logins of a user stay free for the owner: further spellings of what is held do not use them. */
const LEFT_FOR_OWNER = 1;

/** What was granted so short a time ago is not asked about: many equal sign-ins come at once. */
const FRESH_MS = 30 * SECOND;

/** What became of a granted login. */
export interface KeptOrJoined extends Kept {
  /** False: its user has enough held logins; `hold` is another one, and what was granted is to be logged out. */
  readonly isOwn: boolean;
}

/** R12: an equal sign-in shares the login that is held, as long as the homeserver takes its token. */
export class JoinedHolds {
  constructor(
    private readonly deps: {
      readonly storage: Pick<Storage, 'read'>;
      readonly holds: HeldLogins;
      readonly homeserver: Homeserver;
      readonly clock: Clock;
    },
  ) {}

  /** The first reading of what was typed that has a login to join. */
  async find<Reading extends { readonly joinKeys: JoinKeys | undefined }>(
    readings: readonly Reading[],
    request: ClientRequest,
  ): Promise<{ readonly hold: HeldLogin; readonly reading: Reading } | undefined> {
    for (const reading of readings) {
      const hold = reading.joinKeys && (await this.heldFor(reading.joinKeys));
      if (hold !== undefined && !(await this.hasEnded(hold, request))) return { hold, reading };
    }
    return undefined;
  }

  /**
   * Holds a granted login. One whose user has used up the logins that may wait, or has enough of them, joins a live one
   * instead: the password was proven, so there is never a refusal (attack 128).
   * @param open opens the session of a login that is held, not of one that is joined
   * @throws Refusal hold_ended if factors or password were changed since the standing was looked up
   */
  async keep(made: NewHold, request: ClientRequest, open?: Open): Promise<KeptOrJoined> {
    const { holds } = this.deps;
    const kept = await holds.keep(made, open);
    if (kept !== undefined) return { ...kept, isOwn: true };
    for (const hold of await this.ofUser(made.grant.userId, made.joinKeys)) {
      if (!(await this.hasEnded(hold, request))) return { hold, isOwn: false };
    }
    return { ...(await holds.keepBeyondBounds(made, open)), isOwn: true };
  }

  /**
   * The live hold that a sign-in with these keys joins: an equal one, or one of the same user that was made with
   * the same password and the same wish for a refresh token. Where there are enough holds, or few logins are left,
   * any of them: other spellings that some homeserver takes for the same use up no login of the owner (attack 127).
   */
  private async heldFor(keys: JoinKeys): Promise<HeldLogin | undefined> {
    const found = this.deps.holds.doubtful.without(
      await this.deps.storage.read(findHoldsToJoin(keys.exact, keys.folded)),
    );
    const isEqual = (hold: HeldLogin) => hold.joinKey !== null && keys.exact.includes(hold.joinKey);
    const equal = found.find(isEqual) ?? found.find((hold) => this.isLike(hold, keys));
    if (equal !== undefined || found[0] === undefined) return equal;
    if (found.length >= HOLDS_PER_NAME) return found[0];
    return (await this.allowanceLeft(found[0].userId)) < LEFT_FOR_OWNER + 1 ? found[0] : undefined;
  }

  /** This user's live holds, those with the same password first. */
  private async ofUser(userId: string, keys: JoinKeys | undefined): Promise<HeldLogin[]> {
    const live = this.deps.holds.doubtful.without(await this.deps.storage.read(findHoldsOfUser(userId)));
    const isLike = (hold: HeldLogin) => keys !== undefined && this.isLike(hold, keys);
    return [...live.filter(isLike), ...live.filter((hold) => !isLike(hold))];
  }

  private async allowanceLeft(userId: string): Promise<number> {
    const { allowance } = this.deps.holds;
    const [found] = await this.deps.storage.read(findAllowance(userId, allowance));
    return found?.level ?? allowance.burstCount;
  }

  private isLike(hold: HeldLogin, { password, refresh }: JoinKeys): boolean {
    const granted = this.deps.holds.open(hold);
    return granted.password === password && granted.refresh === refresh;
  }

  /**
   * Whether the homeserver has ended its token, as an administrator or a new password may do there: it would be handed out
   * dead. It ends here, too, unless someone is finishing it just now. Where the homeserver does not say, it is joined.
   */
  private async hasEnded(hold: HeldLogin, { client, signal }: ClientRequest): Promise<boolean> {
    const { holds, homeserver, clock } = this.deps;
    if (clock.now() - hold.createdAt < FRESH_MS) return false;
    try {
      await holds.open(hold).grant.askTokenOwner(homeserver, { client, signal });
      return false;
    } catch (error) {
      const isDead = error instanceof Refusal && error.refusal === 'unknown_token';
      return isDead && (await holds.endFree(hold));
    }
  }
}
