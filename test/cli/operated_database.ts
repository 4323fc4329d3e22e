import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe } from '@jest/globals';
import { copiedTables } from '../../src/storage/copied_tables.ts';
import { onWholeDatabase, openStorage, type StorageSettings } from '../../src/storage/open_storage.ts';
import { ask } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { announceProcess } from '../../src/storage/tables/processes.ts';
import { systemRandom } from '../../src/system/random.ts';
import { createKeyFile, loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { type Enrolled, enrol } from '../support/enrolment.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { TestDatabase } from '../support/test_database.ts';
import { type CommandLine, commandLine } from './command_line.ts';

const A_PROCESS = { host: 'a', version: '1', keyIds: 'key', settingsDigest: 'digest', sealingKey: 'key' };

/** A database that an operator runs commands on, and its configuration. */
export class OperatedDatabase {
  readonly line: CommandLine = commandLine();

  constructor(readonly settings: StorageSettings | undefined = undefined) {
    this.line.clock.set(Date.now());
    createKeyFile(this.keys, systemRandom, this.line.clock);
    this.configure(this.storageText);
  }

  get keys(): string {
    return join(this.line.folder, 'keys.json');
  }

  get storage(): StorageSettings {
    return this.settings ?? { type: 'sqlite', path: join(this.line.folder, '2fa.db') };
  }

  /** Where the database is, as `migrate --from` and `--to` take it. */
  get address(): string {
    return this.storage.type === 'sqlite' ? `sqlite:${this.storage.path}` : this.storage.url;
  }

  get storageText(): string {
    return this.storage.type === 'sqlite'
      ? `{ type: sqlite, path: ${this.storage.path} }`
      : `{ type: postgres, url: "${this.storage.url}", tls: disable }`;
  }

  configure(storage: string): void {
    const rest = [
      'public_base_url: https://matrix.example.org',
      'homeserver: { url: http://127.0.0.1:1 }',
      'keys: { file: keys.json }',
    ];
    writeFileSync(this.line.configFile, [`storage: ${storage}`, ...rest].join('\n'));
  }

  /** Opens the store for the time of `work`, as `serve` does. */
  async with<T>(work: (storage: Storage) => Promise<T>): Promise<T> {
    const storage = await openStorage(this.storage, { clock: this.line.clock, random: systemRandom });
    try {
      return await work(storage);
    } finally {
      await storage.close();
    }
  }

  enrol(userId: string, keys = this.keys): Promise<Enrolled> {
    const vault = new SealingVault(loadKeyRing(keys), systemRandom);
    return this.with(({ factors }) =>
      enrol({ store: factors, vault, clock: this.line.clock }, userId, { recoveryCodes: 1 }),
    );
  }

  enrolled(): Promise<string[]> {
    return this.with(({ factors }) => factors.enrolledUsers());
  }

  /** A `serve` is there. */
  announce(): Promise<unknown> {
    return this.with((storage) => storage.commit([], announceProcess('a process', A_PROCESS)));
  }

  /** All rows of all tables that a copy has. */
  content(): Promise<Record<string, unknown>> {
    return contentOf(this.storage, this.line);
  }
}

export async function contentOf(
  settings: StorageSettings,
  { clock }: Pick<CommandLine, 'clock'>,
): Promise<Record<string, unknown>> {
  return onWholeDatabase(settings, { access: 'read', clock }, async (database) => {
    const content: Record<string, unknown> = {};
    for (const { name, columns } of copiedTables()) {
      content[name] = await database.write(ask(`SELECT ${columns.join(', ')} FROM ${name} ORDER BY rowid`));
    }
    return content;
  });
}

/** A suite on a new database of each kind. */
export function describeOnOperated(title: string, tests: (at: { database: OperatedDatabase }) => void): void {
  const at = {} as { database: OperatedDatabase };
  const programs = postgresPrograms();
  describe(`${title}, on SQLite`, () => {
    beforeEach(() => {
      at.database = new OperatedDatabase();
    });
    afterEach(() => at.database.line.remove());
    tests(at);
  });
  (programs === undefined ? describe.skip : describe)(`${title}, on PostgreSQL`, () => {
    let made: TestDatabase;
    beforeEach(async () => {
      made = await TestDatabase.make(programs);
      at.database = new OperatedDatabase(made.storage);
    });
    afterEach(async () => {
      at.database.line.remove();
      await made.drop();
    });
    tests(at);
  });
}
