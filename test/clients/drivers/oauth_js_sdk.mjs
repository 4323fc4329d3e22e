// matrix-js-sdk 42 and later: its class OAuth2 does all of OAuth.
import { join } from 'node:path';
import { CLIENT_NAME, CLIENT_URI, cameBack, OauthSession, ownerOf, sessionWishes } from './oauth_session.mjs';
import { talk } from './talk.mjs';

const [folder] = process.argv.slice(2);
const sdk = await import(join(folder, 'node_modules/matrix-js-sdk-43/lib/index.js'));
const { TokenRefresher } = await import(
  join(folder, 'node_modules/matrix-js-sdk-43/lib/oauth/tokenRefresher.js')
);

await talk(async (baseUrl) => {
  let oauth;
  let session;
  return {
    async begin({ redirect_uri }) {
      const metadata = await sdk.createClient({ baseUrl }).getAuthMetadata();
      const clientId = await sdk.OAuth2.registerClient(metadata, {
        client_uri: CLIENT_URI,
        client_name: CLIENT_NAME,
        redirect_uris: [redirect_uri],
        application_type: 'native',
      });
      oauth = new sdk.OAuth2(metadata, { clientId });
      return { url: await oauth.generateAuthorizationCodeGrantUrl('a state', redirect_uri) };
    },
    async finish({ url, redirect_uri }) {
      const tokens = await oauth.completeAuthorizationCodeGrant(cameBack(url).code, redirect_uri);
      const owner = await ownerOf(sdk, baseUrl, tokens.access_token);
      const refresher = new TokenRefresher(oauth, async () => undefined);
      const refresh = (refreshToken) => refresher.refreshTokens(refreshToken);
      session = new OauthSession(sdk, baseUrl, { tokens, ...owner }, refresh);
      return { user_id: owner.userId, device_id: owner.deviceId, asked_device_id: oauth.context.deviceId };
    },
    ...sessionWishes(() => session),
    async logout() {
      await oauth.revokeToken(session.tokens.access_token, 'access_token');
      return {};
    },
  };
});
