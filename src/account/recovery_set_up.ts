import { recoveryOf } from '../account_recovery/recovered_session.ts';
import type { RecoveryTelling } from '../account_recovery/seams.ts';
import type { Audit } from '../audit/audit.ts';
import type { Homeserver, PasswordJudgement } from '../homeserver/homeserver.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { ENROLMENT_STAGE } from '../matrix/wire.ts';
import type { RecoveredHolds } from '../second_factor/recovered_holds.ts';
import type { Write } from '../storage/statement.ts';
import { findRecovery, finishRecovery } from '../storage/tables/recovery_requests.ts';
import { type Session, standingOf } from '../uia/session.ts';
import {
  type ConfirmedInSession,
  type SessionSetUpDeps,
  SessionSetUps,
  type WantedInSession,
} from './session_set_ups.ts';
import { eventsOf, willLoseCodes } from './set_up_confirmation.ts';
import type { BegunSetUp, SetUps } from './set_ups.ts';

/**
 * The end of an account recovery: within a sign-in whose claim code was right, a new authenticator takes the place of all
 * others, and new recovery codes that of the old ones. Until the confirmation nothing changes. It decides by one
 * conditional write, which needs the request to be open: of many at once one wins.
 */
export class RecoverySetUp extends SessionSetUps {
  protected readonly is = 'replacing';

  constructor(
    deps: SessionSetUpDeps,
    setUps: SetUps,
    private readonly recovery: {
      readonly telling: Pick<RecoveryTelling, 'tell'>;
      readonly recoveredHolds: Pick<RecoveredHolds, 'owing'>;
      readonly audit: Audit;
      readonly homeserver: Homeserver;
    },
  ) {
    super(deps, setUps);
  }

  /** @throws Refusal as for every sign-in; recovery_over */
  override begin(request: ClientRequest, wanted: WantedInSession): Promise<BegunSetUp> {
    return super.begin(request, { ...wanted, replaces: 'all' });
  }

  protected async requireOpen(id: string): Promise<Session> {
    const session = await this.requireLive(id);
    const requestId = recoveryOf(session);
    if (requestId === undefined || standingOf(session, ENROLMENT_STAGE) !== 'next') {
      throw new Refusal('owes_no_enrolment');
    }
    const isUnchanged = await this.isUnchanged(session);
    const [request] = await this.deps.storage.read(findRecovery(requestId));
    const isOpen = request?.state === 'open' && (request.closesAt ?? 0) > request.now;
    // Where it is not open someone has ended the request.
    if (!isUnchanged || !isOpen) throw new Refusal('recovery_over');
    return session;
  }

  protected override recovers(session: Session): string | undefined {
    return recoveryOf(session);
  }

  /**
   * The password is judged once more, with the held login: an owner whom a message has warned may have changed it since
   * the sign-in. @throws Refusal unknown_sign_in, or where the homeserver does not say
   */
  protected override async requireReady({ client }: ClientRequest, session: Session): Promise<void> {
    const { holds } = this.deps;
    const { homeserver } = this.recovery;
    const held = session.holdId === null ? undefined : await holds.find(session.holdId);
    if (held === undefined) throw new Refusal('unknown_sign_in');
    const { grant, password = session.password } = holds.open(held);
    const isRight =
      password !== undefined && (await isStillRight(() => grant.judgePassword(homeserver, password, client)));
    if (isRight) return;
    // Else the next sign-in would join it, and be refused like this one for as long as it is held.
    await holds.endFree(held);
    throw new Refusal('unknown_sign_in');
  }

  protected async recorded({ client, session, settable, ready }: ConfirmedInSession): Promise<Write> {
    const { userId } = ready.confirmation;
    const { storage, holds } = this.deps;
    const { audit, telling, recoveredHolds } = this.recovery;
    const id = recoveryOf(session) ?? '';
    const held = session.holdId === null ? undefined : await holds.find(session.holdId);
    const events = eventsOf(
      ready,
      settable.factor.kind,
      await willLoseCodes(storage.factors, ready.confirmation),
    );
    return [
      finishRecovery(id),
      ...events.map(({ event, detail }) => audit.recorded({ userId, client, event, detail })),
      audit.recorded({ userId, client, event: 'recovery_request.finished', detail: { request: id } }),
      telling.tell({ id, userId }, 'ended'),
      held === undefined ? [] : recoveredHolds.owing(held, session.password),
    ];
  }
}

/** With the password homeservers end the logins that were made by it: then its token says nothing any more. */
async function isStillRight(judge: () => Promise<PasswordJudgement>): Promise<boolean> {
  try {
    const judgement = await judge();
    if (judgement.verdict !== 'wait') return judgement.verdict === 'right';
    throw new Refusal('limit_exceeded', { limit: 'homeserver', retryAfterMs: judgement.retryAfterMs });
  } catch (error) {
    if (error instanceof Refusal && error.refusal === 'unknown_token') return false;
    throw error;
  }
}
