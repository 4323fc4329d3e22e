import type { Homeserver } from '../homeserver/homeserver.ts';
import type { PassedAnswer } from '../http/answer.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { Json } from '../matrix/wire.ts';
import type { Log } from '../system/log.ts';
import { owes, type Standings } from './standing.ts';
import { mayHoldToken, namesToken, type TokenInAnswer, tokensIn } from './tokens_in_answer.ts';

/** Below it stand modules of one homeserver: users do not write into their answers. */
const MODULES = '/_synapse/client/';

/** Owners that one answer makes us ask for: events may be full of what looks like a token. */
const MOST_ASKED = 8;

/**
 * The last gate: no login of a user with 2FA leaves in the answer to a request that was not taken for a login, because
 * a homeserver reads another path as its login, or has a module that signs in (R1; attacks 11, 161, 162).
 */
export class EgressGate {
  constructor(
    private readonly homeserver: Homeserver,
    private readonly standings: Standings,
    private readonly log: Log,
  ) {}

  /** Undefined if an answer plainly has no token in it: then there is nothing to wait for. */
  check(answer: PassedAnswer): Promise<void> | undefined {
    return mayHoldToken(answer.content) ? this.judge(answer) : undefined;
  }

  /** @throws Refusal, and what the store throws; the login is ended then, as no client gets it */
  private async judge(answer: PassedAnswer): Promise<void> {
    const tokens = this.newTokensIn(answer);
    if (tokens.length === 0) return;
    try {
      if (await this.isAnyGated(tokens, answer)) throw new Refusal('login_elsewhere');
    } catch (error) {
      await this.logOut(tokens);
      throw error;
    }
  }

  /** A token that the client sent itself is not given out by an answer. */
  private newTokensIn({ content, path, readToken }: PassedAnswer): TokenInAnswer[] {
    const found = tokensIn(parse(content), path.startsWith(MODULES));
    if (found.length === 0) return [];
    const known = readToken();
    return found.filter(({ token }) => token !== known).slice(0, MOST_ASKED);
  }

  private async isAnyGated(tokens: readonly TokenInAnswer[], answer: PassedAnswer): Promise<boolean> {
    for (const token of tokens) {
      const userId = token.userId ?? (await this.ownerOf(token, answer));
      if (userId !== undefined && owes(await this.standings.of(userId))) return true;
    }
    return false;
  }

  /**
   * Undefined if it belongs to no user: tokens by which users prove to others who they are (OpenID), and texts.
   * Whose a login token is can be seen only when it is used, which is gated; it will be the caller's.
   * @throws Refusal if it cannot be told
   */
  private async ownerOf({ kind, token }: TokenInAnswer, answer: PassedAnswer): Promise<string | undefined> {
    const asked = kind === 'access' ? token : answer.readToken();
    if (asked === undefined) return undefined;
    try {
      return (await this.homeserver.whoami(asked, { client: answer.client })).userId;
    } catch (error) {
      if (error instanceof Refusal && error.refusal === 'unknown_token') return undefined;
      throw error;
    }
  }

  private async logOut(tokens: readonly TokenInAnswer[]): Promise<void> {
    for (const { kind, token } of tokens) {
      if (kind === 'login') continue;
      try {
        await this.homeserver.logout(token);
      } catch (error) {
        this.log.warn({ err: error }, 'A login that was held back from a client could not be logged out');
      }
    }
  }
}

/** @throws Refusal homeserver_unclear if the name of a token stands in it, and whose it is cannot be told */
function parse(content: Buffer): Json {
  try {
    return JSON.parse(new TextDecoder().decode(content)) as Json;
  } catch (error) {
    if (namesToken(content)) throw new Refusal('homeserver_unclear', { cause: error });
    return null;
  }
}
