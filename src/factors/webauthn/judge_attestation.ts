import type { WebauthnConfirmRequest } from '../../matrix/shapes.ts';
import { isOfOwnPage, isOnlySpelling } from './client_data.ts';
import type { KeptCredential, KeptQuestion } from './kept_credential.ts';
import { algorithmOf } from './public_key.ts';
import { ALGORITHMS, type WebauthnSettings } from './webauthn_settings.ts';

/** What a browser makes of a new credential (`RegistrationResponseJSON`). */
export type Attestation = WebauthnConfirmRequest['credential'];

/** A credential that was just made. */
export interface NewCredential {
  readonly kept: KeptCredential;
  readonly counter: number;
  readonly backedUp: boolean;
}

const MOST_ID_BYTES = 1023;
const MOST_OBJECT_BYTES = 16 * 1024;

/**
 * Judges a new credential (Web Authentication, Level 3, section 7.1). Certificates are never looked at: which make an
 * authenticator is of does not matter here. Undefined if it is wrong, whatever the reason.
 */
export async function judgeAttestation(
  settings: WebauthnSettings,
  { challenge, userHandle }: KeptQuestion,
  attestation: Attestation,
): Promise<NewCredential | undefined> {
  const { id, rawId, response, clientExtensionResults } = attestation;
  if (id !== rawId || !isOnlySpelling(id, MOST_ID_BYTES)) return undefined;
  if (!isOnlySpelling(response.attestationObject, MOST_OBJECT_BYTES)) return undefined;
  try {
    if (!isOfOwnPage(response.clientDataJSON)) return undefined;
    const statement = await readStatement(response.attestationObject);
    if (statement === undefined) return undefined;
    const { verified, registrationInfo: info } = await verify(settings, challenge, attestation);
    if (!verified || info.credential.id !== id) return undefined;
    const algorithm = await algorithmIn(info.credential.publicKey);
    if (algorithm === undefined || (statement.alg ?? algorithm) !== algorithm) return undefined;
    const kept = {
      id,
      publicKey: Buffer.from(info.credential.publicKey).toString('base64url'),
      userHandle,
      rpId: settings.rpId,
      transports: (response.transports ?? []).filter((transport) => /^[a-z-]{1,32}$/.test(transport)),
      backupEligible: info.credentialDeviceType === 'multiDevice',
      discoverable: clientExtensionResults?.credProps?.rk ?? null,
    };
    return { kept, counter: info.credential.counter, backedUp: info.credentialBackedUp };
  } catch {
    // The library throws on everything that is not as it should be.
    return undefined;
  }
}

async function verify(
  { rpId, origins, userVerification }: WebauthnSettings,
  challenge: string,
  { id, rawId, type, response: { clientDataJSON, attestationObject } }: Attestation,
) {
  // Loaded at the first use: it is large, and most installations start without it.
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server');
  return verifyRegistrationResponse({
    response: {
      id,
      rawId,
      type,
      response: { clientDataJSON, attestationObject },
      clientExtensionResults: {},
    },
    expectedChallenge: challenge,
    expectedOrigin: [...origins],
    expectedRPID: rpId,
    expectedType: 'webauthn.create',
    requireUserVerification: userVerification === 'required',
    supportedAlgorithmIDs: Object.values(ALGORITHMS),
  });
}

/**
 * How the credential is attested: not at all, or by itself. Undefined for all else, which is not read any further.
 * @returns the algorithm that the statement names, if it has one
 */
async function readStatement(attestationObject: string): Promise<{ alg?: unknown } | undefined> {
  const { isoCBOR } = await import('@simplewebauthn/server/helpers');
  const bytes = Uint8Array.from(Buffer.from(attestationObject, 'base64url'));
  const object: unknown = isoCBOR.decodeFirst(bytes);
  if (!(object instanceof Map) || object.size !== 3) return undefined;
  const statement: unknown = object.get('attStmt');
  if (!(statement instanceof Map) || !(object.get('authData') instanceof Uint8Array)) return undefined;
  // Bytes behind the object, and other spellings of it, are not looked at by the library.
  if (isoCBOR.encode(object).length !== bytes.length) return undefined;
  const fmt: unknown = object.get('fmt');
  if (fmt === 'none') return statement.size === 0 ? {} : undefined;
  const isBySelf = statement.size === 2 && statement.has('alg') && statement.get('sig') instanceof Uint8Array;
  return fmt === 'packed' && isBySelf ? { alg: statement.get('alg') } : undefined;
}

async function algorithmIn(publicKey: Uint8Array): Promise<number | undefined> {
  const { isoCBOR } = await import('@simplewebauthn/server/helpers');
  return algorithmOf(isoCBOR.decodeFirst(Uint8Array.from(publicKey)));
}
