import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { AddressLimit } from '../limits/attempt_limit.ts';
import { type DevicePasswordTyped, readDevicePassword } from '../matrix/device_password.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';
import { namesOnly } from '../second_factor/claimed_identity.ts';
import { checkedBy, type DevicePasswordChecked } from '../second_factor/device_password_checked.ts';
import type { Exit } from '../second_factor/exit.ts';
import { type Grant, openToken } from '../second_factor/grant.ts';
import type { OwedEnrolment } from '../second_factor/owed_enrolment.ts';
import type { Standings } from '../second_factor/standing.ts';
import { type Write, when } from '../storage/statement.ts';
import {
  expireDevicePassword,
  type FoundDevicePassword,
  findDevicePassword,
  markFirstUse,
  markRecordedUse,
  useDevicePassword,
} from '../storage/tables/device_passwords.ts';
import { presentedAuth } from '../uia/presented_auth.ts';
import type { Vault } from '../vault/vault.ts';
import { type DevicePasswordDeps, digestOf, digestsOf, isExpired, mayHave } from './device_password_deps.ts';
import type { DevicePasswordEnds } from './ends.ts';
import type { DevicePasswordRenewal } from './renewal.ts';

export interface DevicePasswordReleaseDeps {
  readonly addressLimit: AddressLimit;
  readonly standings: Pick<Standings, 'of'>;
  readonly enrolment: OwedEnrolment;
  readonly exit: Exit;
  readonly vault: Vault;
  readonly look: DevicePasswordLook;
  readonly use: DevicePasswordUse;
}

/** Why a right secret was refused: for the record of its owner, never for the client. */
type Reason = 'name' | 'policy' | 'expired' | 'code_behind' | 'session';

/**
 * `POST /login` with a device password: its own login is handed out, the same every time. What has the form of one is
 * judged here alone; the homeserver is asked whether the login still lives, and nothing else.
 */
export class DevicePasswordRelease {
  constructor(private readonly deps: DevicePasswordReleaseDeps) {}

  /**
   * The answer to a login whose password has the form of a device password; undefined for all others.
   * @throws Refusal device_password_refused, owes_enrolment, limit_exceeded, homeserver_unclear, homeserver_unreachable
   */
  async handle(request: ClientRequest, body: JsonObject): Promise<Answer | undefined> {
    const typed = body.type === PASSWORD_STAGE ? readDevicePassword(body.password) : undefined;
    if (typed === undefined) return undefined;
    const { addressLimit, standings, enrolment, look, use } = this.deps;
    const find = () => look.find(request, body, typed);
    const kept = await addressLimit.attempt(request.client, find, () => true);
    const standing = await standings.of(kept.userId);
    if (standing.is === 'owes_enrolment') throw enrolment.owed(standing);
    const { found, grant, proof } = await this.checked(request, await look.live(request, kept));
    await use.use(request, found, typed);
    request.client.record?.isOf(found.userId, found.deviceId);
    const { expiresAt, now } = found;
    return this.deps.exit.forDevicePassword(grant, proof, expiresAt === null ? undefined : expiresAt - now);
  }

  /** The homeserver may say that its token has expired before our clock does: then it is renewed, as it would be later. */
  private async checked(request: ClientRequest, found: FoundDevicePassword) {
    const { look, use } = this.deps;
    const first = await this.checkedOnce(request, found);
    if (first.proof !== undefined) return first;
    await use.expire(found);
    const again = await this.checkedOnce(
      request,
      await look.live(request, { ...found, expiresAt: found.now }),
    );
    if (again.proof !== undefined) return again;
    throw new Refusal('homeserver_unclear');
  }

  private async checkedOnce(request: ClientRequest, found: FoundDevicePassword) {
    const grant = openToken(this.deps.vault, 'device-password', found);
    const proof = await this.deps.use.check(request, found, grant);
    return proof === undefined ? { proof } : { found, grant, proof };
  }
}

/** Finds the device password that a login brings, and says whether it may be used. */
export class DevicePasswordLook {
  constructor(
    private readonly deps: Omit<DevicePasswordDeps, 'homeserver'> & {
      readonly renewal: DevicePasswordRenewal;
    },
  ) {}

