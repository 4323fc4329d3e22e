/**
 * A PostgreSQL database of a test's own, on the server of the run:
 *
 *     const database = await TestDatabase.make(programs);
 *     await startApp({ storage: database.settings() });
 *     await database.drop();
 */
import type { Client } from 'pg';
import type { PostgresAddress } from '../../src/storage/postgres/address.ts';
import {
  administer,
  connected,
  dropDatabase,
  newDatabase,
  type PostgresServer,
  postgresServer,
} from './postgres.ts';

export class TestDatabase {
  private constructor(
    private readonly server: PostgresServer,
    readonly url: string,
  ) {}

  /**
   * @param programs of PostgreSQL; undefined where the suite is skipped
   * @param make what makes it: empty, unless it is said
   */
  static async make(
    programs: string | undefined,
    make: (server: PostgresServer) => Promise<string> = newDatabase,
  ): Promise<TestDatabase> {
    const server = await postgresServer(programs ?? '');
    return new TestDatabase(server, await make(server));
  }

  /** What the server is entered by. */
  get user(): string {
    return this.server.user;
  }

  /** Its name on the server. */
  get name(): string {
    return new URL(this.url).pathname.slice(1);
  }

  /** The folder of the server's socket. */
  get socketFolder(): string {
    return this.server.socketFolder;
  }

  /** The `storage` section of a configuration, with `more` settings in YAML. */
  settings(more = ''): string {
    return `{ type: postgres, url: "${this.url}", tls: disable, ${more} }`;
  }

  /** The same as the store takes it. */
  get storage(): { readonly type: 'postgres' } & PostgresAddress {
    return { type: 'postgres', url: this.url, tls: 'disable', pool: 2 };
  }

  /** The URL of the same database by way of this port. */
  through(port: number): string {
    return `postgres://${this.user}@127.0.0.1:${port}/${this.name}`;
  }

  /** A connection of somebody else, which ends with `act`. */
  async asOther<T>(act: (client: Client) => Promise<T>): Promise<T> {
    return connected({ connectionString: this.url }, act);
  }

  /** Statements of somebody else. */
  async administer(statements: string): Promise<void> {
    await this.asOther((client) => client.query(statements));
  }

  /** Whether anyone is let in. Where no one is, no one stays in. */
  async allow(allowed: boolean): Promise<void> {
    const all = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${this.name}'`;
    await administer(this.server, `ALTER DATABASE ${this.name} ALLOW_CONNECTIONS ${allowed}`);
    if (!allowed) await administer(this.server, all);
  }

  drop(): Promise<void> {
    return dropDatabase(this.server, this.url);
  }
}
