import type { Flow, JsonObject } from '../matrix/wire.ts';
import type { SessionTurnStore } from '../storage/stores.ts';
import { type Clock, MINUTE } from '../system/clock.ts';
import type { Session } from '../uia/session.ts';
import type { Vault } from '../vault/vault.ts';

/** How the homeserver goes on where a password is not all that it wants, in a session of its own (R6). */
export interface Onward {
  /** The homeserver's session id: it carries approval for whoever has it, so it is never shown. */
  readonly session: string;
  /** What was proven before: the second factor, and the password where the account has one. */
  readonly proven: readonly string[];
  /** What the homeserver wants besides, in its order. */
  readonly flows: readonly Flow[];
  /** What of that is done: a beginning of a flow. */
  readonly completed: readonly string[];
  readonly params: JsonObject;
}

/** Longer than a homeserver may take to answer everything that one request asks of it. */
const LONGEST_TURN_MS = 5 * MINUTE;

/** The session as its client sees it: ours, with the homeserver's stages behind what was proven. */
export function shownSession(session: Session, onward: Onward) {
  return {
    id: session.id,
    flows: onward.flows.map((flow) => [...onward.proven, ...flow]),
    completed: [...onward.proven, ...onward.completed],
    params: onward.params,
  };
}

/** The homeserver's turn in sessions of ours: one request at a time, and what it asks for besides the password. */
export class HomeserverTurns {
  constructor(
    private readonly store: SessionTurnStore,
    private readonly vault: Vault,
    private readonly clock: Clock,
  ) {}

  /**
   * Does `act` unless another request of the session is at it: undefined then. So guesses made beside each other
   * do not get past the session's limit (attack 52), and of several last requests one is carried out.
   */
  async take<T>(session: Session, act: () => Promise<T>): Promise<T | undefined> {
    const now = this.clock.now();
    if (!(await this.store.take(session.idHash, now, now + LONGEST_TURN_MS))) return undefined;
    try {
      return await act();
    } finally {
      await this.store.giveBack(session.idHash);
    }
  }

  async leadOn({ idHash }: Session, onward: Onward): Promise<void> {
    await this.store.leadOn(idHash, this.vault.seal(JSON.stringify(onward), identityOf(idHash)));
  }

  async find({ idHash }: Session): Promise<Onward | undefined> {
    const sealed = await this.store.onward(idHash);
    return sealed && (JSON.parse(this.vault.open(sealed, identityOf(idHash)).toString()) as Onward);
  }
}

function identityOf(idHash: string): string {
  return `session-onward:${idHash}`;
}
