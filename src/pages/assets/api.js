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
function isTokenUnknown(answer) {
  return answer.is === 'refused' && answer.status === 401 && answer.body.errcode === 'M_UNKNOWN_TOKEN';
}

/**
 * @template Body
 * @param {string} path
 * @param {RequestInit} init
 * @returns {Promise<ApiAnswer<Body>>}
 */
async function request(path, init) {
  try {
    const response = await fetch(path, { ...init, cache: 'no-store' });
    return read(response.status, await response.json());
  } catch {
    return { is: 'refused', status: 0, body: {} };
  }
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
  if (status === 401 && 'session' in body) {
    return { is: 'challenge', status, body: /** @type {Challenge} */ (body) };
  }
  return { is: 'refused', status, body };
}
