import { type Assertion, isOfOwnPage } from './client_data.ts';
import type { KeptCredential } from './kept_credential.ts';
import type { WebauthnSettings } from './webauthn_settings.ts';

/** What a right signature says beside. */
export interface Signed {
  /** How often the authenticator has signed; 0 if it does not count. */
  readonly counter: number;
  readonly backedUp: boolean;
}

/**
 * Judges an answer by the public key that it must be of (Web Authentication, Level 3, section 7.2). The counter is not
 * compared: that is done by the write that spends it, after the signature was right, so that a forged answer raises no
 * alarm. Undefined if it is wrong, whatever the reason.
 */
export async function judgeAssertion(
  { rpId, origins, userVerification }: WebauthnSettings,
  credential: KeptCredential,
  challenge: string,
  assertion: Assertion,
): Promise<Signed | undefined> {
  try {
    const { userHandle } = assertion.response;
    if (userHandle !== undefined && userHandle !== credential.userHandle) return undefined;
    if (!isOfOwnPage(assertion.response.clientDataJSON)) return undefined;
    // Loaded at the first use: it is large, and most installations start without it.
    const { verifyAuthenticationResponse } = await import('@simplewebauthn/server');
    const { verified, authenticationInfo: info } = await verifyAuthenticationResponse({
      response: { ...assertion, clientExtensionResults: {} },
      expectedChallenge: challenge,
      expectedOrigin: [...origins],
      expectedRPID: rpId,
      expectedType: 'webauthn.get',
      credential: {
        id: credential.id,
        publicKey: Uint8Array.from(Buffer.from(credential.publicKey, 'base64url')),
        counter: 0,
      },
      requireUserVerification: userVerification === 'required',
    });
    const backupEligible = info.credentialDeviceType === 'multiDevice';
    if (!verified || backupEligible !== credential.backupEligible) return undefined;
    return { counter: info.newCounter, backedUp: info.credentialBackedUp };
  } catch {
    // The library throws on everything that is not as it should be.
    return undefined;
  }
}
