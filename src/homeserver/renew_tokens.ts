import type { ClientAddress } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { Json, JsonObject } from '../matrix/wire.ts';
import { answerRefusal, errcodeOf } from './answer_refusal.ts';
import type { Homeserver } from './homeserver.ts';

/** What the homeserver gives for a refresh token. */
export type RenewedTokens = JsonObject & { readonly access_token: string };

/**
 * Gives a refresh token of the homeserver back to it (client-server API, `POST /refresh`).
 *
 * @throws Refusal unknown_token if its session has ended there; limit_exceeded, homeserver_unreachable,
 *   homeserver_slow, homeserver_unclear: nothing is known of it then
 */
export async function renewTokens(
  homeserver: Homeserver,
  refreshToken: Json | undefined,
  client: ClientAddress,
): Promise<RenewedTokens> {
  const answer = await homeserver.call({
    method: 'POST',
    path: '/_matrix/client/v3/refresh',
    body: { refresh_token: refreshToken ?? null },
    client,
    errand: 'essential',
  });
  // Synapse says M_FORBIDDEN of a session that cannot be refreshed any more (synapse/handlers/auth.py).
  if (answer.status === 403 && errcodeOf(answer) === 'M_FORBIDDEN') throw new Refusal('unknown_token');
  if (answer.status >= 500) throw new Refusal('homeserver_unreachable');
  if (answer.status !== 200) throw answerRefusal(answer);
  const { access_token: accessToken, refresh_token: next, expires_in_ms: expiresInMs } = answer.json ?? {};
  if (typeof accessToken !== 'string' || accessToken === '') throw new Refusal('homeserver_unclear');
  return {
    access_token: accessToken,
    ...(typeof next === 'string' && { refresh_token: next }),
    ...(typeof expiresInMs === 'number' && { expires_in_ms: expiresInMs }),
  };
}
