import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { requireShape } from '../matrix/registry.ts';
import type { KnownCaller } from '../second_factor/token_owner.ts';
import type { AccountParts } from './account_parts.ts';

/** `DELETE /account/two-factor/totp`: one authenticator by its id, or all of them. Without any, 2FA is off. */
export class TotpRemoval {
  constructor(private readonly parts: AccountParts) {}

  /** @throws Refusal not_enrolled, unknown_authenticator */
  async handle(request: ClientRequest): Promise<Answer> {
    const body = requireShape('totp_delete_request', request.body ?? {});
    const caller = await this.parts.tokenOwners.require(request);
    await this.requireThere(caller.owner.userId, body.authenticator_id);
    const proof = await this.parts.proofs.require({ request, ...caller, body, requirement: 'two_factor' });
    if (proof.kind === 'answer') return proof.answer;
    const { authenticator_id: authenticatorId } = proof.body;
    if (typeof authenticatorId === 'string') await this.removeOne(request, caller, authenticatorId);
    else await this.removeAll(request, caller);
    return { status: 200, body: {} };
  }

  /** Before a code is asked for: it would be spent for nothing. */
  private async requireThere(userId: string, authenticatorId: string | undefined): Promise<void> {
    const authenticators = await this.parts.store.authenticators(userId);
    if (authenticators.length === 0) throw new Refusal('not_enrolled');
    const known = authenticatorId === undefined || authenticators.some(({ id }) => id === authenticatorId);
    if (!known) throw new Refusal('unknown_authenticator');
  }

  private async removeOne(request: ClientRequest, caller: KnownCaller, id: string): Promise<void> {
    const { userId } = caller.owner;
    const { removed, remaining } = await this.parts.store.removeAuthenticator(
      userId,
      id,
      this.parts.clock.now(),
    );
    if (!removed) throw new Refusal('unknown_authenticator');
    await this.record(request, caller, remaining > 0 ? 'totp.removed' : 'totp.disabled', {
      authenticator: id,
    });
  }

  private async removeAll(request: ClientRequest, caller: KnownCaller): Promise<void> {
    const removed = await this.parts.store.removeAllFactors(caller.owner.userId, this.parts.clock.now());
    await this.record(request, caller, 'totp.disabled', { authenticators: removed });
  }

  private record(
    request: ClientRequest,
    { owner }: KnownCaller,
    event: 'totp.removed' | 'totp.disabled',
    detail: Readonly<Record<string, string | number>>,
  ): Promise<void> {
    const { userId, deviceId } = owner;
    return this.parts.audit.record({ userId, event, address: request.client.ip, deviceId, detail });
  }
}
