import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { JsonObject } from '../matrix/wire.ts';
import { requireCaller } from '../second_factor/caller.ts';
import type { AccountParts } from './account_parts.ts';

/** `GET /account/two-factor`: whether 2FA is on and with what. Never a secret (attack 86). */
export class TwoFactorState {
  constructor(private readonly parts: Pick<AccountParts, 'factors' | 'homeserver' | 'store'>) {}

  /** @throws Refusal */
  async handle(request: ClientRequest): Promise<Answer> {
    const { owner } = await requireCaller(this.parts.homeserver, request);
    return { status: 200, body: await this.stateOf(owner.userId) };
  }

  private async stateOf(userId: string): Promise<JsonObject> {
    if (!(await this.parts.store.isEnrolled(userId))) return { enabled: false, providers: {} };
    const providers: JsonObject = {};
    for (const factor of this.parts.factors.all) {
      const description = await factor.describe(userId);
      if (description !== undefined) providers[factor.stage] = description;
    }
    return { enabled: true, providers };
  }
}
