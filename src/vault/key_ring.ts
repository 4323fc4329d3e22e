import type { Clock } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { KeyFileError } from './key_file_error.ts';
import { createPrivateFile, readPrivateFile, replacePrivateFile } from './private_file.ts';

export const SECRET_BYTES = 32;
const FORMAT_VERSION = 1;
const LONGEST_KEY_ID = 64;

/** One key of the ring. */
export interface RingKey {
  readonly id: string;
  /** When it was made, in milliseconds since the epoch. */
  readonly created: number;
  /** 256 random bits. */
  readonly secret: Buffer;
  /** From when new values are sealed under it, in ms since the epoch; undefined for the first key of a file. */
  readonly activeFrom?: number | undefined;
}

/** The keys of the file in the order in which they were made. */
export interface KeyRing {
  /** The key that was active when the file was written; `activeKeyAt` says which one is now. */
  readonly active: RingKey;
  readonly keys: readonly RingKey[];
  /** The databases in which users turned 2FA on, where they stand in this file: see `DatabaseMarks`. */
  readonly databases?: readonly DatabaseMark[];
}

/** That users turned 2FA on in a database. */
export interface DatabaseMark {
  /** The random id of the database. */
  readonly id: string;
  /** Made of the id by a key of the ring, in hex. */
  readonly mac: string;
}

/** What may be shown of a key. */
export interface KeyDescription {
  readonly id: string;
  readonly created: number;
  /** `pending`: it opens, and will seal. `active`: it seals and opens. `opens`: it seals nothing any more. */
  readonly state: 'pending' | 'active' | 'opens';
}

/** The key that new values are sealed under at `now`, in ms since the epoch. */
export function activeKeyAt(ring: KeyRing, now: number): RingKey {
  const begun = ring.keys.findLast(({ activeFrom }) => activeFrom !== undefined && activeFrom <= now);
  return begun ?? ring.active;
}

/** The keys that were active at any time since `since`, or will be. */
export function keysActiveSince({ keys }: KeyRing, since: number): readonly RingKey[] {
  return keys.filter((_key, place) => {
    const begins = keys.slice(place + 1).flatMap(({ activeFrom }) => activeFrom ?? []);
    return Math.min(...begins) > since;
  });
}

/**
 * Makes a key file with one key, readable by its owner alone.
 * @throws {KeyFileError} `exists` rather than overwriting keys that would be lost for ever.
 */
export function createKeyFile(path: string, random: RandomSource, clock: Clock): KeyRing {
  const key = newKey(random, clock);
  const ring = { active: key, keys: [key] };
  createPrivateFile(path, serialise(ring));
  return ring;
}

/**
 * Reads the key file.
 * @throws {KeyFileError} `missing`, `permissions` (readable by others than its owner), `unreadable` or `malformed`.
 */
export function loadKeyRing(path: string): KeyRing {
  return parseKeyRing(path, readPrivateFile(path));
}

/**
 * Adds a new key that becomes active after `activeInMs`, when every running process has read the file again;
 * what was sealed under the old ones still opens. The file is replaced as a whole.
 * @throws {KeyFileError} as `loadKeyRing`, and `busy` if another rotation is under way.
 */
export function rotateKeyFile(path: string, random: RandomSource, clock: Clock, activeInMs = 0): KeyRing {
  return parseKeyRing(
    path,
    replacePrivateFile(path, (content) => {
      return serialise(withNewKey(parseKeyRing(path, content), random, clock, activeInMs));
    }),
  );
}

/** The ring with one key more, which becomes active after `activeInMs`. */
export function withNewKey(ring: KeyRing, random: RandomSource, clock: Clock, activeInMs: number): KeyRing {
  const now = clock.now();
  const key = { ...newKey(random, clock), activeFrom: now + activeInMs };
  const active = activeInMs > 0 ? activeKeyAt(ring, now) : key;
  return { ...ring, active, keys: [...ring.keys, key] };
}

/** The ring without a key, which must not be the active one. */
export function withoutKey(ring: KeyRing, id: string, clock: Clock): KeyRing {
  return {
    ...ring,
    active: activeKeyAt(ring, clock.now()),
    keys: ring.keys.filter((key) => key.id !== id),
  };
}

/**
 * Removes a key, which must not be the active one.
 * @throws {KeyFileError} as `rotateKeyFile`
 */
export function removeFromKeyFile(path: string, id: string, clock: Clock): void {
  replacePrivateFile(path, (content) => serialise(withoutKey(parseKeyRing(path, content), id, clock)));
}

/**
 * Changes the marks in the key file and nothing else in it.
 * @throws {KeyFileError} as `rotateKeyFile`
 */
