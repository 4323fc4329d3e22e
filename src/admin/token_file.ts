import { type Clock, SECOND } from '../system/clock.ts';
import type { RandomSource } from '../system/random.ts';
import { hashToken } from '../system/token_hash.ts';
import { KeyFileError } from '../vault/key_file_error.ts';
import { createPrivateFile, readPrivateFile, replacePrivateFile } from '../vault/private_file.ts';

/** What a token may be for. */
export const SCOPES = [
  'users:read',
  'users:write',
  'users:rescue',
  'audit:read',
  'notices',
  'recovery',
] as const;
export type Scope = (typeof SCOPES)[number];

/** A token as the file describes it. */
export interface AdminToken {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** In ms since the epoch. */
  readonly createdAt: number;
  /** Null if it has no end. */
  readonly expiresAt: number | null;
}

interface KeptToken extends AdminToken {
  /** SHA-256, in hex. A token is random and long: nothing slower is needed. */
  readonly sha256: string;
}

const PREFIX = 'm2fa_admin_';
const TOKEN_BYTES = 32;
/** How long the file is taken as it was read. */
const READ_EVERY_MS = SECOND;
const KIND = 'file of admin tokens';

export function isScope(text: string): text is Scope {
  return SCOPES.some((scope) => scope === text);
}

/**
 * Adds a token, and makes the file where there is none.
 * @returns the token, which is in no file, or undefined if one of this name is there
 * @throws KeyFileError
 */
export function addToken(path: string, token: AdminToken, random: RandomSource): string | undefined {
  const text = PREFIX + random.bytes(TOKEN_BYTES).toString('base64url');
  let isAdded = false;
  makeFile(path);
  replacePrivateFile(path, (content) => {
    const kept = parse(path, content);
    isAdded = kept.every(({ name }) => name !== token.name);
    return isAdded ? serialise([...kept, { ...token, sha256: hashToken(text) }]) : content;
  });
  return isAdded ? text : undefined;
}

/** Removes a token: false if there is none of this name. @throws KeyFileError */
export function removeToken(path: string, name: string): boolean {
  if (readTokens(path).every((token) => token.name !== name)) return false;
  replacePrivateFile(path, (content) => serialise(parse(path, content).filter((kept) => kept.name !== name)));
  return true;
}

/** None where there is no file. @throws KeyFileError */
export function readTokens(path: string): readonly KeptToken[] {
  try {
    return parse(path, readPrivateFile(path));
  } catch (error) {
    if (error instanceof KeyFileError && error.problem === 'missing') return [];
    throw error;
  }
}

/** The tokens as a running process knows them: a change of the file counts within a second. */
export class AdminTokens {
  private known: ReadonlyMap<string, KeptToken> = new Map();
  private readAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly path: string,
    private readonly clock: Clock,
  ) {}

  /**
   * The token that this is, if its time is not over.
   * @throws KeyFileError if the file cannot be read: then none is accepted
   */
  find(text: string): AdminToken | undefined {
    const now = this.clock.now();
    // A clock that jumped back must not keep what was revoked.
    if (Math.abs(now - this.readAt) >= READ_EVERY_MS) {
      this.known = new Map(readTokens(this.path).map((token) => [token.sha256, token]));
      this.readAt = now;
    }
    const token = this.known.get(hashToken(text));
    return token === undefined || isOver(token, now) ? undefined : token;
  }
}

export function isOver({ expiresAt }: AdminToken, now: number): boolean {
  return expiresAt !== null && expiresAt <= now;
}

function makeFile(path: string): void {
  try {
    createPrivateFile(path, serialise([]));
  } catch (error) {
    if (!(error instanceof KeyFileError) || error.problem !== 'exists') throw error;
  }
}

function serialise(tokens: readonly KeptToken[]): string {
  const written = tokens.map(({ name, sha256, scopes, createdAt, expiresAt }) => ({
    ...{ name, sha256, scopes },
    created_at: createdAt,
    expires_at: expiresAt,
  }));
  return `${JSON.stringify({ version: 1, tokens: written }, null, 2)}\n`;
}

function parse(path: string, content: string): KeptToken[] {
  try {
    const { version, tokens } = JSON.parse(content) as { version: unknown; tokens: unknown };
    if (version === 1 && Array.isArray(tokens)) return tokens.map(tokenIn);
  } catch {
    // Said below, without what stands in the file.
  }
  throw new KeyFileError('malformed', path, 'it is not one that `admin token create` wrote', KIND);
}

function tokenIn(written: Readonly<Record<string, unknown>>): KeptToken {
  const { name, sha256, scopes, created_at: createdAt, expires_at: expiresAt } = written;
  const isSound =
    typeof name === 'string' &&
    typeof sha256 === 'string' &&
    Array.isArray(scopes) &&
    typeof createdAt === 'number' &&
    (expiresAt === null || typeof expiresAt === 'number');
  if (!isSound) throw new TypeError('this is not a token');
  return { name, sha256, scopes: scopes.filter(isScope), createdAt, expiresAt };
}
