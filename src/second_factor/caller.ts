import type { Homeserver, TokenOwner } from '../homeserver/homeserver.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { isSecondFactorStage } from '../matrix/wire.ts';
import { hashToken } from '../system/token_hash.ts';
import type { UiaEngine } from '../uia/engine.ts';
import { presentedAuth } from '../uia/presented_auth.ts';

/** A request's access token and whose it is. */
export interface Caller {
  readonly token: string;
  readonly owner: TokenOwner;
}

/**
 * The caller, as the homeserver knows them.
 * @throws Refusal missing_token, unknown_token if it is malformed, dead, or there are two (attacks 21, 105)
 */
export async function requireCaller(homeserver: Homeserver, request: ClientRequest): Promise<Caller> {
  const token = requireToken(request);
  return knownTo(request, { token, owner: await homeserver.whoami(token, request) });
}

/** Tells whose the tokens of requests are that go through User-Interactive Authentication. */
export class TokenOwners {
  constructor(
    private readonly homeserver: Homeserver,
    private readonly engine: UiaEngine,
  ) {}

  /** As `requireCaller`, without a question to the homeserver for each code. @throws Refusal */
  async require(request: ClientRequest): Promise<Caller> {
    const token = requireToken(request);
    const owner = await this.ownerOfSession(request, token);
    return owner === undefined ? requireCaller(this.homeserver, request) : knownTo(request, { token, owner });
  }

  /**
   * A code for a live session of this very token: the homeserver said whose it is when the session was opened.
   * A code sends nothing upstream; whatever does, asks the homeserver, which judges the token then.
   */
  private async ownerOfSession(request: ClientRequest, token: string): Promise<TokenOwner | undefined> {
    const auth = presentedAuth(request.body ?? {});
    if (auth?.session === undefined || auth.type === undefined) return undefined;
    if (!isSecondFactorStage(auth.type)) return undefined;
    const owner = await this.engine.ownerOf(auth.session);
    if (owner?.tokenHash !== hashToken(token)) return undefined;
    return { userId: owner.userId, deviceId: owner.deviceId, isGuest: false };
  }
}

function knownTo({ client }: ClientRequest, caller: Caller): Caller {
  client.record?.isOf(caller.owner.userId, caller.owner.deviceId);
  return caller;
}

function requireToken(request: ClientRequest): string {
  if (request.token.kind === 'none') throw new Refusal('missing_token');
  if (request.token.kind === 'malformed') throw new Refusal('unknown_token');
  return request.token.token;
}
