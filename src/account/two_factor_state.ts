import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { JsonObject } from '../matrix/wire.ts';
import { requireCaller } from '../second_factor/caller.ts';
import type { AccountDeps } from './account_deps.ts';

/** `GET /account/two-factor`: whether 2FA is on and with what. Never a secret (attack 86). */
export class TwoFactorState {
  constructor(private readonly deps: Pick<AccountDeps, 'factors' | 'homeserver' | 'standings'>) {}

  /** @throws Refusal */
  async handle(request: ClientRequest): Promise<Answer> {
    const { owner } = await requireCaller(this.deps.homeserver, request);
    return { status: 200, body: await this.stateOf(owner.userId) };
  }

  private async stateOf(userId: string): Promise<JsonObject> {
    if ((await this.deps.standings.ofFactor(userId)) === undefined) return { enabled: false, providers: {} };
    const providers: JsonObject = {};
    for (const factor of this.deps.factors.all) {
      const description = await factor.describe(userId);
      if (description !== undefined) providers[factor.stage] = description;
    }
    return { enabled: true, providers };
  }
}
