import type { ClientAddress } from '../http/client_request.ts';
import { answerRefusal, errcodeOf } from './answer_refusal.ts';
import type { CallHomeserver } from './homeserver.ts';

/**
 * The token is unknown, or its account is deactivated or locked: another try would get the same answer (attack 165).
 */
const SAYS_IT_IS_GONE = new Set([401, 403, 404]);

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
  // A web server's page in the place of the homeserver has these statuses, too.
  if (answer.status === 200 && answer.json !== undefined) return;
  const errcode = errcodeOf(answer);
  if (SAYS_IT_IS_GONE.has(answer.status) && errcode !== undefined) return;
  if (errcode === 'M_USER_DEACTIVATED') return;
  throw answerRefusal(answer);
}
