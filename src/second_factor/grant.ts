import type { HomeserverAnswer } from '../homeserver/homeserver.ts';
import { parseUserId } from '../matrix/user_id.ts';
import type { JsonObject } from '../matrix/wire.ts';

/** A login that the homeserver granted: its 200, with what we need of it. */
export interface Grant {
  readonly accessToken: string;
  /** Absent only in answers that break the specification; the token's owner is asked for then (attack 34). */
  readonly userId: string | undefined;
  readonly deviceId: string | undefined;
  /** Life of the token in ms; undefined if it does not expire. */
  readonly expiresInMs: number | undefined;
  /** The whole answer, as it goes to the client. */
  readonly body: JsonObject;
}

/** Reads a granted login from a 200; undefined if it does not have the shape of one (R1, attack 33). */
export function readGrant(answer: HomeserverAnswer): Grant | undefined {
  const body = answer.json;
  if (answer.status !== 200 || body === undefined) return undefined;
  const accessToken = body.access_token;
  if (typeof accessToken !== 'string' || accessToken === '') return undefined;
  const { user_id: userId, device_id: deviceId, expires_in_ms: expiresInMs } = body;
  if (userId !== undefined && (typeof userId !== 'string' || parseUserId(userId) === undefined))
    return undefined;
  if (deviceId !== undefined && typeof deviceId !== 'string') return undefined;
  return {
    accessToken,
    userId,
    deviceId,
    expiresInMs: typeof expiresInMs === 'number' ? expiresInMs : undefined,
    body,
  };
}
