import type { ClientAddress } from '../http/client_request.ts';
import { answerRefusal, errcodeOf } from './answer_refusal.ts';
import type { CallHomeserver } from './homeserver.ts';

/**
 * Logs an access token out, also one whose time has passed (Synapse still takes those here).
 *
 * @throws Refusal if the homeserver did not say that the token is gone; the caller tries again later (R10).
 */
export async function logout(call: CallHomeserver, token: string, client: ClientAddress): Promise<void> {
  const answer = await call({
    method: 'POST',
    path: '/_matrix/client/v3/logout',
    token,
    body: {},
    client,
  });
  // A web server's page in the place of the homeserver is a 200, too.
  if (answer.status === 200 && answer.json !== undefined) return;
  if (answer.status === 401 && errcodeOf(answer) === 'M_UNKNOWN_TOKEN') return;
  throw answerRefusal(answer);
}
