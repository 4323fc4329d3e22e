import { parseUserId } from '../matrix/user_id.ts';
import { isJsonObject, type Json, type JsonObject } from '../matrix/wire.ts';

/** A login in the answer to a request that is not a login. */
export interface TokenInAnswer {
  readonly kind: 'access' | 'login';
  readonly token: string;
  /** Whose it is, if the answer says so at a place where the homeserver alone writes. */
  readonly userId: string | undefined;
}

/** What is longer fits in no header that reaches a homeserver; nor do other characters. */
const TOKEN = /^[\x21-\x7e]{1,8192}$/;

/** As they stand behind a token's name, in the words of Matrix and of modules. */
const KEYS = ['_token"', 'Token"'].map((key) => Buffer.from(key));

/** Down to this depth no endpoint of Matrix answers with text of users; deeper are events and keys. */
const DEEPEST_TRUSTED = 1;

/**
 * Whether a text can have a token in it at all: quick, and never wrong when it says no. A key may be written with
 * escapes.
 */
export function mayHoldToken(content: Buffer): boolean {
  return namesToken(content) || content.includes('\\u');
}

/** Whether the name of a token stands in a text as it is. */
export function namesToken(content: Buffer): boolean {
  return KEYS.some((key) => content.includes(key));
}

/**
 * The tokens in an answer, the least deep first.
 *
 * @param everywhere whether its names of users are to be believed at any depth: where no user writes into it
 */
export function tokensIn(answer: Json, everywhere: boolean): TokenInAnswer[] {
  const found: TokenInAnswer[] = [];
  let level: Json[] = [answer];
  for (let depth = 0; level.length > 0; depth++) {
    const isTrusted = everywhere || depth <= DEEPEST_TRUSTED;
    for (const value of level) if (isJsonObject(value)) found.push(...tokensOf(value, isTrusted));
    level = level.flatMap(childrenOf);
  }
  return found;
}

function childrenOf(value: Json): Json[] {
  const children = Array.isArray(value) ? value : isJsonObject(value) ? Object.values(value) : [];
  return children.filter((child): child is Json => typeof child === 'object' && child !== null);
}

function tokensOf(object: JsonObject, isTrusted: boolean): TokenInAnswer[] {
  const { user_id, userId: inCamelCase } = object;
  const named = isTrusted ? (user_id ?? inCamelCase) : undefined;
  const userId = typeof named === 'string' && parseUserId(named) !== undefined ? named : undefined;
  const found: TokenInAnswer[] = [];
  for (const token of [object.access_token, object.accessToken]) {
    if (isToken(token)) found.push({ kind: 'access', token, userId });
  }
  // Nothing but its place tells a login token from a text that some user has written.
  for (const token of isTrusted ? [object.login_token, object.loginToken] : []) {
    if (isToken(token)) found.push({ kind: 'login', token, userId });
  }
  return found;
}

function isToken(value: Json | undefined): value is string {
  return typeof value === 'string' && TOKEN.test(value);
}
