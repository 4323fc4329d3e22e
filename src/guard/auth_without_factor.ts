import { Refusal } from '../matrix/refusals.ts';
import { isSecondFactorStage, type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';
import { isIdentityFree, pinnedPassword, requireOwnName, withoutNames } from '../uia/allowed_stages.ts';
import { type PresentedAuth, presentedAuth, withoutAuth } from '../uia/presented_auth.ts';
import { isSessionId } from '../uia/session.ts';

/**
 * The body of a guarded request as the homeserver may see it from a caller without 2FA (R6): its `auth` is the owner's
 * password, pinned to their full id, or says nothing of who is meant. Several servers act on the user that a stage
 * names, or take the password of that user (attacks 103, 156, 157).
 * @throws Refusal other_user, stage_not_offered, bad_json
 */
export function bodyWithoutFactor(body: JsonObject, ownerId: string): JsonObject {
  const auth = presentedAuth(body);
  if (auth === undefined) return body;
  const { session } = auth;
  if (auth.type !== undefined && isSecondFactorStage(auth.type)) {
    // A client has such a stage only if 2FA was turned off during one of our sessions.
    if (session === undefined || !isSessionId(session)) throw new Refusal('stage_not_offered');
    return withoutOurAuth(body);
  }
  const stage = passableStage(auth, ownerId);
  return withoutOurAuth({ ...body, auth: session === undefined ? stage : { ...stage, session } });
}

/** A stage without its session. @throws Refusal other_user, stage_not_offered, bad_json */
function passableStage({ type, fields }: PresentedAuth, ownerId: string): JsonObject {
  const { session: _session, ...others } = fields;
  if (type === undefined) {
    // A server might guess a type from what else is there.
    if (Object.values(others).some((value) => value !== null)) throw new Refusal('stage_not_offered');
    return {};
  }
  if (type === PASSWORD_STAGE) {
    requireOwnName(fields, ownerId);
    return pinnedPassword(fields.password, ownerId);
  }
  if (!isIdentityFree(type)) throw new Refusal('stage_not_offered');
  return withoutNames(others);
}

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
