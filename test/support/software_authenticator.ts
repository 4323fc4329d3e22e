import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isoCBOR } from '@simplewebauthn/server/helpers';
import type { JsonObject } from '../../src/matrix/wire.ts';

export type Algorithm = 'es256' | 'eddsa' | 'rs256';

/** What a browser or an authenticator does otherwise than it should. */
export interface Twist {
  /** Goes before what the browser says of itself. */
  readonly clientData?: Readonly<Record<string, unknown>>;
  readonly rpId?: string;
  readonly flags?: number;
  readonly counter?: number;
  /** Behind the authenticator data. */
  readonly trailing?: Buffer;
  readonly id?: Buffer;
  readonly userHandle?: string | null;
  /** The key that signs, in the place of the credential's. */
  readonly signsWith?: KeyObject;
  /** Of a new credential. */
  readonly attestation?: { readonly fmt: string; readonly statement: Map<string, unknown> };
  readonly coseKey?: unknown;
  readonly object?: Buffer;
  readonly discoverable?: boolean;
}

/** Flags of the authenticator data (Web Authentication, Level 3, section 6.1). */
export const FLAGS = { up: 0x01, uv: 0x04, be: 0x08, bs: 0x10, at: 0x40, ed: 0x80 };

export interface AuthenticatorOptions {
  readonly algorithm?: Algorithm;
  readonly origin?: string;
  /** Whether it counts its signatures. */
  readonly counts?: boolean;
  readonly flags?: number;
}

/** An authenticator and its browser, in software: one credential, which is as good as its options say. */
export class SoftwareAuthenticator {
  readonly id = randomBytes(32);
  counter = 0;
  private readonly keys: { publicKey: KeyObject; privateKey: KeyObject };
  private readonly algorithm: Algorithm;
  private readonly origin: string;
  private readonly flags: number;
  private readonly counts: boolean;
  private userHandle = '';

  constructor({ algorithm = 'es256', origin, counts = true, flags }: AuthenticatorOptions = {}) {
    this.algorithm = algorithm;
    this.keys = newKeys(algorithm);
    this.origin = origin ?? 'https://matrix.example.org';
    this.counts = counts;
    this.flags = flags ?? FLAGS.up;
  }

  /** `navigator.credentials.create`, and `toJSON` of what it answers. */
  create(options: JsonObject, twist: Twist = {}): JsonObject {
    this.userHandle = String((options.user as JsonObject).id);
    const rp = (options.rp as JsonObject).id;
    const id = twist.id ?? this.id;
    const length = Buffer.alloc(2);
    length.writeUInt16BE(id.length);
    const cose = twist.coseKey ?? this.coseKey();
    const attested = Buffer.concat([Buffer.alloc(16), length, id, cbor(cose)]);
    const authData = this.authenticatorData(
      String(rp),
      { ...twist, flags: twist.flags ?? this.flags | FLAGS.at },
      attested,
    );
    const clientDataJSON = this.clientData('webauthn.create', options, twist);
    const { fmt, statement } = twist.attestation ?? { fmt: 'none', statement: new Map() };
    const object = new Map<string, unknown>([
      ['fmt', fmt],
      ['attStmt', statement],
      ['authData', Uint8Array.from(authData)],
    ]);
    return {
      id: id.toString('base64url'),
      rawId: id.toString('base64url'),
      type: 'public-key',
      response: {
        clientDataJSON: clientDataJSON.toString('base64url'),
        attestationObject: (twist.object ?? cbor(object)).toString('base64url'),
        transports: ['internal', 'hybrid'],
      },
      clientExtensionResults: { credProps: { rk: twist.discoverable ?? true } },
    };
  }

