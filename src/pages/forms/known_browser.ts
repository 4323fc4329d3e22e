import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { readCookie } from '../../http/headers.ts';
import { type RandomSource, randomId } from '../../system/random.ts';

const COOKIE = 'm2fa_browser';
const BITS = 128;
/** What `randomId` makes of so many bits, and nothing else. */
const VALUE = /^[A-Za-z0-9_-]{22}$/;
/** 180 days, in seconds. */
const MAX_AGE = 15_552_000;

/**
 * The cookie that marks a browser in which a user has passed a factor. It opens nothing: wrong codes
 * that come from elsewhere do not keep this browser waiting.
 */
export class KnownBrowser {
  readonly #attributes: string;

  /** @param publicBaseUrl the origin that browsers see */
  constructor(
    private readonly random: RandomSource,
    publicBaseUrl: string,
  ) {
    const secure = publicBaseUrl.startsWith('https:') ? '; Secure' : '';
    this.#attributes = `HttpOnly; SameSite=Lax; Path=/_2fa; Max-Age=${MAX_AGE}${secure}`;
  }

  /** What this browser keeps; undefined if it keeps no mark. */
  keptBy({ headers }: ClientRequest): string | undefined {
    const kept = readCookie(headers.cookie, COOKIE);
    return kept !== undefined && VALUE.test(kept) ? kept : undefined;
  }

  /** What this browser keeps, or a new value that it gets if a factor is passed. */
  valueFor(request: ClientRequest): string {
    return this.keptBy(request) ?? randomId(this.random, BITS);
  }

  /** The answer, which has the browser keep `value` from now on. */
  kept(value: string, answer: Answer): Answer {
    const others = [answer.headers?.['Set-Cookie'] ?? []].flat();
    const cookies = [...others, `${COOKIE}=${value}; ${this.#attributes}`];
    return { ...answer, headers: { ...answer.headers, 'Set-Cookie': cookies } };
  }
}