  /** @throws Refusal device_password_refused */
  async find(
    request: ClientRequest,
    body: JsonObject,
    { secret, hasCodeBehind }: DevicePasswordTyped,
  ): Promise<FoundDevicePassword> {
    const { storage, vault, policies, devicePasswords } = this.deps;
    const [found] = await storage.read(findDevicePassword(digestsOf(vault, secret)));
    if (found === undefined || !devicePasswords.enabled) throw new Refusal('device_password_refused');
    if (!namesOnly(found.userId, body)) return this.refuse(request, found, 'name');
    if (hasCodeBehind) return this.refuse(request, found, 'code_behind');
    if (presentedAuth(body)?.session !== undefined) return this.refuse(request, found, 'session');
    if (!(await mayHave(policies, found.userId))) return this.refuse(request, found, 'policy');
    if (isExpired(found) && !this.deps.renewal.isOn) return this.refuse(request, found, 'expired');
    return found;
  }

  /** The device password that was found; where its token has expired, with a new login. @throws Refusal */
  async live(request: ClientRequest, found: FoundDevicePassword): Promise<FoundDevicePassword> {
    if (!isExpired(found)) return found;
    return (await this.deps.renewal.renew(request, found)) ?? this.refuse(request, found, 'expired');
  }

  private async refuse(
    { client }: ClientRequest,
    { id, userId, deviceId }: FoundDevicePassword,
    reason: Reason,
  ): Promise<never> {
    const detail = { device_password: id, reason };
    await this.deps.audit.record({ userId, event: 'device_password.refused', client, deviceId, detail });
    throw new Refusal('device_password_refused');
  }
}

export interface DevicePasswordUseDeps
  extends Pick<DevicePasswordDeps, 'storage' | 'vault' | 'homeserver' | 'audit'> {
  readonly ends: DevicePasswordEnds;
}

/** Uses a device password whose login the homeserver still has. */
export class DevicePasswordUse {
  constructor(private readonly deps: DevicePasswordUseDeps) {}

  /** Asks the homeserver whether the login still is what it was. Undefined if its token has expired. @throws Refusal */
  async check(
    { client, signal }: ClientRequest,
    found: FoundDevicePassword,
    grant: Grant,
  ): Promise<DevicePasswordChecked | undefined> {
    try {
      const owner = await grant.askTokenOwner(this.deps.homeserver, { client, signal });
      const proof = checkedBy(found, owner);
      if (proof !== undefined) return proof;
    } catch (error) {
      if (!(error instanceof Refusal) || error.refusal === 'homeserver_unreachable') throw error;
      if (error.refusal !== 'unknown_token') throw new Refusal('homeserver_unclear', { cause: error });
      // The device is still there: homeservers say so of a token whose time is over (client-server API, "Soft logout").
      if (error.softLogout === true) return undefined;
      // Its device was removed, or logged out.
      await this.deps.ends.end(found, 'device_gone');
      throw new Refusal('device_password_refused');
    }
    throw new Refusal('homeserver_unclear');
  }

  /** Its token has expired, whatever was expected. */
  async expire({ id, userId, tokenHash }: FoundDevicePassword): Promise<void> {
    await this.deps.storage.commit([userId], expireDevicePassword(id, tokenHash));
  }

  /** What was revoked while the homeserver was asked releases nothing. @throws Refusal device_password_refused */
  async use(
    { client }: ClientRequest,
    { id, userId }: FoundDevicePassword,
    { secret }: DevicePasswordTyped,
  ): Promise<void> {
    const { storage, vault } = this.deps;
    const recorded = (event: 'device_password.first_used' | 'device_password.used'): Write =>
      this.deps.audit.recorded({ userId, event, client, detail: { device_password: id } });
    const hourly = when(markRecordedUse(id), { won: recorded('device_password.used'), lost: [] });
    const marked = when(markFirstUse(id), { won: recorded('device_password.first_used'), lost: hourly });
    const used = useDevicePassword(id, client.ip, digestOf(vault, secret));
    const { won } = await storage.commit([userId], when(used, { won: marked, lost: [] }));
    if (!won) throw new Refusal('device_password_refused');
  }
}
