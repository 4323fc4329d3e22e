import type { Json, JsonObject } from '../../matrix/wire.ts';
import type { Storage } from '../../storage/storage.ts';
import {
  findCredentialOwner,
  keepBackedUp,
  noteCounterAlert,
  spendCounter,
} from '../../storage/tables/credentials.ts';
import type { FactorStore } from '../../storage/tables/factors.ts';
import type { Vault } from '../../vault/vault.ts';
import type { LoneFactor, LoneVerdict } from '../factor.ts';
import { readAssertion } from './client_data.ts';
import { judgeAssertion } from './judge_assertion.ts';
import { hashOfCredential, type KeptCredential, readCredential } from './kept_credential.ts';
import { CHALLENGE_MS, type WebauthnSettings } from './webauthn_settings.ts';

export interface WebauthnAloneDeps {
  readonly storage: Pick<Storage, 'read'>;
  readonly store: FactorStore;
  readonly vault: Vault;
}

/** A passkey alone: it names its user, and verifies them itself (Web Authentication, Level 3, section 7.2). */
export class WebauthnAlone implements LoneFactor {
  readonly questionMs = CHALLENGE_MS;
  private readonly settings: WebauthnSettings;

  constructor(
    private readonly deps: WebauthnAloneDeps,
    private readonly kind: string,
    settings: WebauthnSettings,
  ) {
    // It stands for the password as well: someone who only has the device must not get in.
    this.settings = { ...settings, userVerification: 'required' };
  }

  /** The browser offers what it has for this domain. */
  paramsFor(question: Buffer): JsonObject {
    const { rpId, userVerification } = this.settings;
    const challenge = question.toString('base64url');
    const options = { challenge, timeout: CHALLENGE_MS, rpId, allowCredentials: [], userVerification };
    return { public_key: options };
  }

  async verify(question: Buffer, proof: Json): Promise<LoneVerdict> {
    const assertion = readAssertion(proof);
    // The answer names its user; without that it answers another kind of question.
    if (assertion?.response.userHandle === undefined) return { is: 'no_match' };
    const found = await this.find(assertion.id);
    if (found === undefined) return { is: 'no_match' };
    const { userId, authenticatorId, kept } = found;
    const signed = await judgeAssertion(this.settings, kept, question.toString('base64url'), assertion);
    if (signed === undefined) return { is: 'no_match' };
    return {
      is: 'match',
      ...{ userId, authenticatorId },
      spend: spendCounter(userId, { authenticatorId, counter: signed.counter }),
      also: keepBackedUp(userId, authenticatorId, signed.backedUp),
      suspicion: { note: noteCounterAlert(userId, authenticatorId), deed: 'counter_back' },
      detail: { authenticator: authenticatorId },
    };
  }

  private async find(credentialId: string) {
    const { storage, store, vault } = this.deps;
    const [owner] = await storage.read(findCredentialOwner(hashOfCredential(credentialId)));
    if (owner === undefined) return undefined;
    const { userId, authenticatorId } = owner;
    const authenticators = await store.authenticators(userId, this.kind);
    const authenticator = authenticators.find(({ id }) => id === authenticatorId);
    if (authenticator === undefined) return undefined;
    const opened = vault.open(authenticator.sealedSeed, `authenticator:${authenticatorId}:${userId}`);
    const kept: KeptCredential = readCredential(opened);
    return kept.id === credentialId && kept.rpId === this.settings.rpId ? { ...owner, kept } : undefined;
  }
}
