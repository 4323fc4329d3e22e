/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | JsonObject;

/** A JSON object as it stands on the wire. */
export interface JsonObject {
  [key: string]: Json | undefined;
}

export const RECOVERY_STAGE = 'm.login.2fa.recovery';
export const PASSWORD_STAGE = 'm.login.password';
export const SSO_STAGE = 'm.login.sso';

/** The stage of OAuth clients: it is done on a page (client-server API, "OAuth authentication"). */
export const OAUTH_STAGE = 'm.oauth';

/** Login with a token: that of a provider, of another client, or of our sign-in page. */
export const TOKEN_LOGIN = 'm.login.token';
/** Login of an application service in the name of a user. */
export const APPSERVICE_LOGIN = 'm.login.application_service';

/** Where we log in at the homeserver of our own accord, and ask which logins it has. */
export const LOGIN_PATH = '/_matrix/client/v3/login';

/** The id of our own identity provider: the sign-in page (spec/login.md). */
export const OWN_PROVIDER = 'two-factor';

/** The id that we give to the single sign-on of a homeserver that does not name its provider. */
export const UNNAMED_PROVIDER = 'homeserver-sso';

/** Behind it stands the kind of a factor. */
export const OWN_STAGES = 'm.login.2fa.';

/** Done by setting a second factor up during a sign-in. It is not the stage of a factor. */
export const ENROLMENT_STAGE = `${OWN_STAGES}enrol` as const;

/** A stage that one of our factors judges. The list of factors says which there are. */
export type SecondFactorStage = `${typeof OWN_STAGES}${string}`;

/** Whether `stage` is named like ours: the homeserver never sees it. There need not be a factor for it. */
export function isSecondFactorStage(stage: string): stage is SecondFactorStage {
  return stage.startsWith(OWN_STAGES);
}

/** A flow: its stages in order. On the wire `{"stages": [...]}`. */
export type Flow = readonly string[];

/** A text that every store takes, PostgreSQL none with a NUL; undefined for anything else. */
export function storableText(value: unknown): string | undefined {
  return typeof value === 'string' && !value.includes('\0') ? value : undefined;
}

/** Whether `value` is a JSON object (no array, not null). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
