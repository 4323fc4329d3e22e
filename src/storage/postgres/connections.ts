import { type ClientBase, Pool, type PoolClient, type PoolConfig, types } from 'pg';
import { StoreUnavailable } from '../errors.ts';
import type { PoolState } from '../statement.ts';
import { isAnswer } from './store_error.ts';
import { Undo } from './unit_of_work.ts';

/** How long a request waits for a connection, in ms. */
const LONGEST_WAIT_FOR_CONNECTION_MS = 5000;
/** How long we wait for the answer to one statement, in ms: then the connection is given up. */
const LONGEST_STATEMENT_MS = 10_000;

/** `SET LOCAL` ends with the transaction: PgBouncer may give the connection to another client then. */
const BEGIN = `
  BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
  SET LOCAL lock_timeout = '1s';
  SET LOCAL idle_in_transaction_session_timeout = '10s'`;

/** PostgreSQL's `bigint`: a string by default, as not all of them fit a number of JavaScript; ours do. */
const BIGINT_OID = 20;

/** The connections of this process to one database. */
export class Connections {
  readonly #pool: Pool;

  /** @param config `query_timeout` where statements may take longer than those of a request */
  constructor(config: PoolConfig) {
    this.#pool = new Pool({
      query_timeout: LONGEST_STATEMENT_MS,
      ...config,
      connectionTimeoutMillis: LONGEST_WAIT_FOR_CONNECTION_MS,
      keepAlive: true,
      application_name: 'matrix-2fa-proxy',
      types: {
        getTypeParser: (oid, format) => (oid === BIGINT_OID ? Number : types.getTypeParser(oid, format)),
      },
      // oxlint-disable-next-line typescript/no-misused-promises -- pg-pool waits for it, but its types do not say so
      onConnect: refuseStandby,
    });
    // A connection that breaks while it is not in use is left out from then on; the next use tells.
    this.#pool.on('error', () => undefined);
    // The pool listens only while a connection is not lent. Its user learns of a break by the next statement.
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
  }

  /** Lends a connection to `work`. One that breaks is not used again. */
  async use<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return lend(await this.#pool.connect(), work);
  }

  /** Lends a connection to a question, which is asked once more where the connection turns out to be broken. */
  async ask<T>(question: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    try {
      return await lend(client, question);
    } catch (error) {
      if (isAnswer(error)) throw error;
    }
    return this.use(question);
  }

  /**
   * Lends a connection with a transaction begun. What `work` throws rolls it back; else it is committed.
   * A connection that broke while it was not in use shows at its first use: that is tried once more.
   * @throws LostAnswer
   */
  async inTransaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return lend(await this.#begin(), async (client) => {
      const result = await work(client);
      await commit(client);
      return result;
    });
  }

  get state(): PoolState {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    return { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
  }

  end(): Promise<void> {
    return this.#pool.end();
  }

  /** @throws what a connection that is not to be had throws: it was waited for long enough */
  async #begin(mayBeBroken = true): Promise<PoolClient> {
    const client = await this.#pool.connect();
    try {
      await client.query(BEGIN);
      return client;
    } catch (error) {
      client.release(true);
      if (isAnswer(error) || !mayBeBroken) throw error;
    }
    return this.#begin(false);
  }
}

/** The connection was lost when a commit had been asked for, and not answered. */
export class LostAnswer extends Error {}

async function commit(client: PoolClient): Promise<void> {
  try {
    await client.query('COMMIT');
  } catch (error) {
    throw isAnswer(error) ? error : new LostAnswer('the commit was not answered', { cause: error });
  }
}

async function lend<T>(client: PoolClient, work: (client: PoolClient) => Promise<T>): Promise<T> {
  let broken = false;
  try {
    return await work(client);
  } catch (error) {
    broken = !(isAnswer(error) || error instanceof Undo) || !(await rolledBack(client));
    throw error;
  } finally {
    client.release(broken);
  }
}

/** Ends what a failed use may have begun. */
async function rolledBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('ROLLBACK');
    return true;
  } catch {
    return false;
  }
}

/** A standby answers questions with what was true a while ago: no release may rest on that. */
async function refuseStandby(client: ClientBase): Promise<void> {
  const { rows } = await client.query('SELECT pg_is_in_recovery() AS standby');
  if (rows[0]?.standby !== false) throw new StoreUnavailable(new Error('the database is a standby'));
}