export function replaceMarks(
  path: string,
  change: (marks: readonly DatabaseMark[]) => readonly DatabaseMark[],
): void {
  replacePrivateFile(path, (content) => {
    const ring = parseKeyRing(path, content);
    return serialise({ ...ring, databases: change(ring.databases ?? []) });
  });
}

/** The marks in a file that holds nothing else; undefined if this version cannot read it. */
export function parseMarks(content: string, version: number): readonly DatabaseMark[] | undefined {
  const file = parseJson(content);
  return isRecord(file) && file.version === version ? marksIn(file.databases) : undefined;
}

/** What `keys list` shows at `now`: never a secret. */
export function describeKeys(ring: KeyRing, now: number): KeyDescription[] {
  const active = activeKeyAt(ring, now);
  return ring.keys.map(({ id, created, activeFrom }) => {
    if (id === active.id) return { id, created, state: 'active' };
    return { id, created, state: (activeFrom ?? 0) > now ? 'pending' : 'opens' };
  });
}

function newKey(random: RandomSource, clock: Clock): RingKey {
  // Operators type it behind commands, where a leading "-" begins an option.
  const id = randomId(random, 64).replace(/^-/, '0');
  return { id, created: clock.now(), secret: random.bytes(SECRET_BYTES) };
}

/** The ring as it stands in a key file, secrets included. */
export function serialise(ring: KeyRing): string {
  const keys = ring.keys.map((key) => ({
    id: key.id,
    created: new Date(key.created).toISOString(),
    secret: key.secret.toString('base64'),
    ...(key.activeFrom !== undefined && { active_from: new Date(key.activeFrom).toISOString() }),
  }));
  const databases = ring.databases?.length ? { databases: ring.databases } : {};
  return `${JSON.stringify({ version: FORMAT_VERSION, active: ring.active.id, keys, ...databases }, null, 2)}\n`;
}

/**
 * Reads a ring from the content of a key file.
 * @param path - of the file, or what else it comes from.
 * @throws {KeyFileError} `malformed`
 */
export function parseKeyRing(path: string, content: string, kind?: string): KeyRing {
  const malformed = (text: string) => new KeyFileError('malformed', path, text, kind);
  const file = parseJson(content);
  if (!isRecord(file)) throw malformed('it is not a JSON object');
  if (file.version !== FORMAT_VERSION) throw malformed(`its "version" is not ${FORMAT_VERSION}`);
  if (!Array.isArray(file.keys) || file.keys.length === 0) throw malformed('it holds no "keys"');

  const keys = file.keys.map((entry: unknown, index) => {
    const key = parseKey(entry);
    if (key === undefined) {
      throw malformed(
        `key ${index + 1} needs an "id", a "created" date and a "secret" of ${SECRET_BYTES} bytes in base64`,
      );
    }
    return key;
  });
  if (new Set(keys.map((key) => key.id)).size !== keys.length) throw malformed('two keys have the same "id"');

  const active = keys.find((key) => key.id === file.active);
  if (active === undefined) throw malformed('"active" names none of its keys');
  if (file.databases === undefined) return { active, keys };
  const databases = marksIn(file.databases);
  if (databases === undefined) throw malformed('each of its "databases" needs an "id" and a "mac"');
  return { active, keys, databases };
}

function marksIn(entries: unknown): readonly DatabaseMark[] | undefined {
  if (!Array.isArray(entries)) return undefined;
  const marks = entries.filter(isMark);
  return marks.length === entries.length ? marks : undefined;
}

function isMark(entry: unknown): entry is DatabaseMark {
  return isRecord(entry) && typeof entry.id === 'string' && typeof entry.mac === 'string';
}

/** The parser's own message would quote the file, secrets included: only that it failed is passed on. */
function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

function parseKey(entry: unknown): RingKey | undefined {
  if (!isRecord(entry)) return undefined;
  const { id, created, secret, active_from: activeFrom } = entry;
  if (activeFrom !== undefined && !isDate(activeFrom)) return undefined;
  if (typeof id !== 'string' || id === '' || Buffer.byteLength(id) > LONGEST_KEY_ID) return undefined;
  if (!isDate(created)) return undefined;
  if (typeof secret !== 'string') return undefined;
  const bytes = Buffer.from(secret, 'base64');
  if (bytes.length !== SECRET_BYTES || bytes.toString('base64') !== secret) return undefined;
  const key = { id, created: Date.parse(created), secret: bytes };
  return activeFrom === undefined ? key : { ...key, activeFrom: Date.parse(activeFrom) };
}

function isDate(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
