import { isSecondFactorStage, type JsonObject } from '../matrix/wire.ts';
import { presentedAuth, withoutAuth } from '../uia/presented_auth.ts';
import { isSessionId } from '../uia/session_id.ts';

/**
 * The body without what is ours in its `auth`: a client may still be in one of our sessions when 2FA has just been
 * turned off, and the homeserver must see neither that session nor a code (attack 51). Where nothing is left, the
 * homeserver's own challenge follows.
 */
export function withoutOurAuth(body: JsonObject): JsonObject {
  const auth = presentedAuth(body);
  if (auth === undefined) return body;
  if (auth.type !== undefined && isSecondFactorStage(auth.type)) return withoutAuth(body);
  if (auth.session === undefined || !isSessionId(auth.session)) return body;
  const { session: _session, ...others } = auth.fields;
  return auth.type === undefined ? withoutAuth(body) : { ...body, auth: others };
}
