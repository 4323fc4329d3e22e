/**
 * How codes are made (RFC 6238). Only `window` and `issuer` may change once a user is enrolled: the other
 * three are in people's authenticator apps, and the accepted steps count in `period`.
 */
export interface TotpSettings {
  /** The name that authenticator apps show above the code. */
  readonly issuer: string;
  /** How many steps before and after the present one are accepted. */
  readonly window: number;
  readonly algorithm: 'sha1' | 'sha256' | 'sha512';
  readonly digits: number;
  /** Seconds a step lasts. */
  readonly period: number;
}
