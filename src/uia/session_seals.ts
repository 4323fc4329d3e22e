import { createHash } from 'node:crypto';
import type { ClientAddress } from '../http/client_request.ts';
import { widerNetworkOf } from '../http/network.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { StoredSession } from '../storage/tables/sessions.ts';
import { HOUR } from '../system/clock.ts';
import type { Vault } from '../vault/vault.ts';
import { canonicalJson, isEmptyBody } from './canonical_body.ts';
import type { Session } from './session.ts';

/** Larger ones are kept as digest only, and the client repeats them: 50 sessions of 1 MiB fill no disk (attack 122). */
const LARGEST_KEPT_BODY = 16 * 1024;

const BODY = 'session-body';
/** The most that `uia.session_ttl` may be. */
const LONGEST_SESSION_MS = 24 * HOUR;

type SealedPart = 'id' | 'body' | 'password' | 'token';

/** What is kept of a body. */
interface Fingerprint {
  /** The body itself, or a digest of a large one. */
  readonly named: string;
  readonly digest: string;
  readonly isLarge: boolean;
}

/** Turns what is secret of sessions into what is stored of it, and back. */
export class SessionSeals {
  /** A request asks more than once for the digest of its body, which takes a while where it has 1 MiB. */
  private readonly fingerprints = new WeakMap<JsonObject, Fingerprint>();

  constructor(private readonly vault: Vault) {}

  seal(part: SealedPart, idHash: string, plain: string): Buffer {
    return this.vault.seal(plain, identityOf(part, idHash));
  }

  /** Null where there is nothing to seal. */
  sealGiven(part: SealedPart, idHash: string, plain: string | undefined): Buffer | null {
    return plain === undefined ? null : this.seal(part, idHash, plain);
  }

  /** A large body is kept as its digest only, a missing one not at all. */
  sealBody(idHash: string, body: JsonObject | undefined): Pick<StoredSession, 'sealedBody' | 'bodyDigest'> {
    if (body === undefined || isEmptyBody(body)) return { sealedBody: null, bodyDigest: null };
    const { digest, isLarge } = this.fingerprintOf(body);
    return {
      sealedBody: isLarge ? null : this.seal('body', idHash, JSON.stringify(body)),
      bodyDigest: digest,
    };
  }

  /** The keyed digests that equal bodies of sessions may have, the one under the active key first. */
  digestsOf(body: JsonObject | undefined): readonly string[] {
    return this.vault.digests(BODY, this.fingerprintOf(body ?? {}).named, LONGEST_SESSION_MS);
  }

  /** Whether this is the body with that digest. */
  isBody(digest: string, body: JsonObject): boolean {
    return this.vault.isDigest(digest, BODY, this.fingerprintOf(body).named);
  }

  /** The keyed digest of a client's network, by which sessions are counted; null where there is no client. */
  networkOf(client: ClientAddress | undefined): string | null {
    return client === undefined ? null : this.vault.digest('session-network', widerNetworkOf(client.ip));
  }

  /** @param id the plain id where it is known, so that it need not be opened */
  open(stored: StoredSession, id?: string): Session {
    const open = (part: SealedPart, sealed: Buffer) =>
      this.vault.open(sealed, identityOf(part, stored.idHash)).toString();
    return {
      id: id ?? open('id', stored.sealedId),
      idHash: stored.idHash,
      binding: { target: stored.target, userId: stored.userId, tokenHash: stored.tokenHash },
      flows: stored.flows,
      completed: stored.completed,
      body: stored.sealedBody ? JSON.parse(open('body', stored.sealedBody)) : undefined,
      bodyDigest: stored.bodyDigest,
      password: stored.sealedPassword ? open('password', stored.sealedPassword) : undefined,
      token: stored.sealedToken ? open('token', stored.sealedToken) : undefined,
      deviceId: stored.deviceId,
      holdId: stored.holdId,
      version: stored.version,
      address: stored.address,
      openedAt: stored.createdAt,
      expiresAt: stored.expiresAt,
    };
  }

  private fingerprintOf(body: JsonObject): Fingerprint {
    const known = this.fingerprints.get(body);
    if (known !== undefined) return known;
    const text = canonicalJson(body);
    const isLarge = Buffer.byteLength(text) > LARGEST_KEPT_BODY;
    // SHA-512 takes two thirds of the time of SHA-256 on the processors that have no instructions for it.
    const named = isLarge ? createHash('sha512').update(text).digest('base64') : text;
    const fingerprint = { named, digest: this.vault.digest(BODY, named), isLarge };
    this.fingerprints.set(body, fingerprint);
    return fingerprint;
  }
}

/** Each part has an identity of its own, so that one sealed value cannot stand in for another (attack 83). */
function identityOf(part: SealedPart, idHash: string): string {
  return part === 'body' ? `session:${idHash}` : `session-${part}:${idHash}`;
}
