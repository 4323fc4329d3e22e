import type { Audit } from '../audit/audit.ts';
import type { ClientAddress } from '../http/client_request.ts';
import { type Decision, type Write, when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { useClient } from '../storage/tables/oauth_clients.ts';
import { approveDeviceGrant, keepCode } from '../storage/tables/oauth_grants.ts';
import { MINUTE } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { hashToken } from '../system/token_hash.ts';
import type { Vault } from '../vault/vault.ts';
import type { FactorPassed } from './factor_passed.ts';
import { type OAuthLogin, sealOAuthLogin } from './oauth_login.ts';
import type { AloneAccepted } from './passes.ts';
import type { StandingPasses } from './standing.ts';

/** Long enough for a slow phone. RFC 6749 §4.1.2 allows ten. */
const CODE_MS = 2 * MINUTE;

/** What a client asked for, by a request that was judged. */
export interface AskedAccess {
  readonly clientId: string;
  readonly redirectUri: string;
  /** The granted tokens, as they were spelt. */
  readonly scope: string;
  readonly deviceId: string;
  readonly challenge: string;
  readonly nonce: string | undefined;
}

/** What a device asked for that waits for its user. */
export interface AskedByDevice extends Pick<AskedAccess, 'clientId' | 'deviceId'> {
  /** The hash by which its grant is found. */
  readonly idHash: string;
}

/** What someone has proven who gives access to their account: all that they owe, or a factor that signs in alone. */
export type ProofOfAccess = FactorPassed | StandingPasses | AloneAccepted;

/** Who gives access to their account, and by what. */
export interface GivenAccess {
  readonly userId: string;
  readonly proof: ProofOfAccess;
  /** The version of the account: the code is good only while the account has it. */
  readonly version: number;
  readonly asked: AskedAccess | AskedByDevice;
  /** What the login that comes of it needs besides. */
  readonly login: Omit<OAuthLogin, 'hasFactor'>;
  readonly client: ClientAddress;
  /** The write that uses up what was proven: it wins for one request. Undefined where a form's turn is all there is. */
  readonly spending?: Decision<object> | undefined;
  /** What else is written with the code. */
  readonly also?: readonly Write[];
}

/** Someone with all that they owe proven has said yes: makes a code, or lets the device in that waits. */
export class OAuthCodes {
  constructor(
    private readonly deps: {
      readonly storage: Pick<Storage, 'commit'>;
      readonly vault: Vault;
      readonly random: RandomSource;
      readonly audit: Audit;
    },
  ) {}

  /**
   * A new code; for a device none. Undefined if what was proven is used up, factors or password were changed since, or the
   * device waits no more.
   */
  async give(given: GivenAccess): Promise<{ readonly code: string | undefined } | undefined> {
    const { storage } = this.deps;
    const { userId, proof, spending } = given;
    if (!isOf(proof, userId)) throw new Error('access was to be given with the proof of another user');
    const { code, decision } = this.deciding(given);
    const keeping = when(decision, { won: this.following(given), lost: [] });
    if (spending === undefined) return (await storage.commit([userId], keeping)).won ? { code } : undefined;
    const spent = await storage.commit([userId], when(spending, { won: keeping, lost: [] }));
    return spent.won && spent.after.won ? { code } : undefined;
  }

  private deciding(given: GivenAccess): {
    readonly code: string | undefined;
    readonly decision: Decision<object>;
  } {
    const { userId, version, asked } = given;
    if ('idHash' in asked) {
      const sealedLogin = this.sealed(asked.idHash, given);
      return {
        code: undefined,
        decision: approveDeviceGrant(asked.idHash, { userId, version, sealedLogin }),
      };
    }
    const code = randomId(this.deps.random, 256);
    const idHash = hashToken(code);
    const sealedLogin = this.sealed(idHash, given);
    const nonce = asked.nonce ?? null;
    return { code, decision: keepCode({ ...asked, idHash, userId, version, nonce, sealedLogin }, CODE_MS) };
  }

  private sealed(idHash: string, { userId, proof, login }: GivenAccess): Buffer {
    const hasFactor = 'authenticatorId' in proof || proof.hasFactor;
    return sealOAuthLogin(this.deps.vault, { idHash, userId }, { ...login, hasFactor });
  }

  private following({ userId, asked, client, also = [] }: GivenAccess): readonly Write[] {
    const detail = { client_id: asked.clientId };
    const { deviceId } = asked;
    return [
      ...also,
      useClient(asked.clientId),
      ...this.deps.audit.recorded({ event: 'oauth.authorized', userId, deviceId, client, detail }),
    ];
  }
}

function isOf(proof: ProofOfAccess, userId: string): boolean {
  return 'authenticatorId' in proof ? proof.userId === userId : proof.isFor(userId);
}
