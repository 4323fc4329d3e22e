import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { KeyFileError } from './key_file_error.ts';
import { type DatabaseMark, type KeyRing, loadKeyRing, parseMarks, replaceMarks } from './key_ring.ts';
import { createPrivateFile, readPrivateFile, replacePrivateFile } from './private_file.ts';

const FORMAT_VERSION = 1;
const KEY_BYTES = 32;

/** Where the marks are: in the key file, or in a file of their own where that one cannot be written. */
export interface MarkPlace {
  readonly file: string;
  readonly marks: string | undefined;
}

/**
 * Remembers, apart from the database, in which databases users turned 2FA on. In an empty or foreign one no user has,
 * so all of them would get in by password alone. Each mark is signed by a key of the ring, so that a file of marks
 * cannot be made without the key file.
 */
export class DatabaseMarks {
  constructor(private readonly place: MarkPlace) {}

  /** Where they are, as an operator would name it. */
  get file(): string {
    return this.place.marks ?? this.place.file;
  }

  /**
   * Whether users turned 2FA on in any database.
   * @throws {KeyFileError}
   */
  any(): boolean {
    return this.read().length > 0;
  }

  /**
   * Whether the database of this id is among them.
   * @throws {KeyFileError}
   */
  has(id: string): boolean {
    return hasMark(this.read(), id, loadKeyRing(this.place.file));
  }

  /**
   * Adds the database of this id; several processes may at once.
   * @throws {KeyFileError} `busy` while another process writes; `unreadable` if it cannot be written
   */
  add(id: string): void {
    const ring = loadKeyRing(this.place.file);
    if (hasMark(this.read(), id, ring)) return;
    const mark = { id, mac: macOf(id, ring.active.secret).toString('hex') };
    this.change((marks) => [...marks.filter((other) => other.id !== id), mark]);
  }

  /**
   * Forgets all of them.
   * @throws {KeyFileError}
   */
  clear(): void {
    if (this.any()) this.change(() => []);
  }

  private read(): readonly DatabaseMark[] {
    if (this.place.marks === undefined) return loadKeyRing(this.place.file).databases ?? [];
    try {
      return parseMarkFile(this.place.marks, readPrivateFile(this.place.marks));
    } catch (error) {
      if (error instanceof KeyFileError && error.problem === 'missing') return [];
      throw error;
    }
  }

  private change(change: (marks: readonly DatabaseMark[]) => readonly DatabaseMark[]): void {
    const { file, marks } = this.place;
    if (marks === undefined) {
      replaceMarks(file, change);
      return;
    }
    makeWhereMissing(marks);
    replacePrivateFile(marks, (content) => markFile(change(parseMarkFile(marks, content))));
  }
}

function hasMark(marks: readonly DatabaseMark[], id: string, { keys }: KeyRing): boolean {
  return marks.some((mark) => mark.id === id && keys.some(({ secret }) => isMac(mark.mac, id, secret)));
}

function isMac(mac: string, id: string, secret: Buffer): boolean {
  const given = Buffer.from(mac, 'hex');
  const right = macOf(id, secret);
  return given.length === right.length && timingSafeEqual(given, right);
}

/** A key of its own for this use (RFC 5869), as for each of the vault's. */
function macOf(id: string, secret: Buffer): Buffer {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'matrix-2fa-proxy mark', KEY_BYTES));
  return createHmac('sha256', key).update(id).digest();
}

function makeWhereMissing(path: string): void {
  try {
    createPrivateFile(path, markFile([]));
  } catch (error) {
    if (!(error instanceof KeyFileError) || error.problem !== 'exists') throw error;
  }
}

function markFile(databases: readonly DatabaseMark[]): string {
  return `${JSON.stringify({ version: FORMAT_VERSION, databases }, null, 2)}\n`;
}

function parseMarkFile(path: string, content: string): readonly DatabaseMark[] {
  const marks = parseMarks(content, FORMAT_VERSION);
  if (marks !== undefined) return marks;
  throw new KeyFileError('malformed', path, 'it is not a file of marks; restore it from a copy');
}