  /** A new credential that attests itself with the key of the credential. */
  createPacked(
    options: JsonObject,
    { alg, forged = false }: { alg?: number; forged?: boolean } = {},
  ): JsonObject {
    const plain = this.create(options);
    const response = plain.response as JsonObject;
    const object = isoCBOR.decodeFirst(
      Uint8Array.from(Buffer.from(String(response.attestationObject), 'base64url')),
    );
    const authData = Buffer.from((object as Map<string, Uint8Array>).get('authData') ?? []);
    const signed = Buffer.concat([
      authData,
      sha256(Buffer.from(String(response.clientDataJSON), 'base64url')),
    ]);
    const sig = Uint8Array.from(this.sign(forged ? Buffer.from('other') : signed));
    const statement = new Map<string, unknown>([
      ['alg', alg ?? COSE[this.algorithm]],
      ['sig', sig],
    ]);
    return this.create(options, { attestation: { fmt: 'packed', statement } });
  }

  /** `navigator.credentials.get`, and `toJSON` of what it answers. */
  get(options: JsonObject, twist: Twist = {}): JsonObject {
    if (this.counts) this.counter += 1;
    const id = (twist.id ?? this.id).toString('base64url');
    const authData = this.authenticatorData(String(options.rpId), {
      ...twist,
      flags: twist.flags ?? this.flags,
    });
    const clientDataJSON = this.clientData('webauthn.get', options, twist);
    const signature = this.sign(Buffer.concat([authData, sha256(clientDataJSON)]), twist.signsWith);
    return {
      id,
      rawId: id,
      type: 'public-key',
      response: {
        clientDataJSON: clientDataJSON.toString('base64url'),
        authenticatorData: authData.toString('base64url'),
        signature: signature.toString('base64url'),
        userHandle: twist.userHandle === undefined ? this.userHandle : twist.userHandle,
      },
      clientExtensionResults: {},
    };
  }

  /** Its public key as authenticators write it (RFC 9053). */
  coseKey(): Map<number, unknown> {
    const jwk = this.keys.publicKey.export({ format: 'jwk' });
    const bytes = (text = '') => Uint8Array.from(Buffer.from(text, 'base64url'));
    const alg = COSE[this.algorithm];
    if (this.algorithm === 'eddsa')
      return new Map<number, unknown>([
        [1, 1],
        [3, alg],
        [-1, 6],
        [-2, bytes(jwk.x)],
      ]);
    if (this.algorithm === 'rs256')
      return new Map<number, unknown>([
        [1, 3],
        [3, alg],
        [-1, bytes(jwk.n)],
        [-2, bytes(jwk.e)],
      ]);
    return new Map<number, unknown>([
      [1, 2],
      [3, alg],
      [-1, 1],
      [-2, bytes(jwk.x)],
      [-3, bytes(jwk.y)],
    ]);
  }

  private clientData(type: string, options: JsonObject, { clientData }: Twist): Buffer {
    const { challenge } = options;
    return Buffer.from(
      JSON.stringify({ type, challenge, origin: this.origin, crossOrigin: false, ...clientData }),
    );
  }

  private authenticatorData(rpId: string, twist: Twist, attested = Buffer.alloc(0)): Buffer {
    const head = Buffer.alloc(5);
    head.writeUInt8(twist.flags ?? FLAGS.up, 0);
    head.writeUInt32BE(twist.counter ?? this.counter, 1);
    return Buffer.concat([
      sha256(Buffer.from(twist.rpId ?? rpId)),
      head,
      attested,
      twist.trailing ?? Buffer.alloc(0),
    ]);
  }

  private sign(data: Buffer, key = this.keys.privateKey): Buffer {
    return sign(this.algorithm === 'eddsa' ? null : 'sha256', data, key);
  }
}

const COSE = { eddsa: -8, es256: -7, rs256: -257 } as const;

export function newKeys(
  algorithm: Algorithm,
  rsaBits = 2048,
): { publicKey: KeyObject; privateKey: KeyObject } {
  if (algorithm === 'eddsa') return generateKeyPairSync('ed25519');
  if (algorithm === 'rs256') return generateKeyPairSync('rsa', { modulusLength: rsaBits });
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

export function cbor(value: unknown): Buffer {
  return Buffer.from(isoCBOR.encode(value as Parameters<typeof isoCBOR.encode>[0]));
}

function sha256(data: Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}
