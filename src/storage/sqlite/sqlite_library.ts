import { createRequire } from 'node:module';
import type SqliteDatabase from 'better-sqlite3';
import type { Database, Options } from 'better-sqlite3';

/** The first Node for which better-sqlite3 13 is made. */
const FIRST_NODE_OF_13 = 22;

/** The library that fits this Node is not there, or cannot be loaded; the message says what to do. */
export class SqliteLibraryMissing extends Error {}

/** Loads a package by name, as `require` does. */
type Load = (name: string) => unknown;

const load: Load = createRequire(import.meta.url);
let library: typeof SqliteDatabase | undefined;

/**
 * Opens a database with the library that fits this Node. Version 12 of better-sqlite3 is compiled
 * against V8 and ends the process in a garbage collection on Node 24.19 or newer
 * (https://github.com/nodejs/node/issues/65446); version 13 uses Node-API, and needs Node 22. Both are optional
 * dependencies: npm leaves 13 out where Node is older than its `engines` say.
 *
 * @throws {SqliteLibraryMissing}
 */
export function openDatabase(path: string, options: Options = {}): Database {
  library ??= sqliteLibrary(process.versions.node, load);
  return new library(path, options);
}

/**
 * The class of databases for a Node of this version. 12 is never taken in the place of a missing 13.
 *
 * @throws {SqliteLibraryMissing}
 */
export function sqliteLibrary(nodeVersion: string, loadPackage: Load): typeof SqliteDatabase {
  const isNew = Number.parseInt(nodeVersion, 10) >= FIRST_NODE_OF_13;
  const [version, name] = isNew ? [13, 'better-sqlite3-13'] : [12, 'better-sqlite3'];
  try {
    const Library = loadPackage(name) as typeof SqliteDatabase;
    // What is compiled is loaded with the first database.
    new Library(':memory:').close();
    return Library;
  } catch (error) {
    throw new SqliteLibraryMissing(
      `Node ${nodeVersion} needs better-sqlite3 ${version}, which cannot be loaded; with this Node run "npm rebuild better-sqlite3", or install again`,
      { cause: error },
    );
  }
}
