import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';
import { hashToken } from '../second_factor/fresh_logins.ts';
import type { HeldLogins } from '../second_factor/held_logins.ts';
import type { HeldLogin, SignInTokenStore } from '../storage/stores.ts';
import { type Clock, MINUTE } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import type { HeldLoginRelease } from './release.ts';

/** By this the gate knows our login tokens from the homeserver's. */
const PREFIX = 'm2fat_';
/** A client redeems its token at once; two minutes are for slow phones (attack 69). */
const LIFETIME_MS = 2 * MINUTE;

/** The login tokens of the sign-in page: each stands for one held login, and works once. */
export class SignInTokens {
  constructor(
    private readonly store: SignInTokenStore,
    private readonly holds: HeldLogins,
    private readonly release: HeldLoginRelease,
    private readonly clock: Clock,
    private readonly random: RandomSource,
  ) {}

  /** A new token for a held login. It does not outlive the hold. */
  async issue(hold: HeldLogin, secondFactor: boolean): Promise<string> {
    const token = PREFIX + randomId(this.random, 256);
    await this.store.remember({
      tokenHash: hashToken(token),
      holdId: hold.id,
      userId: hold.userId,
      secondFactor,
      expiresAt: Math.min(this.clock.now() + LIFETIME_MS, hold.expiresAt),
    });
    return token;
  }

  /** Whether the homeserver must never see this token. */
  isOurs(token: unknown): token is string {
    return typeof token === 'string' && token.startsWith(PREFIX);
  }

  /**
   * Gives the held login to the client that brings its token. With a `device_id` it is a login of its own (R5).
   * @param body the login without `auth`
   * @throws Refusal hold_ended if the token is unknown, used or expired; limit_exceeded if it can be tried again
   */
  async redeem(request: ClientRequest, token: string, body: JsonObject): Promise<Answer> {
    const tokenHash = hashToken(token);
    const issued = await this.store.find(tokenHash, this.clock.now());
    const hold = issued && (await this.holds.find(issued.holdId));
    if (issued === undefined || hold === undefined) throw new Refusal('hold_ended');
    const answer = await this.release.finish({
      request,
      // Of two clients with one token the second must not share the claim of the first.
      claimant: randomId(this.random),
      hold,
      body: passwordLoginOf(body, hold.userId),
      path: request.path,
      repeatable: true,
      secondFactor: issued.secondFactor,
      proof: { kind: 'sign_in_token', hash: tokenHash },
    });
    if (answer === undefined) throw new Refusal('hold_ended');
    return answer;
  }
}

/** The login that the page had judged, with what the client wants of it; its password is sealed with the hold. */
function passwordLoginOf(body: JsonObject, userId: string): JsonObject {
  const {
    type: _type,
    token: _token,
    identifier: _identifier,
    user: _user,
    password: _password,
    ...wishes
  } = body;
  return { ...wishes, type: PASSWORD_STAGE, identifier: { type: 'm.id.user', user: userId } };
}
