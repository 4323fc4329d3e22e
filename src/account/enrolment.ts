import type { Audit } from '../audit/audit.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { requireShape } from '../matrix/registry.ts';
import { ENROLMENT_STAGE } from '../matrix/wire.ts';
import type { Write } from '../storage/statement.ts';
import { type Session, standingOf } from '../uia/session.ts';
import { type ConfirmedInSession, type SessionSetUpDeps, SessionSetUps } from './session_set_ups.ts';
import type { SetUps } from './set_ups.ts';

/**
 * Setting a first factor up during a sign-in whose user owes one (spec/stages.md).
 */
export class Enrolment extends SessionSetUps {
  protected readonly is = 'first';

  constructor(
    deps: SessionSetUpDeps,
    setUps: SetUps,
    private readonly audit: Audit,
  ) {
    super(deps, setUps);
  }

  /** `POST …/org.matrix.2fa/enrolment`. @throws Refusal as `begin` */
  async handleBegin(request: ClientRequest): Promise<Answer> {
    const { session, factor, name } = requireShape('enrolment_request', request.body ?? {});
    return { status: 200, body: await this.begin(request, { session, factor, name }) };
  }

  /** `POST …/org.matrix.2fa/enrolment/confirm`. @throws Refusal as `confirm` */
  async handleConfirm(request: ClientRequest): Promise<Answer> {
    const body = requireShape('enrolment_confirm_request', request.body ?? {});
    const { authenticatorId, recoveryCodes } = await this.confirm(request, body);
    return {
      status: 200,
      body: { authenticator_id: authenticatorId, recovery_codes: [...recoveryCodes] },
    };
  }

  protected async requireOpen(id: string): Promise<Session> {
    const session = await this.requireLive(id);
    if (standingOf(session, ENROLMENT_STAGE) !== 'next') throw new Refusal('owes_no_enrolment');
    const { is } = await this.deps.standings.of(session.binding.userId);
    // Set up by another sign-in at this moment, or no longer wanted by the operator.
    if (is === 'owes_factor' || is === 'may_not_enrol') throw new Refusal('owes_no_enrolment');
    return session;
  }

  protected async recorded({ client, settable, ready }: ConfirmedInSession): Promise<Write> {
    const { userId, authenticatorId } = ready.confirmation;
    const entry = { userId, client, detail: { authenticator: authenticatorId } };
    return [
      this.audit.recorded({ ...entry, event: `${settable.factor.kind}.enabled` }),
      this.audit.recorded({ ...entry, event: 'login.enrolled' }),
    ];
  }
}
