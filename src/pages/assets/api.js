/**
 * The page as a client of the public API. The access token is in memory only.
 *
 * @typedef {{ status: number, body: any }} ApiAnswer status 0: no answer came
 * @typedef {{ userId: string, deviceId: string, token: string }} SignedIn
 */

const ROOT = '/_matrix/client/';

export const TOTP_STAGE = 'm.login.2fa.totp';
export const RECOVERY_STAGE = 'm.login.2fa.recovery';
export const PASSWORD_STAGE = 'm.login.password';

export class Api {
  /** @param {() => void} onEnded called when the server does not know the access token any more */
  constructor(onEnded) {
    this.onEnded = onEnded;
    /** @type {SignedIn | undefined} */
    this.signedIn = undefined;
  }

  /**
   * @param {string} method
   * @param {string} path below `/_matrix/client/`
   * @param {object} [body]
   * @returns {Promise<ApiAnswer>}
   */
  async call(method, path, body) {
    const answer = await this.#send(method, path, body);
    if (answer.status === 401 && answer.body.errcode === 'M_UNKNOWN_TOKEN' && this.signedIn) {
      this.signedIn = undefined;
      this.onEnded();
    }
    return answer;
  }

  /** Ends the session, also while the page is going away. */
  signOut() {
    const { signedIn } = this;
    if (signedIn === undefined) return;
    void fetch(`${ROOT}v3/logout`, {
      method: 'POST',
      keepalive: true,
      headers: { Authorization: `Bearer ${signedIn.token}` },
    }).catch(() => undefined);
    this.signedIn = undefined;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<ApiAnswer>}
   */
  async #send(method, path, body) {
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
      return { status: response.status, body: await response.json() };
    } catch {
      return { status: 0, body: {} };
    }
  }
}
