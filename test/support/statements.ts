/**
 * Records what one request asks of the store: each statement, and each commit.
 *
 *     const recorder = StatementRecorder.start();
 *     const asked = await recorder.during(() => app.post(LOGIN, body));
 *     recorder.stop();
 *
 * Only what hangs on an HTTP request counts, not what housekeeping does beside it: the context of a request follows its
 * promises and callbacks (https://nodejs.org/api/async_context.html).
 */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Client } from 'pg';
import { Connection } from '../../src/storage/sqlite/connection.ts';
import { GroupCommit } from '../../src/storage/sqlite/group_commit.ts';

/** What requests asked of the store. */
export interface Asked {
  /** In their order, spaces made equal; without those that begin and end transactions. */
  readonly statements: readonly string[];
  /** Transactions that were committed: each waits for the disk. In SQLite several requests may share one. */
  readonly commits: number;
  /** Messages that were answered before the next one was sent; in SQLite there are none. */
  readonly roundTrips: number;
}

/** Published before the first listener of a request runs (https://nodejs.org/api/diagnostics_channel.html#http). */
const REQUEST_STARTS = 'http.server.request.start';

const OF_TRANSACTIONS = /^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b/;
/** A new connection asks this once (`src/storage/postgres/connections.ts`); it serves many requests. */
const OF_CONNECTIONS = 'SELECT pg_is_in_recovery() AS standby';

interface Recording {
  readonly statements: string[];
  commits: number;
  roundTrips: number;
}

export class StatementRecorder {
  readonly #context = new AsyncLocalStorage<Recording>();
  readonly #undo: (() => void)[] = [];
  #recording: Recording | undefined;

  private constructor() {
    const onRequest = () => {
      if (this.#recording !== undefined) this.#context.enterWith(this.#recording);
    };
    subscribe(REQUEST_STARTS, onRequest);
    this.#undo.push(() => unsubscribe(REQUEST_STARTS, onRequest));
    for (const method of ['run', 'get', 'all'] as const) {
      this.#watch(Connection.prototype, method, (sql) => this.#note(sql, 0));
    }
    this.#watch(Client.prototype, 'query', (asked) => this.#note(textOf(asked), 1));
    this.#watchCommits();
  }

  static start(): StatementRecorder {
    return new StatementRecorder();
  }

  /** What the requests ask that `work` sends. */
  async during(work: () => Promise<unknown>): Promise<Asked> {
    const recording: Recording = { statements: [], commits: 0, roundTrips: 0 };
    this.#recording = recording;
    try {
      await work();
    } finally {
      this.#recording = undefined;
    }
    return recording;
  }

  stop(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }

  #note(sql: string, messages: number): void {
    const recording = this.#context.getStore();
    const statement = sql.replace(/\s+/g, ' ').trim();
    if (recording === undefined || statement === OF_CONNECTIONS) return;
    recording.roundTrips += messages;
    if (statement === 'COMMIT' && messages > 0) recording.commits += 1;
    if (!OF_TRANSACTIONS.test(statement)) recording.statements.push(statement);
  }

  /** A commit that requests and housekeeping share runs in the context of whoever came first: each write in its own. */
  #watchCommits(): void {
    const { write } = GroupCommit.prototype;
    const context = this.#context;
    GroupCommit.prototype.write = function watched<T>(this: GroupCommit, work: (db: Connection) => T) {
      const recording = context.getStore();
      if (recording !== undefined) recording.commits += 1;
      return write.call(this, AsyncResource.bind(work)) as Promise<T>;
    };
    this.#undo.push(() => {
      GroupCommit.prototype.write = write;
    });
  }

  #watch<Name extends string>(
    prototype: Record<Name, unknown> | object,
    name: Name,
    hear: (asked: string) => void,
  ): void {
    const owner = prototype as Record<Name, (...given: unknown[]) => unknown>;
    const original = owner[name];
    owner[name] = function watched(this: unknown, ...given: unknown[]) {
      hear(given[0] as string);
      return Reflect.apply(original, this, given);
    } as (typeof owner)[Name];
    this.#undo.push(() => {
      owner[name] = original;
    });
  }
}

function textOf(asked: unknown): string {
  return typeof asked === 'string' ? asked : (asked as { readonly text: string }).text;
}
