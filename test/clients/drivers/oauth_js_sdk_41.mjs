// matrix-js-sdk 41.9, the last line that reads ID tokens: it is made for a browser, of which it needs little.
import { join } from 'node:path';
import { CLIENT_NAME, CLIENT_URI, cameBack, OauthSession, ownerOf, sessionWishes } from './oauth_session.mjs';
import { talk } from './talk.mjs';

const kept = new Map();
const storage = {
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => void kept.set(key, value),
  removeItem: (key) => void kept.delete(key),
  key: (at) => [...kept.keys()][at] ?? null,
  get length() {
    return kept.size;
  },
};
globalThis.localStorage = storage;
globalThis.window = { location: { origin: 'http://127.0.0.1:8765' }, sessionStorage: storage };

const [folder] = process.argv.slice(2);
const sdk = await import(join(folder, 'node_modules/matrix-js-sdk-41/lib/index.js'));

await talk(async (baseUrl) => {
  let metadata;
  let clientId;
  let session;
  return {
    async begin({ redirect_uri }) {
      metadata = await sdk.createClient({ baseUrl }).getAuthMetadata();
      clientId = await sdk.registerOidcClient(metadata, {
        clientName: CLIENT_NAME,
        clientUri: CLIENT_URI,
        redirectUris: [redirect_uri],
        applicationType: 'native',
      });
      const url = await sdk.generateOidcAuthorizationUrl({
        ...{ metadata, clientId, redirectUri: redirect_uri, homeserverUrl: baseUrl, nonce: 'a nonce' },
      });
      return { url };
    },
    async finish({ url, redirect_uri }) {
      const { code, state } = cameBack(url);
      const done = await sdk.completeAuthorizationCodeGrant(code, state);
      const tokens = done.tokenResponse;
      const owner = await ownerOf(sdk, baseUrl, tokens.access_token);
      const refresher = new sdk.OidcTokenRefresher(
        ...[metadata.issuer, clientId, redirect_uri, owner.deviceId, done.idTokenClaims],
      );
      const refresh = (refreshToken) => refresher.doRefreshAccessToken(refreshToken);
      session = new OauthSession(sdk, baseUrl, { tokens, ...owner }, refresh);
      return { user_id: owner.userId, device_id: owner.deviceId, subject: done.idTokenClaims.sub };
    },
    ...sessionWishes(() => session),
    async logout() {
      await fetch(metadata.revocation_endpoint, {
        method: 'POST',
        body: new URLSearchParams({ token: session.tokens.access_token, client_id: clientId }),
      });
      return {};
    },
  };
});
