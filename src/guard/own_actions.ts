import type { Homeserver } from '../homeserver/homeserver.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { requireShape } from '../matrix/registry.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Policies } from '../policy/policies.ts';
import type { TokenOwners } from '../second_factor/caller.ts';
import type { LoginDeed, OwnAction, ProvingAction } from '../second_factor/own_action.ts';
import type { CallingPage } from '../second_factor/step_ups.ts';
import type { Storage } from '../storage/storage.ts';
import type { Session } from '../uia/session.ts';
import { OwnerSession, type OwnerSessionDeps } from './owner_session.ts';
import { isFirstProven } from './password_probe.ts';
import { letThrough } from './pending.ts';
import type { OwnedRequest } from './session_of_request.ts';

/** Guards the changes of the two-factor API: an action stands where others have their request to the homeserver. */
export class OwnActions {
  constructor(
    private readonly deps: {
      readonly homeserver: Homeserver;
      readonly tokenOwners: TokenOwners;
      readonly ownerSessions: OwnerSessionDeps;
      readonly policies: Policies;
      readonly storage: Storage;
    },
  ) {}

  /** @throws Refusal */
  async handle(action: OwnAction, request: ClientRequest): Promise<Answer> {
    const owned = await this.owned(action, request);
    const proof = await this.prove(owned);
    if (proof.is === 'answer') return proof.answer;
    const { body, session } = proof;
    const { caller, page, requirement } = owned;
    const keptStepUp = this.deps.ownerSessions.stepUps.kept(page);
    const answer = await action.carryOut({ request, caller, body, proven: requirement, keptStepUp });
    return letThrough(answer, session);
  }

  /** The same where the password is judged by a login that is kept. @throws Refusal */
  async handleByLogin(action: ProvingAction, request: ClientRequest): Promise<Answer> {
    const asked = await this.owned(action, request);
    // Nothing but a login could tell whether there is a password, and it is made without one then.
    const owned: OwnedRequest = asked.first === undefined ? asked : { ...asked, first: 'none' };
    const owner = new OwnerSession(this.deps.ownerSessions, owned);
    const step = await owner.advance();
    if (step.is === 'answer') return step.answer;
    const password = owned.first === 'none' ? undefined : step.password;
    let deed: LoginDeed | undefined;
    try {
      const { caller } = owned;
      deed = await action.logIn({ request, caller, body: step.body, password });
      if (deed === undefined) return await owner.settle(step, { is: 'wrong_password' });
      const kept = await owner.spendOn(step, deed);
      if (typeof kept === 'number') return letThrough(deed.answer(kept), step.session);
      await deed.undo();
      if (kept === 'lost') return await owner.again(step);
    } catch (error) {
      // Whether it was kept may not be known: a login that has ended releases nothing.
      await deed?.undo();
      await owner.letGo(step, error);
      throw error;
    }
    throw new Refusal(action.refusedInCommit);
  }

  private async owned(action: OwnAction | ProvingAction, request: ClientRequest): Promise<OwnedRequest> {
    action.requireOn?.();
    const body: JsonObject = requireShape(action.shape, request.body ?? {});
    const caller = await this.deps.tokenOwners.require(request);
    const required = await action.requirementFor(caller, body);
    // Nothing in these bodies goes to the homeserver.
    const requireSound = action.requireSound ?? (() => undefined);
    const { codesForChanges } = await this.deps.policies.of(caller.owner.userId);
    // A code that the operator gave out is good for changes, too.
    const withoutBackup =
      codesForChanges.value === false &&
      (await this.deps.storage.factors.emergencyCode(caller.owner.userId)) === undefined;
    const page = await this.deps.ownerSessions.stepUps.pageOf(request, caller);
    const takesStepUp = action.takesStepUp?.(body, page?.onlyReplaces === true) === true;
    const isSteppedUp = takesStepUp && this.isSteppedUp(page, withoutBackup);
    const requirement = required === 'two_factor' && isSteppedUp ? 'stepped_up' : required;
    const first = await this.deps.ownerSessions.passwordSessions.firstOf(caller.token, request);
    return { request, caller, body, requirement, first, requireSound, withoutBackup, page };
  }

  /** Where backup factors do not count for changes, a step-up by one of them does not either. */
  private isSteppedUp(page: CallingPage | undefined, withoutBackup: boolean): boolean {
    if (page?.steppedUpBy === undefined) return false;
    const factor = this.deps.ownerSessions.secondFactors.ofKind(page.steppedUpBy);
    return !(withoutBackup && factor?.role === 'backup');
  }

  private async prove(
    owned: OwnedRequest,
  ): Promise<
    | { readonly is: 'answer'; readonly answer: Answer }
    | { readonly is: 'proven'; readonly body: JsonObject; readonly session: Session }
  > {
    const owner = new OwnerSession(this.deps.ownerSessions, owned);
    const step = await owner.advance();
    if (step.is === 'answer') return step;
    try {
      const isRight = await isFirstProven(this.deps.homeserver, owned, step);
      if (!isRight) return { is: 'answer', answer: await owner.settle(step, { is: 'wrong_password' }) };
      if (await owner.spend(step)) return { is: 'proven', body: step.body, session: step.session };
      return { is: 'answer', answer: await owner.again(step) };
    } catch (error) {
      await owner.letGo(step, error);
      throw error;
    }
  }
}
