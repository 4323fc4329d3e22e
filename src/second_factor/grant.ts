import type {
  Asker,
  Homeserver,
  HomeserverAnswer,
  PasswordJudgement,
  TokenOwner,
} from '../homeserver/homeserver.ts';
import { countOtherDevices, endOtherDevices, hasDevice } from '../homeserver/other_devices.ts';
import { renewTokens } from '../homeserver/renew_tokens.ts';
import type { ClientAddress } from '../http/client_request.ts';
import { parseUserId } from '../matrix/user_id.ts';
import { isJsonObject, type JsonObject, storableText } from '../matrix/wire.ts';
import type { Addresses } from '../notify/addresses.ts';
import type { Witness } from '../policy/policies.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import { storableMs } from '../system/clock.ts';
import { hashToken } from '../system/token_hash.ts';
import type { Vault } from '../vault/vault.ts';
import type { ServiceListed } from './appservices.ts';
import type { DevicePasswordChecked } from './device_password_checked.ts';
import type { FactorPassed } from './factor_passed.ts';
import { type HoldFacts, holdFactsIn } from './hold_facts.ts';
import type { OAuthGrantClaimed } from './oauth_claims.ts';
import type { RefreshPresented, RefreshRepeated } from './oauth_refresh.ts';
import type { PageSessionShown } from './page_shown.ts';
import type { FactorTokenClaimed, PassPresented, PassRedeemed } from './passes.ts';
import type { Standing, StandingPasses } from './standing.ts';
import { witnessBy } from './witness.ts';

/** What hands a grant out at once. */
export type PassingProof = StandingPasses | PassRedeemed | ServiceListed;
/** What hands a held login out, and is used up by it. */
export type ReleasingProof = FactorPassed | PassPresented;
/** What opens a grant. Each is a class that one file alone can make. */
export type Proof =
  | PassingProof
  | ReleasingProof
  | PageSessionShown
  | DevicePasswordChecked
  | FactorTokenClaimed
  | OAuthGrantClaimed
  | RefreshPresented
  | RefreshRepeated;

/** An opened grant. */
export interface OpenedGrant {
  /** The homeserver's answer, with the owner where it was left out. */
  readonly body: JsonObject;
  /** As it came; undefined for a grant that was sealed meanwhile. */
  readonly received: HomeserverAnswer | undefined;
  readonly accessToken: string;
}

/** A held login, opened; its token stays closed. */
export interface OpenedHold extends HoldFacts {
  readonly grant: Grant;
}

/** The names by which a held login, or such a token, is sealed. */
type SealedName = Pick<HeldLogin, 'id' | 'userId'>;
/** What keeps the token of a login and no more of it: a page session, a device password, an OAuth session. */
type TokenKeeper = 'page-session' | 'device-password' | 'oauth-session';

/**
 * A login that the homeserver granted, closed: the token in it goes to the homeserver that made it, into the vault,
 * and to a client only for a proof (R1).
 */
class Grant {
  /** In the homeserver's own words; empty only in answers that break the specification (attack 34). */
  readonly userId: string;
  readonly deviceId: string | undefined;
  /** Life of the token in whole ms; undefined if it does not expire. */
  readonly expiresInMs: number | undefined;
  readonly hasRefreshToken: boolean;
  /** SHA-256 of the token (R11). */
  readonly tokenHash: string;
  readonly #accessToken: string;
  readonly #body: JsonObject;
  readonly #received: HomeserverAnswer | undefined;

  constructor(accessToken: string, body: JsonObject, received?: HomeserverAnswer) {
    this.#accessToken = accessToken;
    this.#body = body;
    this.#received = received;
    // Also what breaks the specification is held until it is logged out.
    this.userId = storableText(body.user_id) ?? '';
    this.deviceId = storableText(body.device_id);
    this.expiresInMs = typeof body.expires_in_ms === 'number' ? storableMs(body.expires_in_ms) : undefined;
    this.hasRefreshToken = body.refresh_token !== undefined;
    this.tokenHash = hashToken(accessToken);
  }

