import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { AccountSessions } from '../second_factor/account_sessions.ts';
import type { Exit } from '../second_factor/exit.ts';
import type { Grant } from '../second_factor/grant.ts';
import type { OwnLogin } from '../second_factor/own_login.ts';
import type { FactorTokenClaimed, Passes } from '../second_factor/passes.ts';
import { type UpstreamLogin, wishedDevice } from '../second_factor/upstream_login.ts';

export interface LoneLoginDeps {
  readonly passes: Passes;
  readonly ownLogin: OwnLogin;
  readonly upstream: UpstreamLogin;
  readonly exit: Exit;
  readonly accountSessions: AccountSessions;
}

/** The login of someone who has signed in by a factor alone: our registration makes it, with what their client wishes. */
export class LoneLogin {
  constructor(private readonly deps: LoneLoginDeps) {}

  /**
   * The login for a client that brings its login token, once. What passes by itself leaves the token good.
   * @param body the login without `auth`
   * @throws Refusal hold_ended if the token is unknown, used or expired, or factors or password were changed;
   *   limit_exceeded, homeserver_unreachable, homeserver_slow, homeserver_unclear
   */
  redeem(request: ClientRequest, token: string, body: JsonObject): Promise<Answer> {
    const deviceId = wishedDevice(body);
    const { client } = request;
    return this.logIn(request, token, body, (grant, proof) =>
      this.deps.exit.redeem(grant, proof, { client, deviceId, passwordAsSent: undefined }),
    );
  }

  /** The same for the account page: the value of its cookie. @throws Refusal as `redeem` */
  enter(request: ClientRequest, token: string, deviceName: string): Promise<string> {
    const body = { initial_device_display_name: deviceName };
    return this.logIn(request, token, body, (grant, proof) =>
      this.deps.accountSessions.enterAlone(request, grant, proof),
    );
  }

  private async logIn<T>(
    request: ClientRequest,
    token: string,
    body: JsonObject,
    give: (grant: Grant, proof: FactorTokenClaimed) => Promise<T | undefined>,
  ): Promise<T> {
    const { passes, ownLogin } = this.deps;
    const proof = await passes.claim(token);
    if (proof === undefined) throw new Refusal('hold_ended');
    try {
      const grant = await ownLogin.logIn({ request, userId: proof.userId, body });
      const given = grant && (await this.give(request, grant, body, () => give(grant, proof)));
      if (given === undefined) throw new Refusal('hold_ended');
      return given;
    } catch (error) {
      await passes.unclaim(proof);
      throw error;
    }
  }

  /** What no one gets is ended, but not the keys of a device that its user has already (R5). */
  private async give<T>(
    { signal, client }: ClientRequest,
    grant: Grant,
    body: JsonObject,
    give: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    let given: T | undefined;
    try {
      signal.throwIfAborted();
      given = await give();
      return given;
    } finally {
      if (given === undefined) await this.deps.upstream.abandon(grant, wishedDevice(body), client);
    }
  }
}
