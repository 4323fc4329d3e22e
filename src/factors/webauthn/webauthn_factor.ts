import type { Json, JsonObject } from '../../matrix/wire.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Authenticator, Enrolled } from '../../storage/tables/authenticators.ts';
import { burnChallenge, findChallenge, keepChallenge } from '../../storage/tables/challenges.ts';
import {
  type Credential,
  countForeignCredentials,
  findCredentials,
  keepBackedUp,
  noteCounterAlert,
  spendCounter,
} from '../../storage/tables/credentials.ts';
import type { FactorStore } from '../../storage/tables/factors.ts';
import type { RandomSource } from '../../system/random.ts';
import type { Vault } from '../../vault/vault.ts';
import type { FactorSetUp, PasskeyPage } from '../description.ts';
import type { Attempt, Challenge, Factor, FactorVerdict, LoneFactor } from '../factor.ts';
import { readAssertion, readSent } from './client_data.ts';
import { judgeAssertion } from './judge_assertion.ts';
import { type KeptCredential, readCredential } from './kept_credential.ts';
import { WebauthnAlone } from './webauthn_alone.ts';
import { descriptorsOf, WebauthnSetUp } from './webauthn_set_up.ts';
import { CHALLENGE_MS, type WebauthnSettings } from './webauthn_settings.ts';
import { NOT_ACCEPTED, WEBAUTHN_AUTH, WEBAUTHN_EVENTS } from './webauthn_words.ts';

const CHALLENGE_BYTES = 32;
/** A start counts so many passkeys of other domains, and says that there are more. */
const FOREIGN_COUNTED = 1000;

export interface WebauthnDeps {
  readonly storage: Pick<Storage, 'read' | 'commit'>;
  readonly store: FactorStore;
  readonly vault: Vault;
  readonly random: RandomSource;
}

/** An authenticator with what it has sealed and what its table says. */
interface Owned {
  readonly authenticator: Authenticator;
  readonly kept: KeptCredential;
  readonly row: Credential | undefined;
}

/**
 * Passkeys and security keys (Web Authentication, Level 3), as a second factor. Nothing counts their failures but the
 * session and the address: a signature cannot be guessed, so no one can lock another's account with wrong ones.
 */
export class WebauthnFactor implements Factor {
  readonly kind = 'webauthn';
  readonly stage = 'm.login.2fa.webauthn';
  readonly role = 'primary';
  readonly about = "A signature of one of the user's passkeys or security keys.";
  readonly authSchema = WEBAUTHN_AUTH;
  readonly proofField = 'credential';
  readonly events = WEBAUTHN_EVENTS;
  readonly refused = NOT_ACCEPTED;
  readonly page: PasskeyPage = { is: 'passkey', field: 'credential', read: readSent };
  readonly isOff: boolean;
  readonly setUp?: FactorSetUp;
  readonly alone?: LoneFactor;

  /** @param settings undefined: the operator has it off */
  constructor(
    private readonly deps: WebauthnDeps,
    private readonly settings: WebauthnSettings | undefined,
  ) {
    this.isOff = settings === undefined;
    if (settings === undefined) return;
    const credentialsOf = async (userId: string) => (await this.owned(userId)).map(({ kept }) => kept);
    this.setUp = new WebauthnSetUp({ ...deps, credentialsOf }, settings);
    if (settings.passwordless) this.alone = new WebauthnAlone(deps, this.kind, settings);
  }

  async available(userId: string, { kinds }: Enrolled): Promise<boolean> {
    return kinds.includes(this.kind) && (await this.usable(userId)).length > 0;
  }

  /** The question of a session: the same until it is answered, or too old. */
  async challenge(userId: string, session: string): Promise<Challenge> {
    const [open] = await this.deps.storage.read(findChallenge(session, this.kind, userId));
    const usable = await this.usable(userId);
    if (open !== undefined) return { params: this.options(this.opened(session, open.sealed), usable) };
    const challenge = this.deps.random.bytes(CHALLENGE_BYTES);
    const sealed = this.deps.vault.seal(challenge, `challenge:${session}`);
    return {
      params: this.options(challenge.toString('base64url'), usable),
      kept: keepChallenge({ session, kind: this.kind, userId, sealed }, CHALLENGE_MS),
    };
  }

