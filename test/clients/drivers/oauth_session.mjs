/** What a matrix-js-sdk session does once it has tokens, in all lines of the SDK alike. */
export class OauthSession {
  #approval;
  #upload;

  /** @param refreshTokens the SDK's own, from a refresh token to new tokens */
  constructor(sdk, baseUrl, { tokens, userId, deviceId }, refreshTokens) {
    this.tokens = tokens;
    this.refreshTokens = refreshTokens;
    this.client = sdk.createClient({ baseUrl, userId, deviceId, accessToken: tokens.access_token });
  }

  /** One answer of /sync, which is what a start without a store waits for. */
  async sync() {
    const { next_batch } = await this.client.http.authedRequest('GET', '/sync', { timeout: '0' });
    return { next_batch };
  }

  async refresh() {
    const { accessToken, refreshToken } = await this.refreshTokens(this.tokens.refresh_token);
    this.tokens = { access_token: accessToken, refresh_token: refreshToken };
    this.client.setAccessToken(accessToken);
    return this.tokens;
  }

  async bootstrap() {
    await this.client.initRustCrypto({ useIndexedDB: false });
    await this.client
      .getCrypto()
      .bootstrapCrossSigning({ authUploadDeviceSigningKeys: (upload) => upload(null) });
    return {};
  }

  /** Begins to replace the cross-signing keys, as far as the answer that says where that is approved. */
  async reset() {
    const challenged = Promise.withResolvers();
    this.#approval = Promise.withResolvers();
    this.#upload = this.client.getCrypto().bootstrapCrossSigning({
      setupNewCrossSigning: true,
      authUploadDeviceSigningKeys: async (upload) => {
        const { session, params } = await upload(null).catch(({ data }) => data);
        challenged.resolve(params['m.oauth'].url);
        await this.#approval.promise;
        await upload({ type: 'm.oauth', session });
      },
    });
    return { is: 'oauth', approval_url: await Promise.race([challenged.promise, this.#upload]) };
  }

  async finishReset() {
    this.#approval.resolve();
    await this.#upload;
    return {};
  }
}

/**
 * What a driver does with its session, whichever line of the SDK it is.
 * @param session the session, once there is one
 */
export function sessionWishes(session) {
  return {
    sync: () => session().sync(),
    tokens: () => ({
      access_token: session().tokens.access_token,
      refresh_token: session().tokens.refresh_token,
    }),
    refresh: () => session().refresh(),
    bootstrap: () => session().bootstrap(),
    reset: () => session().reset(),
    finish_reset: () => session().finishReset(),
  };
}

/** What is in the address to which the browser came back. */
export function cameBack(url) {
  const { search, hash } = new URL(url);
  const { code, state } = Object.fromEntries(new URLSearchParams(hash === '' ? search : hash.slice(1)));
  return { code, state };
}

/** Whose a token is. */
export async function ownerOf(sdk, baseUrl, accessToken) {
  const { user_id, device_id } = await sdk.createClient({ baseUrl, accessToken }).whoami();
  return { userId: user_id, deviceId: device_id };
}

export const CLIENT_URI = 'https://web-client.example.org/';
export const CLIENT_NAME = 'Web client';
