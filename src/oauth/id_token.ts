import { createHash, createPrivateKey, generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import type { Answer } from '../http/answer.ts';
import type { Json } from '../matrix/wire.ts';
import type { Storage } from '../storage/storage.ts';
import { keepFirstKey, listKeys, type OauthKey } from '../storage/tables/oauth_keys.ts';
import { type Clock, MINUTE, SECOND } from '../system/clock.ts';
import type { Vault } from '../vault/vault.ts';
import { publicAnswer } from './metadata.ts';

const newKeyPair = promisify(generateKeyPair);
const MODULUS_BITS = 2048;
const LIFETIME_MS = 10 * MINUTE;

/** Whom an ID token is about, and for whom it is. */
export interface IdTokenClaims {
  readonly clientId: string;
  readonly userId: string;
  readonly nonce: string | null;
}

/**
 * ID tokens (OpenID Connect Core 1.0, section 2): matrix-js-sdk up to 41.9 refuses an answer without one. They open
 * nothing here. Their key is made at the first use and kept in the store, sealed, so that all processes sign by the same.
 */
export class IdTokens {
  constructor(
    private readonly deps: {
      readonly storage: Pick<Storage, 'commit' | 'read'>;
      readonly vault: Pick<Vault, 'seal' | 'open'>;
      readonly clock: Clock;
    },
    private readonly issuer: string,
  ) {}

  /** A signed token (RFC 7515) by RS256. */
  async issue({ clientId, userId, nonce }: IdTokenClaims): Promise<string> {
    const key = await this.signingKey();
    const now = this.deps.clock.now();
    const claims = {
      iss: this.issuer,
      sub: userId,
      aud: clientId,
      iat: Math.floor(now / SECOND),
      exp: Math.floor((now + LIFETIME_MS) / SECOND),
      ...(nonce !== null && { nonce }),
    };
    const signed = `${encoded({ alg: 'RS256', typ: 'JWT', kid: key.kid })}.${encoded(claims)}`;
    return `${signed}.${sign('sha256', Buffer.from(signed), this.open(key)).toString('base64url')}`;
  }

  /** `GET /_2fa/oauth2/jwks`: what the tokens can be checked by (RFC 7517). */
  async describe(): Promise<Answer> {
    await this.signingKey();
    const keys = await this.deps.storage.read(listKeys());
    return publicAnswer({ keys: keys.map(({ publicJwk }) => JSON.parse(publicJwk) as Json) });
  }

  /** The newest one. Of several processes that make the first at once, that of one is kept, and all read it. */
  private async signingKey(): Promise<OauthKey> {
    const { storage } = this.deps;
    const [known] = await storage.read(listKeys());
    if (known !== undefined) return known;
    await storage.commit([], keepFirstKey(await this.newKey()));
    const [kept] = await storage.read(listKeys());
    if (kept === undefined) throw new Error('the key of the ID tokens was not kept');
    return kept;
  }

  private async newKey(): Promise<OauthKey> {
    const { privateKey, publicKey } = await newKeyPair('rsa', { modulusLength: MODULUS_BITS });
    const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
    const kid = thumbprint(n, e);
    const plain = privateKey.export({ type: 'pkcs8', format: 'der' });
    return {
      kid,
      sealedKey: this.deps.vault.seal(plain, identityOf(kid)),
      publicJwk: JSON.stringify({ kty: 'RSA', use: 'sig', alg: 'RS256', kid, n, e }),
    };
  }

  private open({ kid, sealedKey }: OauthKey): KeyObject {
    const key = this.deps.vault.open(sealedKey, identityOf(kid));
    return createPrivateKey({ key, type: 'pkcs8', format: 'der' });
  }
}

function identityOf(kid: string): string {
  return `oauth-key:${kid}`;
}

/** The name of a key (RFC 7638). */
function thumbprint(n: string, e: string): string {
  return createHash('sha256')
    .update(JSON.stringify({ e, kty: 'RSA', n }))
    .digest('base64url');
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
