import type { Homeserver, HomeserverAnswer, PublishedKeys } from '../homeserver/homeserver.ts';
import { relayAnswer } from '../homeserver/relay.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { isJsonObject, type Json, type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';
import type { Caller } from '../second_factor/caller.ts';
import type { FreshLogins } from '../second_factor/fresh_logins.ts';
import type { PresentedCodes } from '../second_factor/presented.ts';
import { canonicalJson, isEmptyBody } from '../uia/canonical_body.ts';
import { presentedAuth, withoutAuth } from '../uia/presented_auth.ts';
import type { OwnedRequest } from './session_of_request.ts';

/** What an upload needs: nothing more, or a proof for this body. */
type KeyStep =
  | { readonly is: 'answer'; readonly answer: Answer }
  | ({ readonly is: 'owes_proof' } & Pick<OwnedRequest, 'body' | 'requirement'>);

/**
 * Uploads of cross-signing keys by users with 2FA (docs/clients.md): the existing keys are looked at before `auth`
 * is, as the first upload may carry the login's spent code.
 */
export class KeyUploads {
  constructor(
    private readonly deps: {
      readonly homeserver: Homeserver;
      readonly freshLogins: FreshLogins;
      readonly presented: PresentedCodes;
    },
  ) {}

  /** @param send sends keys to the homeserver, as the caller */
  async begin(
    { token, owner }: Caller,
    request: ClientRequest,
    body: JsonObject,
    send: (keys: JsonObject) => Promise<HomeserverAnswer>,
  ): Promise<KeyStep> {
    const keys = withoutAuth(body);
    // `auth` alone goes on with keys that came before.
    const goesOn = isEmptyBody(keys) && presentedAuth(body) !== undefined;
    const published = goesOn
      ? undefined
      : await this.deps.homeserver.publishedKeys(token, owner.userId, request);
    if (published !== undefined && needsNoProof(keys, published)) {
      const answer = await send(keys);
      // One server asks all the same (docs/homeservers.md): its challenge is never relayed.
      if (answer.status !== 401) return { is: 'answer', answer: relayAnswer(answer, keys) };
    }
    // A sign-in with a second factor a moment ago counts for the keys, too.
    const isFresh = await this.deps.freshLogins.isFresh(token, owner.userId);
    const readable = await this.withoutSpentCode({ token, owner }, body);
    return { is: 'owes_proof', body: readable, requirement: isFresh ? 'fresh_sign_in' : 'two_factor' };
  }

  /** A login's own password field with its spent code is good for the login's first key upload. */
  private async withoutSpentCode({ token, owner }: Caller, body: JsonObject): Promise<JsonObject> {
    const auth = presentedAuth(body);
    const field = auth?.fields.password;
    if (auth?.type !== PASSWORD_STAGE || typeof field !== 'string') return body;
    if (!(await this.deps.freshLogins.isLoginPassword(token, owner.userId, field))) return body;
    const password = this.deps.presented.inPassword(field)?.password ?? field;
    return { ...body, auth: { ...auth.fields, password } };
  }
}

/**
 * Whether an upload of cross-signing keys changes nothing that stands, so that the specification asks for no
 * proof (client-server API, `POST /keys/device_signing/upload`): the first one, or one that repeats the keys.
 */
function needsNoProof(upload: JsonObject, published: PublishedKeys): boolean {
  if (published.masterKey === undefined) return true;
  return (
    repeats(upload.master_key, published.masterKey) &&
    repeats(upload.self_signing_key, published.selfSigningKey) &&
    repeats(upload.user_signing_key, published.userSigningKey)
  );
}

/** Signatures do not count: others sign the keys later on. */
function repeats(uploaded: Json | undefined, published: JsonObject | undefined): boolean {
  if (uploaded === undefined || uploaded === null) return true;
  if (!isJsonObject(uploaded) || published === undefined) return false;
  return ['keys', 'usage', 'user_id'].every(
    (part) => canonicalJson(uploaded[part] ?? null) === canonicalJson(published[part] ?? null),
  );
}
