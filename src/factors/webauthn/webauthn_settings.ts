/** Which passkeys and security keys are taken (Web Authentication, Level 3). */
export interface WebauthnSettings {
  /** The domain that credentials are bound to: where it changes, those of before are of no use. */
  readonly rpId: string;
  /** What browsers show of the server. */
  readonly rpName: string;
  /** The pages that may ask for a credential. */
  readonly origins: readonly string[];
  /** Whether authenticators ask for a PIN, a finger or a face. */
  readonly userVerification: 'required' | 'preferred' | 'discouraged';
  /** Whether users can sign in by a passkey alone. */
  readonly passwordless: boolean;
}

/** How long a question stands: as long as most browsers wait for an answer. */
export const CHALLENGE_MS = 5 * 60_000;

/** EdDSA, ES256, RS256, as COSE numbers them (RFC 9053, RFC 8812). */
export const ALGORITHMS = { eddsa: -8, es256: -7, rs256: -257 } as const;