  async verify({ userId, session }: Attempt, proof: Json): Promise<FactorVerdict> {
    const burnt = await this.deps.storage.commit([userId], burnChallenge(session, this.kind, userId));
    if (burnt === undefined) return { is: 'unasked' };
    const assertion = readAssertion(proof);
    if (assertion === undefined) return { is: 'no_match', why: 'malformed' };
    const owned = (await this.usable(userId)).find(({ kept }) => kept.id === assertion.id);
    if (owned === undefined || this.settings === undefined) return { is: 'no_match', why: 'wrong' };
    const challenge = this.opened(session, burnt.sealed);
    const signed = await judgeAssertion(this.settings, owned.kept, challenge, assertion);
    if (signed === undefined) return { is: 'no_match', why: 'wrong' };
    const authenticatorId = owned.authenticator.id;
    return {
      is: 'match',
      spend: spendCounter(userId, { authenticatorId, counter: signed.counter }),
      also: keepBackedUp(userId, authenticatorId, signed.backedUp),
      suspicion: { note: noteCounterAlert(userId, authenticatorId), deed: 'counter_back' },
      detail: { authenticator: authenticatorId },
    };
  }

  /** Passkeys that were made for another domain are of no use: the operator hears of it. */
  async remark(): Promise<string | undefined> {
    if (this.settings === undefined) return undefined;
    const { rpId } = this.settings;
    const [foreign] = await this.deps.storage.read(countForeignCredentials(rpId, FOREIGN_COUNTED + 1));
    if (foreign === undefined || foreign.count === 0) return undefined;
    const many = foreign.count > FOREIGN_COUNTED ? `more than ${FOREIGN_COUNTED}` : foreign.count;
    return `passkeys for another domain than ${rpId}, which are of no use: ${many} (webauthn.rp_id)`;
  }

  async describe(userId: string): Promise<JsonObject | undefined> {
    const owned = await this.owned(userId);
    if (owned.length === 0) return undefined;
    return {
      authenticators: owned.map(({ authenticator: { id, name, enabledAt, lastUsedAt }, kept, row }) => ({
        id,
        name,
        enabled_at: enabledAt,
        last_used_at: lastUsedAt,
        backed_up: row?.backedUp === 1,
        discoverable: kept.discoverable,
        usable: this.isUsable({ kept, row }),
        counter_alert_at: row?.counterAlertAt ?? null,
      })),
    };
  }

  private options(challenge: string, usable: readonly Owned[]): JsonObject {
    const { rpId = '', userVerification = 'preferred' } = this.settings ?? {};
    const allowCredentials = descriptorsOf(usable.map(({ kept }) => kept));
    return { public_key: { challenge, timeout: CHALLENGE_MS, rpId, allowCredentials, userVerification } };
  }

  private async usable(userId: string): Promise<Owned[]> {
    return (await this.owned(userId)).filter((owned) => this.isUsable(owned));
  }

  private isUsable({ kept, row }: Pick<Owned, 'kept' | 'row'>): boolean {
    return row !== undefined && kept.rpId === this.settings?.rpId;
  }

  private async owned(userId: string): Promise<Owned[]> {
    const authenticators = await this.deps.store.authenticators(userId, this.kind);
    if (authenticators.length === 0) return [];
    const rows = await this.deps.storage.read(findCredentials(userId));
    return authenticators.map((authenticator) => ({
      authenticator,
      kept: this.keptOf(authenticator),
      row: rows.find(({ authenticatorId }) => authenticatorId === authenticator.id),
    }));
  }

  private keptOf({ id, userId, sealedSeed }: Authenticator): KeptCredential {
    return readCredential(this.deps.vault.open(sealedSeed, `authenticator:${id}:${userId}`));
  }

  private opened(session: string, sealed: Buffer): string {
    return this.deps.vault.open(sealed, `challenge:${session}`).toString('base64url');
  }
}
