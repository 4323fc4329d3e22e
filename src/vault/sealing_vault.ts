import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { type Clock, MINUTE, systemClock } from '../system/clock.ts';
import type { RandomSource } from '../system/random.ts';
import { activeKeyAt, type KeyRing, keysActiveSince, type RingKey } from './key_ring.ts';
import { SealBroken, type Vault } from './vault.ts';

const CIPHER = 'aes-256-gcm';
const FORMAT_VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SUBKEY_BYTES = 32;
/** As far may the clocks of two processes be apart: each of them five minutes wrong. */
const CLOCKS_APART_MS = 10 * MINUTE;

/** What one key of the ring is used for; each use has a key of its own, so that none weakens another. */
interface Subkeys {
  readonly keyId: string;
  readonly seal: Buffer;
  readonly digest: Buffer;
  readonly pepper: Buffer;
  readonly audit: Buffer;
}

/**
 * The vault over a key ring. A sealed value is
 *
 *     version (1 byte) | length of the key id (1 byte) | key id | nonce (12) | ciphertext | tag (16)
 *
 * with everything before the nonce, and then the row's identity, as associated data (NIST SP 800-38D).
 */
export class SealingVault implements Vault {
  readonly #random: RandomSource;
  readonly #clock: Clock;
  readonly #reload: (() => KeyRing | undefined) | undefined;
  #ring: KeyRing;
  #byId: ReadonlyMap<string, Subkeys>;

  /**
   * @param options.reload - reads the ring again when a value turns up that was sealed under a key we do not
   *   know, as another process rotated the keys; undefined where it cannot be read at once.
   */
  constructor(
    ring: KeyRing,
    random: RandomSource,
    options: { readonly clock?: Clock; readonly reload?: () => KeyRing | undefined } = {},
  ) {
    this.#random = random;
    this.#clock = options.clock ?? systemClock;
    this.#reload = options.reload;
    this.#ring = ring;
    this.#byId = deriveAll(ring);
  }

  /** Uses a ring that was read again. A key that is no longer in it still opens until this process ends. */
  take(ring: KeyRing): void {
    this.#ring = ring;
    const unknown = ring.keys.filter(({ id }) => !this.#byId.has(id));
    if (unknown.length > 0) this.#byId = new Map([...this.#byId, ...unknown.map(derived)]);
  }

  seal(plain: Buffer | string, identity: string): Buffer {
    const active = this.#active();
    const header = sealHeader(active.keyId);
    const nonce = this.#random.bytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, active.seal, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(associatedData(header, identity));
    const ciphertext = Buffer.concat([
      typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain),
      cipher.final(),
    ]);
    return Buffer.concat([header, nonce, ciphertext, cipher.getAuthTag()]);
  }

  open(sealed: Buffer, identity: string): Buffer {
    const { header, keyId, nonce, ciphertext, tag } = takeApart(sealed);
    const decipher = createDecipheriv(CIPHER, this.#subkeys(keyId).seal, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(associatedData(header, identity));
    decipher.setAuthTag(tag);
    try {
      return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
    } catch (error) {
      throw new SealBroken(error);
    }
  }

  digest(purpose: string, value: string): string {
    return digestUnder(this.#active(), purpose, value);
  }

  digests(purpose: string, value: string, livesMs: number): readonly string[] {
    const active = this.#active();
    const since = this.#clock.now() - livesMs - CLOCKS_APART_MS;
    const others = keysActiveSince(this.#ring, since).filter(({ id }) => id !== active.keyId);
    const all = [active, ...others.map(({ id }) => this.#subkeys(id))];
    return all.map((subkeys) => digestUnder(subkeys, purpose, value));
  }

  isDigest(digest: string, purpose: string, value: string): boolean {
    try {
      const subkeys = this.#subkeys(digest.slice(0, digest.lastIndexOf('.')));
      return isSame(digestUnder(subkeys, purpose, value), digest);
    } catch (error) {
      if (error instanceof SealBroken) return false;
      throw error;
    }
  }

  /** The id of the key that it seals with now. */
  get sealingKey(): string {
    return this.#active().keyId;
  }

  pepper(keyId: string = this.#active().keyId): { readonly keyId: string; readonly secret: Buffer } {
    return { keyId, secret: Buffer.from(this.#subkeys(keyId).pepper) };
  }

  auditKey(keyId: string = this.#active().keyId): { readonly keyId: string; readonly secret: Buffer } {
    return { keyId, secret: Buffer.from(this.#subkeys(keyId).audit) };
  }

  #active(): Subkeys {
    return this.#subkeys(activeKeyAt(this.#ring, this.#clock.now()).id);
  }

  #subkeys(keyId: string): Subkeys {
    const known = this.#byId.get(keyId) ?? this.#afterReload(keyId);
    if (known === undefined) throw new SealBroken(new Error(`the key ring has no key ${keyId}`));
    return known;
  }

  #afterReload(keyId: string): Subkeys | undefined {
    try {
      const ring = this.#reload?.();
      if (ring !== undefined) this.take(ring);
    } catch (error) {
      throw new SealBroken(error);
    }
    return this.#byId.get(keyId);
  }
}

function digestUnder(subkeys: Subkeys, purpose: string, value: string): string {
  // The length keeps two pairs of purpose and value from running together into the same text.
  const length = Buffer.byteLength(purpose);
  const hmac = createHmac('sha256', subkeys.digest).update(`${length}:${purpose}${value}`);
  return `${subkeys.keyId}.${hmac.digest('hex')}`;
}

function isSame(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function deriveAll(ring: KeyRing): ReadonlyMap<string, Subkeys> {
  return new Map(ring.keys.map(derived));
}

function derived(key: RingKey): [string, Subkeys] {
  return [key.id, deriveSubkeys(key)];
}

/** RFC 5869; the ring's secrets are random already, so no salt is needed. */
function deriveSubkeys(key: RingKey): Subkeys {
  const derive = (use: string) =>
    Buffer.from(hkdfSync('sha256', key.secret, '', `matrix-2fa-proxy ${use}`, SUBKEY_BYTES));
  return {
    keyId: key.id,
    seal: derive('seal'),
    digest: derive('digest'),
    pepper: derive('pepper'),
    audit: derive('audit'),
  };
}

/** What every value begins with that is sealed under this key, and no other value does. */
export function sealHeader(keyId: string): Buffer {
  const id = Buffer.from(keyId);
  return Buffer.concat([Buffer.from([FORMAT_VERSION, id.length]), id]);
}

/** The header says its own length, so the identity cannot be mistaken for a part of it. */
function associatedData(header: Buffer, identity: string): Buffer {
  return Buffer.concat([header, Buffer.from(identity)]);
}

function takeApart(sealed: Buffer) {
  const headerLength = 2 + (sealed[1] ?? 0);
  if (sealed[0] !== FORMAT_VERSION) throw new SealBroken(new Error('unknown format'));
  if (sealed.length < headerLength + NONCE_BYTES + TAG_BYTES) throw new SealBroken(new Error('cut off'));
  return {
    header: sealed.subarray(0, headerLength),
    keyId: sealed.toString('utf8', 2, headerLength),
    nonce: sealed.subarray(headerLength, headerLength + NONCE_BYTES),
    ciphertext: sealed.subarray(headerLength + NONCE_BYTES, sealed.length - TAG_BYTES),
    tag: sealed.subarray(sealed.length - TAG_BYTES),
  };
}
