import { isClaim } from '../account_recovery/claim_code.ts';
import { recoveringBody } from '../account_recovery/recovered_session.ts';
import type { Audit } from '../audit/audit.ts';
import type { RecoverySetDeps } from '../factors/recovery/new_recovery_set.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { networkOf } from '../http/network.ts';
import type { AddressLimit } from '../limits/attempt_limit.ts';
import { Refusal } from '../matrix/refusals.ts';
import { PASSWORD_STAGE } from '../matrix/wire.ts';
import { enrolmentFlows } from '../second_factor/owed_enrolment.ts';
import type { Storage } from '../storage/storage.ts';
import { findClaim } from '../storage/tables/recovery_requests.ts';
import type { UiaEngine } from '../uia/engine.ts';
import type { Session } from '../uia/session.ts';
import type { PageSessions } from './page_sessions.ts';

export interface RecoveryClaimsDeps {
  readonly sessions: PageSessions;
  readonly engine: UiaEngine;
  readonly addressLimit: AddressLimit;
  readonly audit: Audit;
  readonly storage: Pick<Storage, 'read' | 'commit'>;
  readonly codes: Pick<RecoverySetDeps, 'vault' | 'hasher'>;
}

/** Claim codes, typed within a sign-in on a page whose password was right. */
export class RecoveryClaims {
  constructor(private readonly deps: RecoveryClaimsDeps) {}

  /**
   * The id of a session of the same sign-in in which a new authenticator is set up (`account/recovery_set_up.ts`).
   * Undefined if the sign-in is over. A wrong code counts against this session and its address, and never ends the request:
   * else the password alone could.
   * @throws Refusal recovery_over, wrong_claim, limit_exceeded; forbidden where no password was proven
   */
  async claim({ client }: ClientRequest, id: string, typed: string): Promise<string | undefined> {
    const { sessions, storage } = this.deps;
    const found = await sessions.find(id);
    if (found?.hold === undefined) return undefined;
    const { session, hold } = found;
    const { userId } = session.binding;
    if (session.completed[0] !== PASSWORD_STAGE) throw new Refusal('forbidden');
    const version = await sessions.versionOf(userId);
    if (session.version !== version) return undefined;
    const [claim] = await storage.read(findClaim(userId));
    if (claim === undefined) throw new Refusal('recovery_over');
    const isRight = await this.deps.addressLimit.attempt(
      client,
      () => isClaim({ userId, typed, network: networkOf(client.ip) }, claim, this.deps.codes),
      (right) => right,
    );
    if (!isRight) return this.refuse(session, client);
    const opened = await this.deps.engine.open(session.binding, {
      flows: enrolmentFlows([PASSWORD_STAGE]),
      completed: [PASSWORD_STAGE],
      body: recoveringBody(session.body, claim.id),
      holdId: hold.id,
      version,
      password: session.password,
      client,
      endsAt: hold.expiresAt,
    });
    return opened.id;
  }

  private async refuse(session: Session, client: ClientRequest['client']): Promise<never> {
    const { engine, audit, storage } = this.deps;
    const { userId } = session.binding;
    const recorded = audit.recorded({
      userId,
      client,
      event: 'factor.refused',
      detail: { place: 'recovery' },
    });
    await storage.commit([userId], [engine.failed(session), recorded]);
    throw new Refusal('wrong_claim');
  }
}
