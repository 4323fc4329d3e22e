/** What is shown of every device password before its secret, so that people and programs know it. */
const PREFIX = 'm2dp';
/** Crockford's base32: no I, L, O, U, so that nothing looks like something else. Written in lower case. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** 32 characters of 5 bits: 160 bits. */
export const DEVICE_SECRET_LENGTH = 32;
const GROUP = /.{4}(?=.)/g;
/** Blanks, and the dashes that phones make of a hyphen. */
const SEPARATORS = /[\s\-\u2010-\u2015\u2212]/g;
/** The prefix, the secret, and what may stand behind it: nothing, or a code of a second factor. */
const FORM = /^m2dp([0-9a-z]{32})([0-9]{6,8}|[0-9a-z]{12})?$/;

/** A password field that has the form of a device password. */
export interface DevicePasswordTyped {
  /** As it is compared: 32 characters, no separators, look-alikes read as what they look like. */
  readonly secret: string;
  /** Whether a code stands behind it; then it is refused. */
  readonly hasCodeBehind: boolean;
}

/** The secret that random bytes make, as it is compared: 5 bits of each. */
export function deviceSecretFrom(bytes: Buffer): string {
  return Array.from(bytes, (byte) => ALPHABET.charAt(byte % ALPHABET.length)).join('');
}

/** A secret as it is shown: `m2dp-xxxx-xxxx-…`. */
export function showDevicePassword(secret: string): string {
  return `${PREFIX}-${secret.replace(GROUP, '$&-')}`;
}

/**
 * Reads a password field. Undefined for an ordinary password, also for one that only begins like a device password.
 * What has the form never goes to the homeserver.
 */
export function readDevicePassword(field: unknown): DevicePasswordTyped | undefined {
  if (typeof field !== 'string') return undefined;
  const [, typed, behind] = FORM.exec(field.replaceAll(SEPARATORS, '').toLowerCase()) ?? [];
  if (typed === undefined) return undefined;
  const secret = typed.replace(/[il]/g, '1').replaceAll('o', '0');
  return secret.includes('u') ? undefined : { secret, hasCodeBehind: behind !== undefined };
}
