import { setTimeout as delay } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import type { Clock } from '../../system/clock.ts';
import type { RandomSource } from '../../system/random.ts';
import { CannotOpen, CommitUnanswered, NoDatabase, StoreUnavailable, type UnitOutcome } from '../errors.ts';
import { requireNewest } from '../sqlite/migrations/migrate.ts';
import {
  type BranchAnswer,
  type Driver,
  effect,
  type PoolState,
  type Query,
  type RetryCause,
  type Unit,
} from '../statement.ts';
import { type Storage, storageOn } from '../storage.ts';
import { lockAccounts } from './accounts.ts';
import { type PostgresAddress, poolConfig, postgresName, requireFiles } from './address.ts';
import { Connections, LostAnswer } from './connections.ts';
import { hasSchema, migrate, schemaVersion } from './migrate.ts';
import { numbered } from './statement_text.ts';
import { asStoreError, collisionIn, isAnswer, isRefusal } from './store_error.ts';
import { RunningUnit, Undo } from './unit_of_work.ts';

/** How often a unit that collides with others is run, and the bounds of the pause before the next time, in ms. */
const TRIES = 5;
const SHORTEST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 50;

const UNDONE: BranchAnswer<unknown, never, 'undo'> = { won: false, undone: true };

export interface PostgresOptions extends PostgresAddress {
  /** Tells the time in the place of the database: for tests. */
  readonly clock?: Clock | undefined;
  readonly random: RandomSource;
  /** Told the database's time with each commit, unless a test tells it. */
  readonly onTime?: ((databaseNow: number) => void) | undefined;
  /** False: tables are not made in an empty database. */
  readonly make?: boolean;
  /** Hears that a unit is run again. */
  readonly onRetry?: ((cause: RetryCause) => void) | undefined;
  /** False: an older one is refused. */
  readonly mayMigrate?: boolean;
}

/**
 * Opens the store in a PostgreSQL database, and migrates it where it is older.
 * @throws {StoreUnavailable} it cannot be reached now.
 * @throws {CannotOpen} it refuses what opening needs.
 * @throws {NoDatabase} it is empty, and no tables are to be made.
 * @throws {SchemaTooOld} it is older, and must not be migrated.
 * @throws {SchemaTooNew} a newer version of this program wrote it.
 */
export async function openPostgresStorage(options: PostgresOptions): Promise<Storage> {
  requireFiles(options);
  const connections = new Connections(poolConfig(options));
  try {
    await connections.inTransaction(async (client) => {
      if (options.make === false && !(await hasSchema(client))) throw new NoDatabase(postgresName(options));
      if (options.mayMigrate === false) requireNewest(await schemaVersion(client), postgresName(options));
      await migrate(client);
    });
    const aside = new PostgresDriver(new Connections({ ...poolConfig(options), max: 1 }), options);
    return storageOn(new PostgresDriver(connections, options, aside));
  } catch (error) {
    await connections.end();
    throw isRefusal(error)
      ? new CannotOpen(postgresName(options), error.message, error)
      : asStoreError(error);
  }
}

/** Units of work in PostgreSQL; the contract stands in `statement.ts`. */
class PostgresDriver implements Driver {
  readonly #underWay = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(
    private readonly connections: Connections,
    private readonly options: Pick<PostgresOptions, 'clock' | 'random' | 'onTime' | 'onRetry'>,
    private readonly asideDriver?: Driver,
  ) {}

  // The answer of a unit has the type that its values say: no type can follow how it is made.
  readonly commit = ((accounts: readonly string[], unit: Unit) =>
    this.#follow(() => this.#commitWithRetries(accounts, unit))) as Driver['commit'];

  readonly read = <Row>(query: Query<Row>): Promise<Row[]> => this.#follow(() => this.#ask(query));

  pool(): PoolState {
    return this.connections.state;
  }

  aside(): Driver | undefined {
    return this.asideDriver;
  }

  async check(): Promise<void> {
    await this.commit([], effect('UPDATE store_checks SET checks = checks + 1'));
  }

  /** Ends the connections when everything that was asked for before is done. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    await Promise.allSettled([...this.#underWay, this.asideDriver?.close()]);
    await this.connections.end();
  }

  async #follow<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw new StoreUnavailable(new Error('the store is closed'));
    const asked = work();
    this.#underWay.add(asked);
    try {
      return await asked;
    } catch (error) {
      throw asStoreError(error);
    } finally {
      this.#underWay.delete(asked);
    }
  }

  async #commitWithRetries(accounts: readonly string[], unit: Unit): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#commitOnce(accounts, unit);
      } catch (error) {
        // Where the connection was lost, it is unknown whether the unit was written, whatever else happened.
        const collision = collisionIn(error);
        if (collision === undefined || attempt === TRIES) throw error;
        this.options.onRetry?.(collision);
        await delay(this.#pauseMs());
      }
    }
  }

  async #commitOnce(accounts: readonly string[], unit: Unit): Promise<unknown> {
    let afterwards: (() => void) | undefined;
    let transaction: string | undefined;
    try {
      return await this.connections.inTransaction(async (client) => {
        const locked = await lockAccounts(client, accounts);
        transaction = locked.transaction;
        if (this.options.clock === undefined) this.options.onTime?.(locked.time);
        const now = this.options.clock?.now() ?? locked.time;
        const running = new RunningUnit((statement) => client.query(statement), now);
        const answer = await running.write(unit);
        afterwards = await running.enter();
        return answer;
      });
    } catch (error) {
      if (error instanceof Undo) return UNDONE;
      const named = transaction;
      if (!(error instanceof LostAnswer) || named === undefined) throw error;
      throw new CommitUnanswered(error.cause, () => this.#outcomeOf(named));
    } finally {
      afterwards?.();
    }
  }

  #outcomeOf(transaction: string): Promise<UnitOutcome> {
    return this.#follow(() => this.connections.ask((client) => outcomeOf(client, transaction)));
  }

  async #ask<Row>({ sql, values }: Query<Row>): Promise<Row[]> {
    const statement = numbered(sql, values, this.options.clock?.now() ?? 'of statement');
    return this.connections.ask(async (client) => (await client.query(statement)).rows);
  }

  #pauseMs(): number {
    const [byte = 0] = this.options.random.bytes(1);
    return SHORTEST_PAUSE_MS + (byte / 256) * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS);
  }
}

/** What the database calls it (pg_xact_status). Null: so old that it is not known any more. */
type Status = 'committed' | 'aborted' | 'in progress' | null;

/** What became of a transaction, by the id that it had. */
export async function outcomeOf(client: PoolClient, transaction: string): Promise<UnitOutcome> {
  const status = await statusOf(client, transaction);
  if (status === 'committed') return 'written';
  return status === 'in progress' ? 'open' : 'not_written';
}

async function statusOf(client: PoolClient, transaction: string): Promise<Status> {
  try {
    const { rows } = await client.query<{ status: Status }>('SELECT pg_xact_status($1::xid8) AS status', [
      transaction,
    ]);
    return rows[0]?.status ?? null;
  } catch (error) {
    // After a failover the id can lie in the future: the new primary never heard of it.
    if (isAnswer(error)) return null;
    throw error;
  }
}
