import { PAGE_SESSION, ROOT } from './wire.js';

/**
 * The page as a client of the public API. The access token and the page's key are in memory only.
 *
 * @import { Challenge, ErrorAnswer, PageSessionAnswer } from './answers.d.ts'
 *
 * @typedef {{ is: 'challenge', status: 401, body: Challenge }} Challenged
 * @typedef {{ is: 'refused', status: number, body: Partial<ErrorAnswer> }} Refused status 0: no answer came
 * @typedef {{ userId: string, deviceId: string, token: string, pageKey: string }} SignedIn
 */

/**
 * @template Body
 * @typedef {{ is: 'done', status: 200, body: Body } | Challenged | Refused} ApiAnswer
 */

const PAGE_KEY = 'X-M2FA-Page';
const JSON_BODY = { 'Content-Type': 'application/json' };
/** Longer than the server itself waits for the homeserver: after that no answer comes any more. */
const PATIENCE_MS = 120_000;
/** @type {Refused} */
export const NO_ANSWER = { is: 'refused', status: 0, body: {} };

export class Api {
  /** @param {() => void} onEnded called when the server does not know the access token any more */
  constructor(onEnded) {
    this.onEnded = onEnded;
    /** @type {SignedIn | undefined} */
    this.signedIn = undefined;
  }

  /**
   * @template Body
   * @param {import('./wire.js').Call<Body>} call
   * @param {object} [body]
   * @returns {Promise<ApiAnswer<Body>>}
   */
  async call(call, body) {
    const answer = await this.#send(call, body);
    if (isTokenUnknown(answer) && this.signedIn) {
      this.signedIn = undefined;
      this.onEnded();
    }
    return answer;
  }

  /**
   * The session of the page, by the browser's cookie: it lives on with each call.
   *
   * @returns {Promise<ApiAnswer<PageSessionAnswer>>}
   */
  async openSession() {
    const { signedIn } = this;
    /** @type {ApiAnswer<PageSessionAnswer>} */
    const answer = await request(PAGE_SESSION, {
      method: 'POST',
      credentials: 'same-origin',
      headers: { ...JSON_BODY, ...(signedIn && { [PAGE_KEY]: signedIn.pageKey }) },
      body: '{}',
    });
    if (answer.is === 'done') {
      if (!isSession(answer.body)) return NO_ANSWER;
      const { user_id: userId, device_id: deviceId, access_token: token, page_key: pageKey } = answer.body;
      this.signedIn = { userId, deviceId, token, pageKey };
    }
    return answer;
  }

  /**
   * With the key of the page, which makes a factor of the last minutes count (spec/account_page.md, "The step-up").
   *
   * @template Body
   * @param {import('./wire.js').Call<Body>} call
   * @param {object} [body]
   * @returns {Promise<ApiAnswer<Body>>}
   */
  #send({ method, path }, body) {
    const { signedIn } = this;
    return request(ROOT + path, {
      method,
      credentials: 'omit',
      headers: {
        ...(signedIn && { Authorization: `Bearer ${signedIn.token}`, [PAGE_KEY]: signedIn.pageKey }),
        ...(body === undefined ? {} : JSON_BODY),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}

/**
 * Nothing else ends what the page shows: not a limit, a homeserver that is away, or an answer that is none.
 *
 * @param {ApiAnswer<unknown>} answer
 */
export function isTokenUnknown(answer) {
  return answer.is === 'refused' && answer.status === 401 && answer.body.errcode === 'M_UNKNOWN_TOKEN';
}

/**
 * @template Body
 * @param {string} path
 * @param {RequestInit} init
 * @returns {Promise<ApiAnswer<Body>>}
 */
async function request(path, init) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  try {
    const response = await fetch(path, { ...init, cache: 'no-store', signal: patience.signal });
    return read(response.status, await jsonOf(response));
  } catch {
    return NO_ANSWER;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * A web server before this one may tell of a limit in a page: the status says enough. Nothing else without JSON counts as an
 * answer.
 *
 * @param {Response} response
 * @returns {Promise<unknown>}
 */
function jsonOf(response) {
  return response.status === 429 ? response.json().catch(() => ({})) : response.json();
}

/**
 * The answer by its status: its schema says what stands in it.
 *
 * @template Body
 * @param {number} status
 * @param {unknown} body
 * @returns {ApiAnswer<Body>}
 */
function read(status, body) {
  if (status === 200) return { is: 'done', status, body: /** @type {Body} */ (body) };
  if (typeof body !== 'object' || body === null) return { is: 'refused', status, body: {} };
  const challenge = status === 401 && challengeIn(body);
  return challenge ? { is: 'challenge', status: 401, body: challenge } : { is: 'refused', status, body };
}

/**
 * Users without 2FA get the homeserver's own challenges, which may lack what ours have (client-server API,
 * "User-Interactive Authentication API").
 *
 * @param {Partial<Challenge>} body
 * @returns {Challenge | undefined}
 */
function challengeIn({ session, flows, params, completed }) {
  if (typeof session !== 'string' || !Array.isArray(flows)) return undefined;
  return { session, flows, params: params ?? {}, completed: completed ?? [] };
}

/** @param {Partial<PageSessionAnswer> | null} body */
function isSession(body) {
  return (
    typeof body?.user_id === 'string' &&
    typeof body.access_token === 'string' &&
    typeof body.page_key === 'string' &&
    typeof body.idle_ms === 'number'
  );
}
