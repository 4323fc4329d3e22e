import { ScureBase32Plugin } from 'otplib';

/** An authenticator as another program has it. */
export interface FoundAuthenticator {
  readonly is: 'found';
  /** Where it stands in the file, as people count: `line 3`. */
  readonly place: string;
  /** As it is written there. */
  readonly user: string;
  readonly name?: string | undefined;
  /** As it is written there, or what the format takes for granted. */
  readonly algorithm: string;
  readonly digits: string;
  readonly period: string;
  /** Undefined if it cannot be read. */
  readonly seed: Buffer | undefined;
}

/** What stands in the file and is not for us, and why. */
export interface SkippedEntry {
  readonly is: 'skipped';
  readonly place: string;
  readonly user: string;
  readonly why: string;
}

/** What cannot be read. It is not shown: it may hold a seed. */
export interface UnreadableEntry {
  readonly is: 'unreadable';
  readonly place: string;
  readonly why: string;
}

export type Entry = FoundAuthenticator | SkippedEntry | UnreadableEntry;

/** The file as a whole is not what it was said to be. The text holds nothing of the file. */
export class ImportFileError extends Error {}

const base32 = new ScureBase32Plugin();

/** A seed as people type it into an app, with blanks, dashes and padding or without. */
export function seedFromBase32(text: string): Buffer | undefined {
  const bare = text
    .replaceAll(/[\s-]/g, '')
    .replace(/={1,6}$/, '')
    .toUpperCase();
  if (bare === '') return undefined;
  try {
    return Buffer.from(base32.decode(bare));
  } catch {
    return undefined;
  }
}

/** A seed of privacyIDEA: lower-case hex, or base32 where the export was made with `--b32`. */
export function seedOfPrivacyidea(key: string): Buffer | undefined {
  return /^([0-9a-f]{2})+$/.test(key) ? Buffer.from(key, 'hex') : seedFromBase32(key);
}

/** The user of an owner of privacyIDEA, without the realm; undefined where a token has none. */
export function userOfPrivacyidea(owner: string): string | undefined {
  return owner === 'n/a' ? undefined : owner.replace(/@[^@]*$/, '');
}

/** A member of an object that came from a file, as text; empty if it is neither text nor a number. */
export function textAt(value: unknown, key: string): string {
  const member = memberAt(value, key);
  return typeof member === 'string' || typeof member === 'number' ? String(member) : '';
}

export function memberAt(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}
