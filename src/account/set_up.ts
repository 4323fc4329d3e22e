import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Caller } from '../second_factor/caller.ts';
import type { OwnAction, ProvenRequest, Requirement } from '../second_factor/own_action.ts';
import { MOST_AUTHENTICATORS, type Replaces } from '../storage/tables/setups.ts';
import { hashToken } from '../system/token_hash.ts';
import type { AccountDeps } from './account_deps.ts';
import { requireFactorOfPath, type SettableFactor, type SetUps } from './set_ups.ts';

/** `POST /account/two-factor/{kind}`: a pending authenticator. The live ones stay untouched (attack 84). */
export class SetUp {
  constructor(
    private readonly deps: Pick<AccountDeps, 'store' | 'factors'>,
    private readonly setUps: SetUps,
  ) {}

  /** What a request asks for. @throws Refusal if its path names no factor that can be set up */
  of(request: ClientRequest): OwnAction {
    const kind = requireFactorOfPath(this.deps.factors, request);
    return {
      shape: 'setup_request',
      requirementFor: async (caller, body) => {
        await this.setUps.requireAllowed(caller.owner.userId, kind);
        return this.requirementFor(caller, replacesIn(body));
      },
      takesStepUp: (body, onlyReplaces) => !onlyReplaces || replacesIn(body).length > 0,
      carryOut: (proven) => this.begin(kind, proven),
    };
  }

  /** @throws Refusal too_many_authenticators, unknown_authenticator */
  private async requirementFor({ owner }: Caller, replaces: Replaces): Promise<Requirement> {
    const enrolled = await this.deps.store.authenticators(owner.userId);
    const ids = replaces === 'all' ? enrolled.map(({ id }) => id) : replaces;
    if (ids.some((replaced) => enrolled.every(({ id }) => id !== replaced))) {
      throw new Refusal('unknown_authenticator');
    }
    if (enrolled.length - ids.length >= MOST_AUTHENTICATORS) throw new Refusal('too_many_authenticators');
    return enrolled.length > 0 ? 'two_factor' : 'password';
  }

  /** @throws Refusal unknown_setup */
  private async begin(kind: SettableFactor, { caller, body, proven }: ProvenRequest): Promise<Answer> {
    const owner = { userId: caller.owner.userId, begunBy: hashToken(caller.token) };
    // A password alone must not add an authenticator: 2FA may have been turned on since it was proven (attack 89).
    const onlyWhileOff = proven === 'password';
    const wanted = { name: body.name, replaces: replacesIn(body), onlyWhileOff };
    return { status: 200, body: await this.setUps.begin(kind, owner, wanted) };
  }
}

/** As the schema has it. */
function replacesIn({ replaces }: JsonObject): Replaces {
  if (replaces === 'all') return replaces;
  return Array.isArray(replaces) ? replaces.filter((id) => typeof id === 'string') : [];
}