  /** The one door. Only `exit.ts` goes through it. */
  openFor(proof: Proof): OpenedGrant {
    if (!proof.isFor(this.userId)) throw new Error('a grant was to be opened with the proof of another user');
    return { body: this.#body, received: this.#received, accessToken: this.#accessToken };
  }

  ownedBy(userId: string): Grant {
    return new Grant(this.#accessToken, { ...this.#body, user_id: userId }, this.#received);
  }

  /** Whose it is, by the homeserver. @throws Refusal */
  async askOwner(homeserver: Homeserver, asker: Asker): Promise<string> {
    return (await this.askTokenOwner(homeserver, asker)).userId;
  }

  /** Whose it is, and on which device. @throws Refusal */
  askTokenOwner(homeserver: Homeserver, asker: Asker): Promise<TokenOwner> {
    return homeserver.whoami(this.#accessToken, asker);
  }

  /** The homeserver as a witness about the owner. @param hasPassword they have just signed in with one */
  witness(homeserver: Homeserver, client: ClientAddress, hasPassword: boolean): Witness {
    const { userId } = this;
    return witnessBy(homeserver, { token: this.#accessToken, userId, client, hasPassword, isSignIn: true });
  }

  /** Asks for the mail addresses of an owner who has to set up a second factor, so that they can be told. */
  noticeOwner(addresses: Addresses, client: ClientAddress, { is }: Pick<Standing, 'is'>): void {
    if (is !== 'in_grace' && is !== 'owes_enrolment') return;
    addresses.notice({ userId: this.userId, token: this.#accessToken, client });
  }

  /** Asks for the mail addresses of the owner now, so that all of them can be told of what begins. */
  learnAddresses(addresses: Pick<Addresses, 'beforeChange'>, client: ClientAddress): Promise<void> {
    return addresses.beforeChange({ userId: this.userId, token: this.#accessToken, client });
  }

  /** How many other devices the owner has; undefined if the homeserver did not say. @throws Refusal */
  countOtherDevices(homeserver: Homeserver, client: ClientAddress): Promise<number | undefined> {
    const asking = { token: this.#accessToken, deviceId: this.deviceId ?? '', client };
    return countOtherDevices((call) => homeserver.call(call), asking);
  }

  /** Whether the owner has this device; undefined if the homeserver did not say. @throws Refusal */
  hasDevice(homeserver: Homeserver, deviceId: string, client: ClientAddress): Promise<boolean | undefined> {
    return hasDevice((call) => homeserver.call(call), { token: this.#accessToken, client }, deviceId);
  }

  /** @throws Refusal if the homeserver did not say that it is gone */
  logOut(homeserver: Homeserver): Promise<void> {
    return homeserver.logout(this.#accessToken);
  }

  /** Signs out all other devices of its owner. False if the homeserver did not do it. @throws Refusal */
  async endOtherDevices(homeserver: Homeserver, password: string, client: ClientAddress): Promise<boolean> {
    const { userId, deviceId } = this;
    if (deviceId === undefined || deviceId === '') return false;
    const kept = { token: this.#accessToken, userId, deviceId, password, client };
    return endOtherDevices((call) => homeserver.call(call), kept);
  }

  /** Whether this is the password of its owner. @throws Refusal */
  judgePassword(homeserver: Homeserver, password: string, client: ClientAddress): Promise<PasswordJudgement> {
    return homeserver.judgePassword({ token: this.#accessToken, userId: this.userId, password, client });
  }

  /** The same session with new tokens of the homeserver. @throws Refusal unknown_token if it has ended there */
  async renew(homeserver: Homeserver, client: ClientAddress): Promise<Grant> {
    const body = await renewTokens(homeserver, this.#body.refresh_token, client);
    return new Grant(body.access_token, { ...this.#body, expires_in_ms: undefined, ...body });
  }

  async nameDevice(homeserver: Homeserver, name: string, client: ClientAddress): Promise<void> {
    if (this.deviceId === undefined || this.deviceId === '') return;
    await homeserver.nameDevice(this.#accessToken, this.deviceId, name, client);
  }

  /**
   * What its end does to its device. A grant that stands on a device of the client's own choice may share it with
   * the owner: if the device had keys before, a logout would delete them (R5).
   */
  async endOn(
    chosenDevice: string | undefined,
    homeserver: Homeserver,
    client: ClientAddress,
  ): Promise<HeldLogin['atEnd']> {
    if (chosenDevice === undefined) return 'logout';
    try {
      const keys = await homeserver.publishedKeys(this.#accessToken, this.userId, { client });
      return keys.devices.has(chosenDevice) ? 'forget' : 'logout';
    } catch {
      // Not known: an idle session is the smaller harm than lost keys.
      return 'forget';
    }
  }

  /** Seals it for the store, with what has to be known of it then. */
  seal(vault: Vault, held: SealedName, facts: HoldFacts): Buffer {
    return vault.seal(
      JSON.stringify({ ...facts, body: this.#body, accessToken: this.#accessToken }),
      identityOf('hold', held),
    );
  }

  /** Seals it for what gets no more of it than the token and whose it is. */
  sealToken(vault: Vault, keeper: TokenKeeper, name: SealedName): Buffer {
    const { userId: user_id, deviceId: device_id = '' } = this;
    // An OAuth session alone asks for refresh tokens, and renews its own.
    const { refresh_token, expires_in_ms } = this.#body;
    const life = keeper === 'oauth-session' ? { refresh_token, expires_in_ms } : {};
    const body = { user_id, device_id, ...life };
    return vault.seal(JSON.stringify({ body, accessToken: this.#accessToken }), identityOf(keeper, name));
  }
}

export type { Grant };

/** Reads a granted login from a 200; undefined if it does not have the shape of one (R1, attack 33). */
export function readGrant(answer: HomeserverAnswer): Grant | undefined {
  const { user_id: userId, device_id: deviceId } = answer.json ?? {};
  if (userId !== undefined && (typeof userId !== 'string' || parseUserId(userId) === undefined))
    return undefined;
  if (deviceId !== undefined && storableText(deviceId) === undefined) return undefined;
  return readStrayGrant(answer);
}

/** Whatever token is in a 200 of any shape: it is there only to be logged out. */
export function readStrayGrant(answer: HomeserverAnswer): Grant | undefined {
  const { status, json } = answer;
  if (status !== 200 || typeof json?.access_token !== 'string' || json.access_token === '') return undefined;
  return new Grant(json.access_token, json, answer);
}

/** Opens what `Grant.seal` sealed: the grant, closed as before, and what was beside it. */
export function openHold(vault: Vault, held: HeldLogin): OpenedHold {
  const { grant, beside } = grantIn(vault.open(held.sealedGrant, identityOf('hold', held)));
  return { grant, ...holdFactsIn(beside) };
}

/** Opens what `Grant.sealToken` sealed, closed as before. */
export function openToken(
  vault: Vault,
  keeper: TokenKeeper,
  row: SealedName & { readonly sealedToken: Buffer },
): Grant {
  return grantIn(vault.open(row.sealedToken, identityOf(keeper, row))).grant;
}

function grantIn(plain: Buffer): { readonly grant: Grant; readonly beside: JsonObject } {
  const { accessToken, body, ...beside } = JSON.parse(plain.toString()) as JsonObject;
  if (typeof accessToken !== 'string' || !isJsonObject(body))
    throw new Error('what is sealed is not a grant');
  return { grant: new Grant(accessToken, body), beside };
}

function identityOf(keeper: TokenKeeper | 'hold', { id, userId }: SealedName): string {
  return `${keeper}:${id}:${userId}`;
}
