import type { Branch, Unit, Write } from '../storage/statement.ts';
import { when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { claimGrant, giveBackClaim, type OauthGrant, useGrant } from '../storage/tables/oauth_grants.ts';
import { SECOND } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import type { Vault } from '../vault/vault.ts';
import { type OAuthLogin, openOAuthLogin } from './oauth_login.ts';

/** How long one request has a grant to itself: longer than its login may take. A process that dies leaves it to the next. */
export const CLAIM_MS = 80 * SECOND;

/** An approved grant of OAuth, claimed by one request. It is used up with the login of that request. */
class OAuthGrantClaimed {
  readonly #grant: OauthGrant & { readonly userId: string };
  readonly #claimant: string;

  constructor(
    grant: OauthGrant & { readonly userId: string },
    claimant: string,
    /** The id of the session that it becomes. */
    readonly sessionId: string,
  ) {
    this.#grant = grant;
    this.#claimant = claimant;
  }

  isFor(userId: string): boolean {
    return this.#grant.userId === userId;
  }

  get grant(): OauthGrant & { readonly userId: string } {
    return this.#grant;
  }

  /** Uses it up, with what is written then. Lost if factors or password were changed since it was claimed. */
  using<const Kept extends Write>(kept: Kept): Branch<object, Kept, readonly []> {
    const { idHash } = this.#grant;
    return when(useGrant(idHash, this.#claimant, this.sessionId), { won: kept, lost: [] });
  }

  /** Gives it back: it is good for another try. */
  get back(): Unit {
    return giveBackClaim(this.#grant.idHash, this.#claimant);
  }
}

export type { OAuthGrantClaimed };

/** Claims approved grants: a code that was exchanged, a device grant that was polled for (docs/oauth.md). */
export class OAuthClaims {
  constructor(
    private readonly deps: {
      readonly storage: Pick<Storage, 'commit'>;
      readonly vault: Vault;
      readonly random: RandomSource;
    },
  ) {}

  /** For one request alone. Undefined if it is not approved, used, in use, over, or factors or password were changed. */
  async claim(found: OauthGrant): Promise<OAuthGrantClaimed | undefined> {
    const { storage, random } = this.deps;
    const { userId, idHash } = found;
    if (userId === null) return undefined;
    const claimant = randomId(random);
    const claimed = await storage.commit([userId], claimGrant(idHash, claimant, CLAIM_MS));
    return claimed && new OAuthGrantClaimed({ ...found, userId }, claimant, randomId(random, 256));
  }

  /** What its login needs. */
  loginOf({ grant: { idHash, userId, sealedLogin } }: OAuthGrantClaimed): OAuthLogin {
    if (sealedLogin === null) throw new Error('an approved grant has no login');
    return openOAuthLogin(this.deps.vault, { idHash, userId }, sealedLogin);
  }

  async giveBack(claimed: OAuthGrantClaimed): Promise<void> {
    await this.deps.storage.commit([claimed.grant.userId], claimed.back);
  }
}
