/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | JsonObject;

/** A JSON object as it stands on the wire. */
export interface JsonObject {
  [key: string]: Json | undefined;
}

export const TOTP_STAGE = 'm.login.2fa.totp';
export const RECOVERY_STAGE = 'm.login.2fa.recovery';
export const PASSWORD_STAGE = 'm.login.password';
export const SSO_STAGE = 'm.login.sso';

/** The id of our own identity provider: the sign-in page (spec/login.md). */
export const OWN_PROVIDER = 'two-factor';

/** The id that we give to the single sign-on of a homeserver that names no provider. */
export const UNNAMED_PROVIDER = 'homeserver-sso';

/** One of our two stages. */
export type SecondFactorStage = typeof TOTP_STAGE | typeof RECOVERY_STAGE;

/** Whether `stage` is one that we judge ourselves. */
export function isSecondFactorStage(stage: string): stage is SecondFactorStage {
  return stage === TOTP_STAGE || stage === RECOVERY_STAGE;
}

/** A flow: its stages in order. On the wire `{"stages": [...]}`. */
export type Flow = readonly string[];

/** Whether `value` is a JSON object (no array, not null). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
