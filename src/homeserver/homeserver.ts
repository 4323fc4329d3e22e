import type { ClientAddress } from '../http/client_request.ts';
import type { JsonObject } from '../matrix/wire.ts';

/** A homeserver's answer on a gated route, read whole (it is small) and parsed if it is JSON. */
export interface HomeserverAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  /** The JSON object in the body; undefined if it is anything else. */
  readonly json: JsonObject | undefined;
}

/** Ends what a late answer grants, which no client waits for any more, or writes what follows from it. */
export type WhenLate = (answer: HomeserverAnswer) => Promise<void>;

/** For whom the homeserver is asked. */
export interface Asker {
  /** Becomes X-Forwarded-For, X-Forwarded-Proto and Host. */
  readonly client: ClientAddress;
  /**
   * Ends the request when its client goes away. A request whose answer must be known, because it may be a grant or
   * change what is on record here, goes without one.
   */
  readonly signal?: AbortSignal | undefined;
}

/** One request to the homeserver. */
export interface HomeserverCall extends Asker {
  readonly method: string;
  /** Canonical path with query. */
  readonly path: string;
  readonly token?: string;
  readonly body?: JsonObject;
  /** Requests of one kind share connections; without a kind they share the general ones. */
  readonly errand?: Errand;
  /**
   * For requests that may make a login, or change what is on record here: where the answer does not come in time, the caller is refused, the request
   * runs on, and this gets the answer.
   */
  readonly whenLate?: WhenLate;
}

/**
 * Kinds of requests that have connections of their own: sign-ins, which a crowd can make many of, and what must
 * always go through: logging out, refreshing, what a client asks before it signs in.
 */
export type Errand = 'sign_in' | 'essential';

/** A password to be judged, with the access token of the account that it should open. */
export interface JudgedPassword {
  readonly token: string;
  /** The full user id of the token's owner. */
  readonly userId: string;
  readonly password: string;
  readonly client: ClientAddress;
}

/** What the homeserver said of a password (docs/homeservers.md, "Judging a password"). */
export type PasswordJudgement =
  /** `oauth`: a session of the homeserver's OAuth, under which it takes no password. */
  | { readonly verdict: 'right' | 'wrong' | 'no_password' | 'oauth' }
  | { readonly verdict: 'wait'; readonly retryAfterMs: number };

/** How the parts of this folder reach the homeserver. */
export type CallHomeserver = (call: HomeserverCall) => Promise<HomeserverAnswer>;

/** The only way to the homeserver on gated routes. Throws `Refusal` (homeserver_unreachable, _slow, _unclear). */
export interface Homeserver {
  call(call: HomeserverCall): Promise<HomeserverAnswer>;
  /** The owner of an access token; throws `Refusal` unknown_token (soft_logout is kept out) if it is dead. */
  whoami(token: string, asker: Asker, errand?: Errand): Promise<TokenOwner>;
  /** Logs a token out; resolves once the homeserver has said that it is gone, throws if it could not say. */
  logout(token: string): Promise<void>;
  /** Judges a password by the challenge-first probe, with a login as fallback. */
  judgePassword(judged: JudgedPassword): Promise<PasswordJudgement>;
  /** Whether the homeserver's own OAuth made this token: no password is taken under it then. */
  isMadeByOAuth(token: string, asker: Asker): Promise<boolean>;
  /** Whether the homeserver takes a password of the owner of this token; where it does not say, yes. */
  takesPassword(token: string, asker: Asker): Promise<boolean>;
  /** Whether the owner of this token administers the homeserver; undefined if it does not say. */
  isAdministrator(token: string, userId: string, asker: Asker): Promise<boolean | undefined>;
  /** The user's published cross-signing keys as the client-server API shows them (`/keys/query`). */
  publishedKeys(token: string, userId: string, asker: Asker): Promise<PublishedKeys>;
  /** Whether the homeserver took the new display name of a device. */
  nameDevice(token: string, deviceId: string, name: string, client: ClientAddress): Promise<boolean>;
  /** What the owner of this token calls a device of theirs; undefined if nothing, or if the homeserver did not say. */
  deviceName(token: string, deviceId: string, asker: Asker): Promise<string | undefined>;
  /** Resolves if the homeserver answers, without a server error. */
  check(): Promise<void>;
}

export interface TokenOwner {
  readonly userId: string;
  readonly deviceId: string | null;
  readonly isGuest: boolean;
}

export interface PublishedKeys {
  readonly masterKey: JsonObject | undefined;
  readonly selfSigningKey: JsonObject | undefined;
  readonly userSigningKey: JsonObject | undefined;
  /** Ids of devices that have uploaded keys. */
  readonly devices: ReadonlySet<string>;
}
