import type { ClientAddress } from '../http/client_request.ts';
import {
  type AddressLimit,
  type BegunAttempt,
  countsAsFailed,
  type DeviceLimit,
  type OwnedDevice,
} from '../limits/attempt_limit.ts';
import type { CommitAnswer, Decision, Write } from '../storage/statement.ts';
import type { Session } from '../uia/session.ts';
import type { SessionLeases } from './homeserver_stages.ts';

export interface LeasedAttemptDeps {
  /** What bounds wrong passwords under a token. */
  readonly limits: { readonly address: AddressLimit; readonly device: DeviceLimit };
  readonly leases: SessionLeases;
}

/**
 * The attempt of one request to have something judged by the homeserver in a session: it counts against its address
 * and device if it fails, and has the session's lease meanwhile.
 */
export class LeasedAttempt {
  private begun: BegunAttempt[] = [];

  constructor(private readonly deps: LeasedAttemptDeps) {}

  /**
   * False if another request has the session's lease: nothing counts. After true one of `settle`, `spend` or `letGo`
   * must follow.
   * @param device undefined for what proves no password
   * @throws Refusal limit_exceeded
   */
  async begin(session: Session, client: ClientAddress, device: OwnedDevice | undefined): Promise<boolean> {
    const { limits, leases } = this.deps;
    let hasLease = false;
    try {
      this.begun.push(await limits.address.begin(client));
      if (device !== undefined) this.begun.push(await limits.device.begin(device));
      hasLease = await leases.take(session);
    } catch (error) {
      this.end(countsAsFailed(error));
      throw error;
    }
    if (!hasLease) this.end(false);
    return hasLease;
  }

  /** Gives the lease back with what came of it, in one unit. @param failed whether the attempt counts */
  settle<const W extends Write>(session: Session, write: W, failed: boolean): Promise<CommitAnswer<W>> {
    this.end(failed);
    return this.deps.leases.settle(session, write);
  }

  /** The same for an attempt that has succeeded if its decision is won. */
  async spend<Row>(session: Session, decision: Decision<Row>): Promise<Row | undefined> {
    const won = await this.deps.leases.settle(session, decision);
    this.end(won === undefined);
    return won;
  }

  /** Leaves a session whose homeserver, or store, did not answer: the request may come again, once the store is there. */
  async letGo(session: Session, error: unknown): Promise<void> {
    this.end(countsAsFailed(error));
    await this.deps.leases.giveBack(session);
  }

  private end(counts: boolean): void {
    for (const attempt of this.begun.splice(0)) attempt.end(counts);
  }
}
