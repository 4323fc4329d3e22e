import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { requireShape } from '../matrix/registry.ts';
import { requireCaller } from '../second_factor/caller.ts';
import { when } from '../storage/statement.ts';
import {
  countRenaming,
  renameAuthenticator,
  waitForRenaming,
} from '../storage/tables/authenticator_names.ts';
import type { AccountDeps } from './account_deps.ts';

/**
 * `PUT …/org.matrix.2fa/authenticators/{authenticatorId}`: what users call one of their authenticators. The access
 * token is enough: a name opens nothing and locks nothing, and it is on record. So that a stolen token does not
 * fill the record, there are few in an hour.
 */
export class AuthenticatorNames {
  constructor(private readonly deps: Pick<AccountDeps, 'audit' | 'homeserver' | 'store' | 'storage'>) {}

  /** @throws Refusal unknown_authenticator, limit_exceeded */
  async rename(request: ClientRequest): Promise<Answer> {
    const { name } = requireShape('authenticator_name_request', request.body ?? {});
    const { userId, deviceId } = (await requireCaller(this.deps.homeserver, request)).owner;
    const authenticator = request.params.authenticatorId ?? '';
    const { storage, store, audit } = this.deps;
    const authenticators = await store.authenticators(userId);
    const kind = authenticators.find(({ id }) => id === authenticator)?.kind;
    if (kind === undefined) throw new Refusal('unknown_authenticator');
    const renamed = audit.recorded({
      ...{ userId, event: `${kind}.renamed`, client: request.client, deviceId },
      detail: { authenticator },
    });
    const renaming = when(renameAuthenticator(userId, authenticator, name), { won: renamed, lost: [] });
    const counted = await storage.commit([userId], when(countRenaming(userId), { won: renaming, lost: [] }));
    if (!counted.won) throw await this.tooMany(userId);
    if (!counted.after.won) throw new Refusal('unknown_authenticator');
    return { status: 200, body: {} };
  }

  private async tooMany(userId: string): Promise<Refusal> {
    const [hour] = await this.deps.storage.read(waitForRenaming(userId));
    return new Refusal('limit_exceeded', { limit: 'renames', retryAfterMs: Math.max(hour?.waitMs ?? 0, 0) });
  }
}
