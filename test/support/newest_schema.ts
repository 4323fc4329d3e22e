/**
 * Databases that begin with the newest schema, as copies of one that was made once in this run of jest: the migrations
 * took a quarter of the time of a suite that starts the application for each test. Suites of the migrations and of the
 * commands make theirs themselves.
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openPostgresStorage } from '../../src/storage/postgres/postgres_storage.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import { systemRandom } from '../../src/system/random.ts';
import { withDirectoryLock } from '../../tools/directory_lock.ts';
import { connected, copyDatabase, newDatabase, type PostgresServer } from './postgres.ts';

const MADE_WITHIN_MS = 120_000;
const OWNER_ONLY_DIRECTORY = 0o700;
const OWNER_ONLY = 0o600;

/** Makes an SQLite file, and its folder where that is missing, with an identity of its own. */
export async function makeSqliteDatabase(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: OWNER_ONLY_DIRECTORY });
  const original = await sqliteOriginal();
  closeSync(openSync(path, 'wx', OWNER_ONLY));
  copyFileSync(original, path);
  const database = openDatabase(path, {});
  database.exec('UPDATE database_identity SET id = lower(hex(randomblob(16)))');
  database.close();
}

async function sqliteOriginal(): Promise<string> {
  const path = join(tmpdir(), `m2fa-newest-schema-${process.env.M2FA_TEST_RUN}`, '2fa.db');
  if (existsSync(path)) return path;
  const made = join(dirname(path), `${process.pid}.db`);
  const storage = await openSqliteStorage({ path: made });
  await storage.close();
  renameSync(made, path);
  return path;
}

/** Makes a PostgreSQL database: its URL. Its identity is its own. */
export async function makePostgresDatabase(server: PostgresServer): Promise<string> {
  const made = await copyDatabase(server, await postgresOriginal(server));
  const renamed = "UPDATE database_identity SET id = replace(gen_random_uuid()::text, '-', '')";
  await connected({ connectionString: made }, (client) => client.query(renamed));
  return made;
}

/** The URL of the one that is copied. Nothing may be connected to it. */
function postgresOriginal(server: PostgresServer): Promise<string> {
  const known = join(server.socketFolder, 'newest_schema');
  return withDirectoryLock(`${known}.lock`, { timeoutMs: MADE_WITHIN_MS }, async () => {
    if (existsSync(known)) return readFileSync(known, 'utf8');
    const url = await newDatabase(server);
    const storage = await openPostgresStorage({ url, tls: 'disable', pool: 1, random: systemRandom });
    await storage.close();
    writeFileSync(known, url);
    return url;
  });
}
