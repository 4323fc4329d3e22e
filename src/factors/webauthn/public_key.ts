import { createPublicKey, type JsonWebKeyInput } from 'node:crypto';
import { ALGORITHMS } from './webauthn_settings.ts';

/** Labels of a COSE key (RFC 9052, RFC 9053, RFC 8230). */
const KTY = 1;
const ALG = 3;
const CRV_OR_N = -1;
const X_OR_E = -2;
const Y = -3;

const OKP = 1;
const EC2 = 2;
const RSA = 3;
const P256 = 1;
const ED25519 = 6;

const COORDINATE_BYTES = 32;
const RSA_BITS = { least: 2048, most: 4096 };
/** 65537 has three; with 1 every signature is right. */
const MOST_EXPONENT_BYTES = 4;

/** The algorithm of a COSE key that signatures may be judged by; undefined if it is another, or the key is not sound. */
export function algorithmOf(cose: unknown): number | undefined {
  if (!(cose instanceof Map)) return undefined;
  const alg: unknown = cose.get(ALG);
  const key = jwkOf(cose, alg);
  return key !== undefined && typeof alg === 'number' && isOpened(key) ? alg : undefined;
}

function jwkOf(cose: ReadonlyMap<unknown, unknown>, alg: unknown): JsonWebKeyInput['key'] | undefined {
  const kty = cose.get(KTY);
  if (alg === ALGORITHMS.es256 && kty === EC2 && cose.get(CRV_OR_N) === P256) {
    const [x, y] = [coordinate(cose.get(X_OR_E)), coordinate(cose.get(Y))];
    return x === undefined || y === undefined ? undefined : { kty: 'EC', crv: 'P-256', x, y };
  }
  if (alg === ALGORITHMS.eddsa && kty === OKP && cose.get(CRV_OR_N) === ED25519) {
    const x = coordinate(cose.get(X_OR_E));
    return x === undefined ? undefined : { kty: 'OKP', crv: 'Ed25519', x };
  }
  if (alg !== ALGORITHMS.rs256 || kty !== RSA) return undefined;
  return rsaKey(cose.get(CRV_OR_N), cose.get(X_OR_E));
}

function rsaKey(n: unknown, e: unknown): JsonWebKeyInput['key'] | undefined {
  if (!(n instanceof Uint8Array) || !(e instanceof Uint8Array)) return undefined;
  const bits = n.length * 8 - Math.clz32(n[0] ?? 0) + 24;
  const isLong = bits >= RSA_BITS.least && bits <= RSA_BITS.most;
  const exponent = e.length > MOST_EXPONENT_BYTES ? 0 : e.reduce((sum, byte) => sum * 256 + byte, 0);
  if (!isLong || exponent < 3 || exponent % 2 === 0) return undefined;
  return { kty: 'RSA', n: base64url(n), e: base64url(e) };
}

function coordinate(value: unknown): string | undefined {
  return value instanceof Uint8Array && value.length === COORDINATE_BYTES ? base64url(value) : undefined;
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

/** A point that is not on its curve does not open. */
function isOpened(key: JsonWebKeyInput['key']): boolean {
  try {
    createPublicKey({ key, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}
