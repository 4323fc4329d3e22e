import { Refusal } from '../matrix/refusals.ts';
import { parseUserId } from '../matrix/user_id.ts';
import { storableText } from '../matrix/wire.ts';
import { answerRefusal } from './answer_refusal.ts';
import type { Asker, CallHomeserver, TokenOwner } from './homeserver.ts';

/**
 * Asks whose an access token is.
 *
 * @throws Refusal unknown_token if it is dead; limit_exceeded, forbidden (account locked or deactivated) or
 *   homeserver_unclear otherwise: an owner that we do not know is never taken for one without 2FA (attack 72).
 */
export async function whoami(call: CallHomeserver, token: string, asker: Asker): Promise<TokenOwner> {
  const { client, signal } = asker;
  const answer = await call({
    method: 'GET',
    path: '/_matrix/client/v3/account/whoami',
    token,
    client,
    signal,
  });
  if (answer.status !== 200) throw answerRefusal(answer);
  const userId = answer.json?.user_id;
  if (typeof userId !== 'string' || parseUserId(userId) === undefined) {
    throw new Refusal('homeserver_unclear');
  }
  return {
    userId,
    // With a NUL it could not be put on record.
    deviceId: storableText(answer.json?.device_id) ?? null,
    isGuest: answer.json?.is_guest === true,
  };
}
