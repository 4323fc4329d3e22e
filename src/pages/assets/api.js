import { CALLS, ROOT } from './wire.js';

/**
 * The page as a client of the public API. The access token is in memory only.
 *
 * @import { Challenge, ErrorAnswer } from './answers.d.ts'
 *
 * @typedef {{ is: 'challenge', status: 401, body: Challenge }} Challenged
 * @typedef {{ is: 'refused', status: number, body: Partial<ErrorAnswer> }} Refused status 0: no answer came
 * @typedef {{ userId: string, deviceId: string, token: string }} SignedIn
 */

/**
 * @template Body
 * @typedef {{ is: 'done', status: 200, body: Body } | Challenged | Refused} ApiAnswer
 */

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
    if (answer.is === 'refused' && answer.body.errcode === 'M_UNKNOWN_TOKEN' && this.signedIn) {
      this.signedIn = undefined;
      this.onEnded();
    }
    return answer;
  }

  /** Ends the session, also while the page is going away. */
  signOut() {
    const { signedIn } = this;
    if (signedIn === undefined) return;
    void fetch(ROOT + CALLS.logout.path, {
      method: CALLS.logout.method,
      keepalive: true,
      headers: { Authorization: `Bearer ${signedIn.token}` },
    }).catch(() => undefined);
    this.signedIn = undefined;
  }

  /**
   * @template Body
   * @param {import('./wire.js').Call<Body>} call
   * @param {object} [body]
   * @returns {Promise<ApiAnswer<Body>>}
   */
  async #send({ method, path }, body) {
    /** @type {Record<string, string>} */
    const headers = {};
    if (this.signedIn) headers.Authorization = `Bearer ${this.signedIn.token}`;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    try {
      const response = await fetch(ROOT + path, {
        method,
        headers,
        cache: 'no-store',
        credentials: 'omit',
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return read(response.status, await response.json());
    } catch {
      return { is: 'refused', status: 0, body: {} };
    }
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
