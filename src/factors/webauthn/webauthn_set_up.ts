import { requireShape } from '../../matrix/registry.ts';
import type { Json, JsonObject } from '../../matrix/wire.ts';
import type { Storage } from '../../storage/storage.ts';
import { claimCredential, dropCredential, findKnownCredential } from '../../storage/tables/credentials.ts';
import type { RandomSource } from '../../system/random.ts';
import type { ConfirmedAuthenticator, FactorSetUp, NewPasskeyPage } from '../description.ts';
import { type Attestation, judgeAttestation } from './judge_attestation.ts';
import {
  hashOfCredential,
  type KeptCredential,
  type KeptQuestion,
  readQuestion,
  sealable,
} from './kept_credential.ts';
import { ALGORITHMS, CHALLENGE_MS, type WebauthnSettings } from './webauthn_settings.ts';
import { WEBAUTHN_DEEDS } from './webauthn_words.ts';

const RANDOM_BYTES = 32;

export interface WebauthnSetUpDeps {
  readonly storage: Pick<Storage, 'read'>;
  readonly random: RandomSource;
  /** What the user has already. */
  readonly credentialsOf: (userId: string) => Promise<readonly KeptCredential[]>;
}

/** A new credential: the options that a page gives to the browser, and what comes of them. */
export class WebauthnSetUp implements FactorSetUp {
  readonly usualName = 'Passkey';
  readonly deeds = WEBAUTHN_DEEDS;
  readonly page: NewPasskeyPage = {
    is: 'passkey',
    question: async (userId, secret) =>
      this.options(userId, readQuestion(secret), await this.deps.credentialsOf(userId)),
  };

  constructor(
    private readonly deps: WebauthnSetUpDeps,
    private readonly settings: WebauthnSettings,
  ) {}

  async begin(userId: string): Promise<{ secret: Buffer; answer: JsonObject }> {
    const credentials = await this.deps.credentialsOf(userId);
    // One user, one handle: an authenticator keeps one discoverable credential for each.
    const userHandle = credentials[0]?.userHandle ?? this.random();
    const question = { challenge: this.random(), userHandle };
    return {
      secret: sealable(question),
      answer: { public_key: this.options(userId, question, credentials) },
    };
  }

  private options(
    userId: string,
    { challenge, userHandle }: KeptQuestion,
    credentials: readonly KeptCredential[],
  ): JsonObject {
    const { rpId, rpName, userVerification } = this.settings;
    return {
      rp: { id: rpId, name: rpName },
      user: { id: userHandle, name: userId, displayName: userId },
      challenge,
      pubKeyCredParams: Object.values(ALGORITHMS).map((alg) => ({ type: 'public-key', alg })),
      timeout: CHALLENGE_MS,
      excludeCredentials: descriptorsOf(credentials),
      authenticatorSelection: { residentKey: 'preferred', userVerification },
      attestation: 'none',
      extensions: { credProps: true },
    };
  }

  read(body: JsonObject | undefined): { setupId: string; proof: Json } {
    const { setup_id: setupId, credential } = requireShape('webauthn_confirm_request', body);
    return { setupId, proof: { ...credential } as JsonObject };
  }

  async confirm(userId: string, secret: Buffer, proof: Json): Promise<ConfirmedAuthenticator | undefined> {
    // `read` has looked at its shape.
    const made = await judgeAttestation(this.settings, readQuestion(secret), proof as unknown as Attestation);
    if (made === undefined) return undefined;
    const { kept, counter, backedUp } = made;
    const { rpId } = kept;
    const credentialHash = hashOfCredential(kept.id);
    const [known] = await this.deps.storage.read(findKnownCredential(credentialHash));
    if (known !== undefined) return undefined;
    return {
      secret: sealable(kept),
      lastStep: counter,
      claim: (authenticatorId) => ({
        take: claimCredential(userId, { authenticatorId, credentialHash, rpId, backedUp: backedUp ? 1 : 0 }),
        giveBack: dropCredential(authenticatorId),
      }),
    };
  }

  private random(): string {
    return this.deps.random.bytes(RANDOM_BYTES).toString('base64url');
  }
}

/** Credentials as the options of browsers name them. */
export function descriptorsOf(credentials: readonly KeptCredential[]): JsonObject[] {
  return credentials.map(({ id, transports }) => ({ type: 'public-key', id, transports: [...transports] }));
}
