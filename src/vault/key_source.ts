import { type ExecFileException, execFile } from 'node:child_process';
import { join } from 'node:path';
import { SECOND } from '../system/clock.ts';
import { KeyFileError } from './key_file_error.ts';
import { type KeyRing, loadKeyRing, parseKeyRing } from './key_ring.ts';
import { readPrivateFile } from './private_file.ts';

/** Where the keys come from. Only a file can be written by this program. */
export type KeySource =
  | { readonly file: string }
  /** A credential of systemd; `folder` is `$CREDENTIALS_DIRECTORY`. */
  | { readonly credential: string; readonly folder: string | undefined }
  /** A program that prints what would stand in a key file. */
  | { readonly command: readonly [string, ...string[]]; readonly timeoutMs: number };

/** Where the keys come from, and where the marks are if not in the key file. */
export interface KeySettings {
  readonly source: KeySource;
  readonly marks: string | undefined;
}

/**
 * systemd hands a credential to its service in a folder of its own, often by an access list, which shows as a
 * permission of the group.
 */
const ALL_OTHERS = 0o007;
/** A ring of a thousand keys is smaller. */
const LONGEST_OUTPUT = 1024 * 1024;

/** What an operator would call it. */
export function nameOfKeys(source: KeySource): string {
  if ('file' in source) return source.file;
  return 'credential' in source ? `the credential ${source.credential}` : `the command ${source.command[0]}`;
}

/**
 * Reads the keys.
 * @throws {KeyFileError} `missing`, `permissions`, `unreadable` or `malformed`
 */
export async function readKeys(source: KeySource): Promise<KeyRing> {
  if (!('command' in source)) return readKeysIn(source);
  const [program, ...words] = source.command;
  return parseKeyRing(program, await outputOf(program, words, source.timeoutMs), 'key command');
}

/**
 * Reads the keys where that takes no time; undefined where a command has to be run.
 * @throws {KeyFileError} as `readKeys`
 */
export function readKeysAtOnce(source: KeySource): KeyRing | undefined {
  return 'command' in source ? undefined : readKeysIn(source);
}

function readKeysIn(source: Exclude<KeySource, { readonly command: unknown }>): KeyRing {
  if ('file' in source) return loadKeyRing(source.file);
  if (source.folder === undefined) {
    const text = '$CREDENTIALS_DIRECTORY is not set; systemd sets it for a service with LoadCredential=';
    throw new KeyFileError('missing', source.credential, text, 'credential');
  }
  const path = join(source.folder, source.credential);
  return parseKeyRing(path, readPrivateFile(path, ALL_OTHERS));
}

/** What it writes to its standard error, and its output where it fails, may hold secrets: neither is repeated (R11). */
function outputOf(program: string, words: readonly string[], timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: LONGEST_OUTPUT } as const;
    const child = execFile(program, words, options, (error, output) => {
      if (error === null) resolve(output);
      else reject(new KeyFileError('unreadable', program, faultOf(error, timeoutMs), 'key command'));
    });
    // A program that asks for something gets no answer, rather than waiting until its time is over.
    child.stdin?.on('error', () => undefined).end();
  });
}

function faultOf({ code, killed, signal }: ExecFileException, timeoutMs: number): string {
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'its output is longer than a key file';
  if (killed === true) return `it did not end within ${timeoutMs / SECOND} s (keys.timeout)`;
  if (typeof code === 'string') return `it cannot be run (${code})`;
  return typeof code === 'number' ? `it ended with exit code ${code}` : `it was ended by ${signal}`;
}
