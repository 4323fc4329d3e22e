import type { Asker, Homeserver } from '../homeserver/homeserver.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type Clock, HOUR } from '../system/clock.ts';
import { Remembered } from '../system/remembered.ts';
import { hashToken } from '../system/token_hash.ts';

const MOST = 10_000;

/**
 * Tells sessions under which the homeserver judges passwords from those of its own OAuth, where nothing can be proven:
 * no code must be spent there (attack 158). A token is asked about once an hour.
 */
export class PasswordSessions {
  private readonly known: Remembered;
  /** Those of accounts that have a password. */
  private readonly withPassword: Remembered;

  /**
   * @param canBeWithout whether accounts without a password can prove themselves: where we can log them in without one,
   *   and have the pages for it
   */
  constructor(
    private readonly homeserver: Homeserver,
    clock: Clock,
    private readonly canBeWithout: boolean,
  ) {
    this.known = new Remembered(clock, HOUR, MOST);
    this.withPassword = new Remembered(clock, HOUR, MOST);
  }

  /** @throws Refusal oauth_session */
  async require(token: string, asker: Asker): Promise<void> {
    const hash = hashToken(token);
    if (this.known.has(hash)) return;
    const isMadeByOAuth = await this.ask(token, asker);
    if (isMadeByOAuth === true) throw new Refusal('oauth_session');
    if (isMadeByOAuth === false) this.known.add(hash);
  }

  /**
   * Whether the homeserver takes a password of the token's owner: accounts of its single sign-on may have none.
   * @throws Refusal homeserver_unreachable, homeserver_slow
   */
  async takesPassword(token: string, asker: Asker): Promise<boolean> {
    const hash = hashToken(token);
    if (this.withPassword.has(hash)) return true;
    const takesPassword = await this.homeserver.takesPassword(token, asker);
    if (takesPassword) this.withPassword.add(hash);
    return takesPassword;
  }

  /**
   * What goes with the second factor of the token's owner (`OwnedRequest.first`). Where we could not do without a
   * password, an account counts as one that has it.
   * @throws Refusal homeserver_unreachable, homeserver_slow
   */
  async firstOf(token: string, asker: Asker): Promise<'provider' | undefined> {
    if (!this.canBeWithout || (await this.takesPassword(token, asker))) return undefined;
    return 'provider';
  }

  /** Undefined if the homeserver could not say: whatever needs it will be told so. */
  private async ask(token: string, asker: Asker): Promise<boolean | undefined> {
    try {
      return await this.homeserver.isMadeByOAuth(token, asker);
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  }
}
