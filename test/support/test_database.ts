/**
 * A PostgreSQL database of a test's own, on the server of the run:
 *
 *     const database = await TestDatabase.make(programs);
 *     await startApp({ storage: database.settings() });
 *     await database.drop();
 */
import { Client } from 'pg';
import { dropDatabase, newDatabase, type PostgresServer, postgresServer } from './postgres.ts';

export class TestDatabase {
  private constructor(
    private readonly server: PostgresServer,
    readonly url: string,
  ) {}

  /** @param programs of PostgreSQL; undefined where the suite is skipped */
  static async make(programs: string | undefined): Promise<TestDatabase> {
    const server = await postgresServer(programs ?? '');
    return new TestDatabase(server, await newDatabase(server));
  }

  /** The folder of the server's socket. */
  get socketFolder(): string {
    return this.server.socketFolder;
  }

  /** The `storage` section of a configuration, with `more` settings in YAML. */
  settings(more = ''): string {
    return `{ type: postgres, url: "${this.url}", tls: disable, ${more} }`;
  }

  /** The URL of the same database by way of this port. */
  through(port: number): string {
    return `postgres://${this.server.user}@127.0.0.1:${port}${new URL(this.url).pathname}`;
  }

  /** A connection of somebody else, which ends with `act`. */
  async asOther<T>(act: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({ connectionString: this.url });
    await client.connect();
    try {
      return await act(client);
    } finally {
      await client.end();
    }
  }

  drop(): Promise<void> {
    return dropDatabase(this.server, this.url);
  }
}
