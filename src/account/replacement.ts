import type { Audit } from '../audit/audit.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { ENROLMENT_STAGE, RECOVERY_STAGE } from '../matrix/wire.ts';
import type { Policies } from '../policy/policies.ts';
import type { Write } from '../storage/statement.ts';
import type { Authenticator } from '../storage/tables/authenticators.ts';
import type { Replaces } from '../storage/tables/setups.ts';
import { isSatisfied, potOf, type Session } from '../uia/session.ts';
import {
  type ConfirmedInSession,
  type SessionSetUpDeps,
  SessionSetUps,
  type SetUpKind,
  type WantedInSession,
} from './session_set_ups.ts';
import { eventsOf, willLoseCodes } from './set_up_confirmation.ts';
import type { BegunSetUp, SetUps } from './set_ups.ts';

/** What can be replaced in a sign-in. */
export interface Replaceable {
  readonly authenticators: readonly Pick<Authenticator, 'id' | 'name' | 'enabledAt' | 'lastUsedAt'>[];
  /** What can take their place. */
  readonly kinds: readonly SetUpKind[];
  /** Whether the sign-in has a password by which other devices can be signed out. */
  readonly hasPassword: boolean;
}

/**
 * Replacing a lost authenticator within a sign-in on our page that was proven by a recovery code: no further code is asked
 * for (spec/login.md). Once in a sign-in, and only while the factors are those under which the code was taken.
 */
export class Replacement extends SessionSetUps {
  protected readonly is = 'replacing';

  constructor(
    deps: SessionSetUpDeps,
    setUps: SetUps,
    private readonly replacing: { readonly policies: Pick<Policies, 'of'>; readonly audit: Audit },
  ) {
    super(deps, setUps);
  }

  /** Undefined where nothing can be replaced in this sign-in, or it has ended. */
  async offerFor(id: string): Promise<Replaceable | undefined> {
    try {
      const { binding, password } = await this.requireOpen(id);
      const kinds = await this.kindsForPages(binding.userId);
      if (kinds.length === 0) return undefined;
      const authenticators = await this.deps.storage.factors.authenticators(binding.userId);
      return { authenticators, kinds, hasPassword: password !== undefined };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return undefined;
    }
  }

  /** @throws Refusal unknown_authenticator if it names one that the user does not have, or none */
  override async begin(request: ClientRequest, wanted: WantedInSession): Promise<BegunSetUp> {
    const { binding } = await this.requireOpen(wanted.session);
    const { replaces = [] } = wanted;
    if (!namesOnly(replaces, await this.deps.storage.factors.authenticators(binding.userId))) {
      throw new Refusal('unknown_authenticator');
    }
    return super.begin(request, wanted);
  }

  protected async requireOpen(id: string): Promise<Session> {
    const session = await this.requireLive(id);
    // Once the factors were changed, the recovery code allows no replacement any more.
    if (!isByRecoveryCode(session) || !(await this.isUnchanged(session))) {
      throw new Refusal('owes_no_enrolment');
    }
    const { codesForChanges, mode } = await this.replacing.policies.of(session.binding.userId);
    if (codesForChanges.value === false || mode.value === 'forbidden') throw new Refusal('owes_no_enrolment');
    return session;
  }

  protected async recorded({ client, settable, ready }: ConfirmedInSession): Promise<Write> {
    const { userId } = ready.confirmation;
    const losesCodes = await willLoseCodes(this.deps.storage.factors, ready.confirmation);
    return eventsOf(ready, settable.factor.kind, losesCodes).map(({ event, detail }) =>
      this.replacing.audit.recorded({ userId, client, event, detail }),
    );
  }
}

/** A session of our page that is proven, by a recovery code, and has replaced nothing yet. */
function isByRecoveryCode({ binding, flows, completed }: Session): boolean {
  if (potOf(binding) !== 'page' || !isSatisfied(flows, completed)) return false;
  return completed.includes(RECOVERY_STAGE) && !completed.includes(ENROLMENT_STAGE);
}

function namesOnly(replaces: Replaces, enrolled: readonly Authenticator[]): boolean {
  if (replaces === 'all') return enrolled.length > 0;
  return replaces.length > 0 && replaces.every((named) => enrolled.some(({ id }) => id === named));
}
