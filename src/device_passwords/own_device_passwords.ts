import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { requireShape } from '../matrix/registry.ts';
import type { JsonObject } from '../matrix/wire.ts';
import { requireCaller } from '../second_factor/caller.ts';
import { type Decision, when } from '../storage/statement.ts';
import {
  endDevicePassword,
  type FoundDevicePassword,
  listDevicePasswords,
  renameDevicePassword,
} from '../storage/tables/device_passwords.ts';
import { isWrittenAsId } from '../system/random.ts';
import { type DevicePasswordDeps, isExpired, mayHave, requireOn } from './device_password_deps.ts';

/**
 * What owners do with their device passwords by their access token alone. Like `logout/all` it opens nothing: a stolen
 * token can end what it could also log out.
 */
export class OwnDevicePasswords {
  /** @param logOut begins with the logouts of what has ended */
  constructor(
    private readonly deps: DevicePasswordDeps & { readonly isRenewable: boolean },
    private readonly logOut: () => void,
  ) {}

  /** `GET`: never a secret. @throws Refusal unrecognized */
  async list(request: ClientRequest): Promise<Answer> {
    requireOn(this.deps);
    const { userId } = (await requireCaller(this.deps.homeserver, request)).owner;
    const may = await mayHave(this.deps.policies, userId);
    const live = await this.deps.storage.read(listDevicePasswords(userId));
    return {
      status: 200,
      body: { device_passwords: live.map((found) => shown(found, may, this.deps.isRenewable)) },
    };
  }

  /** `PUT …/{id}`. @throws Refusal unrecognized, unknown_device_password */
  async rename(request: ClientRequest): Promise<Answer> {
    requireOn(this.deps);
    const { name } = requireShape('device_password_name_request', request.body ?? {});
    return this.change(request, 'device_password.renamed', (userId, id) =>
      renameDevicePassword(userId, id, name),
    );
  }

  /** `DELETE …/{id}`: after its 200 nothing is released. @throws Refusal unrecognized, unknown_device_password */
  async revoke(request: ClientRequest): Promise<Answer> {
    requireOn(this.deps);
    const answer = await this.change(request, 'device_password.revoked', endDevicePassword);
    this.logOut();
    return answer;
  }

  private async change(
    request: ClientRequest,
    event: 'device_password.renamed' | 'device_password.revoked',
    decision: (userId: string, id: string) => Decision<object>,
  ): Promise<Answer> {
    const { userId, deviceId } = (await requireCaller(this.deps.homeserver, request)).owner;
    const id = request.params.devicePasswordId ?? '';
    if (!isWrittenAsId(id)) throw new Refusal('unknown_device_password');
    const recorded = this.deps.audit.recorded({
      ...{ userId, event, client: request.client, deviceId },
      detail: { device_password: id },
    });
    const changing = when(decision(userId, id), { won: recorded, lost: [] });
    const { won } = await this.deps.storage.commit([userId], changing);
    if (!won) throw new Refusal('unknown_device_password');
    return { status: 200, body: {} };
  }
}

function shown(found: FoundDevicePassword, may: boolean, isRenewable: boolean): JsonObject {
  return {
    id: found.id,
    name: found.name,
    device_id: found.deviceId,
    created_at: found.createdAt,
    last_used_at: found.lastUsedAt,
    last_used_address: found.lastUsedAddress,
    expires_at: found.expiresAt,
    usable: may && (isRenewable || !isExpired(found)),
  };
}
