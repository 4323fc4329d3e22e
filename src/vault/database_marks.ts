import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { KeyFileError } from './key_file_error.ts';
import {
  type DatabaseMark,
  type KeyRing,
  loadKeyRing,
  parseMarks,
  type RingKey,
  replaceMarks,
} from './key_ring.ts';
import { type KeySettings, nameOfKeys } from './key_source.ts';
import { createPrivateFile, readPrivateFile, replacePrivateFile } from './private_file.ts';

const FORMAT_VERSION = 1;
const KEY_BYTES = 32;

/**
 * Remembers, apart from the database, in which databases users turned 2FA on. In an empty or foreign one no user has,
 * so all of them would get in by password alone. Each mark is signed by a key of the ring, so that a file of marks
 * cannot be made without the key file.
 */
export class DatabaseMarks {
  /** @param ring - the keys as they are known now. */
  constructor(
    private readonly settings: KeySettings,
    private readonly ring: () => KeyRing,
  ) {}

  /** Where they are, as an operator would name it. */
  get file(): string {
    return this.settings.marks ?? nameOfKeys(this.settings.source);
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
    return hasMark(this.read(), id, this.ring());
  }

  /**
   * Adds the database of this id; several processes may at once.
   * @throws {KeyFileError} `busy` while another process writes; `unreadable` if it cannot be written
   */
  add(id: string): void {
    const ring = this.ring();
    if (hasMark(this.read(), id, ring)) return;
    this.change((marks) => [...marks.filter((other) => other.id !== id), signed(id, ring.active)]);
  }

  /**
   * Makes the marks of this ring by its active key, so that another key can be removed from it.
   * @throws {KeyFileError} as `add`
   */
  signAgain(active: RingKey): void {
    if (!this.any()) return;
    const { keys } = this.ring();
    this.change((databases) => marksBy(active, databases, keys));
  }

  /**
   * Forgets all of them.
   * @throws {KeyFileError}
   */
  clear(): void {
    if (this.any()) this.change(() => []);
  }

  private read(): readonly DatabaseMark[] {
    const { marks } = this.settings;
    if (marks === undefined) return loadKeyRing(this.keyFile()).databases ?? [];
    try {
      return parseMarkFile(marks, readPrivateFile(marks));
    } catch (error) {
      if (error instanceof KeyFileError && error.problem === 'missing') return [];
      throw error;
    }
  }

  private change(change: (marks: readonly DatabaseMark[]) => readonly DatabaseMark[]): void {
    const { marks } = this.settings;
    if (marks === undefined) {
      replaceMarks(this.keyFile(), change);
      return;
    }
    makeWhereMissing(marks);
    replacePrivateFile(marks, (content) => markFile(change(parseMarkFile(marks, content))));
  }

  private keyFile(): string {
    const { source } = this.settings;
    if ('file' in source) return source.file;
    throw new KeyFileError(
      'unreadable',
      nameOfKeys(source),
      'it cannot hold marks; set keys.marks',
      'keys of',
    );
  }
}

/** The ring with its marks made by `active`, so that another key can be left out of it. */
export function signedAgain(ring: KeyRing, active: RingKey): KeyRing {
  const { databases, keys } = ring;
  return databases === undefined ? ring : { ...ring, databases: marksBy(active, databases, keys) };
}

/** The marks that are of these keys, made by the active one; others stay as they are. */
function marksBy(active: RingKey, marks: readonly DatabaseMark[], keys: readonly RingKey[]): DatabaseMark[] {
  return marks.map((mark) => (isOf(mark, keys) ? signed(mark.id, active) : mark));
}

function hasMark(marks: readonly DatabaseMark[], id: string, { keys }: KeyRing): boolean {
  return marks.some((mark) => mark.id === id && isOf(mark, keys));
}

function isOf({ id, mac }: DatabaseMark, keys: readonly RingKey[]): boolean {
  return keys.some(({ secret }) => isMac(mac, id, secret));
}

function signed(id: string, { secret }: RingKey): DatabaseMark {
  return { id, mac: macOf(id, secret).toString('hex') };
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
