import type { Storage } from '../storage/storage.ts';
import { type AllowanceRate, findAllowance } from '../storage/tables/allowances.ts';
import { findHoldsOfUser, findHoldsToJoin, type HeldLogin } from '../storage/tables/holds.ts';
import type { DoubtfulHolds } from './doubtful_holds.ts';
import type { OpenedHold } from './grant.ts';
import type { JoinKeys } from './join_keys.ts';

/** How many holds one name and password may have before a further spelling of the name joins one of them. */
const HOLDS_PER_NAME = 2;

/** How many logins of a user stay free for the owner: further spellings of what is held do not use them. */
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

  /** This user's live holds, those with the same password first. */
  async ofUser(userId: string, keys: JoinKeys | undefined): Promise<HeldLogin[]> {
    const live = this.deps.doubtful.without(await this.deps.storage.read(findHoldsOfUser(userId)));
    const isLike = (hold: HeldLogin) => keys !== undefined && this.isLike(hold, keys);
    return [...live.filter(isLike), ...live.filter((hold) => !isLike(hold))];
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
