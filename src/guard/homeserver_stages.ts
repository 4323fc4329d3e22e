import type { Flow, JsonObject } from '../matrix/wire.ts';
import type { OwedWrites } from '../storage/owed_writes.ts';
import type { CommitAnswer, Effect, Write } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { endSessionLease, keepHomeserverStages } from '../storage/tables/session_leases.ts';
import { type Clock, MINUTE } from '../system/clock.ts';
import type { Session } from '../uia/session.ts';
import type { Vault } from '../vault/vault.ts';

/** Further stages that the homeserver asks for after the password, in a session of its own (R6). */
export interface HomeserverStages {
  /** The homeserver's session id: anyone who has it has its approval, so it is never shown. */
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
const LONGEST_LEASE_MS = 5 * MINUTE;

/** The session as its client sees it: ours, with the homeserver's stages behind what was proven. */
export function shownSession(session: Session, homeserverStages: HomeserverStages) {
  return {
    id: session.id,
    flows: homeserverStages.flows.map((flow) => [...homeserverStages.proven, ...flow]),
    completed: [...homeserverStages.proven, ...homeserverStages.completed],
    params: homeserverStages.params,
  };
}

/**
 * The lease of sessions: one request of a session at a time has something judged by the homeserver, and leaves there
 * what the homeserver asks for besides the password. So guesses made beside each other do not get past the session's
 * limit (attack 52), and of several last requests one is carried out.
 */
export class SessionLeases {
  constructor(
    private readonly deps: {
      readonly storage: Pick<Storage, 'commit' | 'sessionLeases'>;
      readonly vault: Vault;
      readonly clock: Clock;
      readonly owedWrites: OwedWrites;
    },
  ) {}

  /** True if this request has the session to itself now, until it settles, or dies. */
  take({ idHash }: Session): Promise<boolean> {
    return this.deps.storage.sessionLeases.take(idHash, this.deps.clock.now() + LONGEST_LEASE_MS);
  }

  /** Gives a lease back, with what came of it: in one unit. */
  async settle<const W extends Write>({ idHash, binding }: Session, write: W): Promise<CommitAnswer<W>> {
    const [answer] = await this.deps.storage.commit([binding.userId], [
      write,
      endSessionLease(idHash),
    ] as const);
    return answer;
  }

  /** Gives a lease back of which nothing came: where the store is away, as soon as it is there again. */
  giveBack(session: Session): Promise<readonly unknown[]> {
    return this.deps.owedWrites.sure(() => this.settle(session, []));
  }

  /** Keeps the stages for the client's next request. */
  keepHomeserverStages({ idHash }: Session, homeserverStages: HomeserverStages): Effect {
    return keepHomeserverStages(
      idHash,
      this.deps.vault.seal(JSON.stringify(homeserverStages), identityOf(idHash)),
    );
  }

  async find({ idHash }: Session): Promise<HomeserverStages | undefined> {
    const sealed = await this.deps.storage.sessionLeases.homeserverStages(idHash);
    return (
      sealed && (JSON.parse(this.deps.vault.open(sealed, identityOf(idHash)).toString()) as HomeserverStages)
    );
  }
}

function identityOf(idHash: string): string {
  return `session-onward:${idHash}`;
}
