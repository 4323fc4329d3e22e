import { parseStrictJson } from '../../matrix/strict_json.ts';
import { isJsonObject, type Json } from '../../matrix/wire.ts';

/** The answer of an authenticator to a question, as browsers write it (`AuthenticationResponseJSON`). */
export interface Assertion {
  readonly id: string;
  readonly rawId: string;
  readonly type: 'public-key';
  readonly response: {
    readonly clientDataJSON: string;
    readonly authenticatorData: string;
    readonly signature: string;
    readonly userHandle?: string;
  };
}

/** Undefined if it is something else. */
export function readAssertion(proof: Json): Assertion | undefined {
  if (!isJsonObject(proof) || !isJsonObject(proof.response)) return undefined;
  const { id, rawId, type } = proof;
  const { clientDataJSON, authenticatorData, signature, userHandle = null } = proof.response;
  if (typeof id !== 'string' || typeof rawId !== 'string' || type !== 'public-key') return undefined;
  if (typeof clientDataJSON !== 'string' || typeof authenticatorData !== 'string') return undefined;
  if (typeof signature !== 'string' || (userHandle !== null && typeof userHandle !== 'string')) {
    return undefined;
  }
  const handle = userHandle === null ? {} : { userHandle };
  return { id, rawId, type, response: { clientDataJSON, authenticatorData, signature, ...handle } };
}

/** The answer in what a form brings; undefined if there is none, which counts nowhere. */
export function readSent(sent: string): Json | undefined {
  try {
    const proof = parseStrictJson(Buffer.from(sent));
    return readAssertion(proof) === undefined ? undefined : proof;
  } catch {
    return undefined;
  }
}

/**
 * Whether a page asked by itself, and not a frame in another's page. The rest of what the browser says (type, challenge,
 * origin) is compared where the signature is.
 */
export function isOfOwnPage(clientDataJSON: string): boolean {
  const data: unknown = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString('utf8'));
  if (typeof data !== 'object' || data === null) return false;
  const { crossOrigin = false, topOrigin } = data as { crossOrigin?: unknown; topOrigin?: unknown };
  return crossOrigin === false && topOrigin === undefined;
}

/** Whether a text is the one way to write some bytes, at least one and at most `most`. */
export function isOnlySpelling(text: string, most: number): boolean {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length > 0 && bytes.length <= most && bytes.toString('base64url') === text;
}
