import type { Handler } from '../../http/answer.ts';
import { sweepOfOAuthSessions } from '../../login/oauth_session_sweeper.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { Clients } from '../../oauth/clients.ts';
import { CodeExchange } from '../../oauth/code_exchange.ts';
import { DeviceAuthorization } from '../../oauth/device_authorization.ts';
import { DeviceGrants } from '../../oauth/device_grants.ts';
import { DevicePoll } from '../../oauth/device_poll.ts';
import { GrantExchange, OAuthBeginning } from '../../oauth/grant_exchange.ts';
import { GrantLogin } from '../../oauth/grant_login.ts';
import { oauthHandler } from '../../oauth/oauth_answer.ts';
import { readOauthForm } from '../../oauth/oauth_form.ts';
import { OAuthRefresh } from '../../oauth/refresh.ts';
import { DEVICE_GRANT } from '../../oauth/registered_client.ts';
import { Revocation } from '../../oauth/revocation.ts';
import { type FormHandler, TokenEndpoint } from '../../oauth/token_endpoint.ts';
import { OAuthClaims } from '../../second_factor/oauth_claims.ts';
import type { Log } from '../../system/log.ts';
import { systemPause } from '../../system/pause.ts';
import type { LoginServices } from './login.ts';
import type { OauthDoor } from './oauth_door.ts';
import type { SharedServices } from './shared.ts';

/** Where OAuth clients get their tokens, and give them back. */
export function oauthServices(shared: SharedServices, login: LoginServices, { idTokens }: OauthDoor) {
  const { config, log, oauthSessions: sessions } = shared;
  const { deviceGrant } = config.oauth;
  const { exit, ownLogin, upstream } = login;
  const deps = { ...shared, sessions, exit, pause: systemPause };
  const exchange = new GrantExchange({
    ...deps,
    beginning: new OAuthBeginning({ ...deps, idTokens }),
    claims: new OAuthClaims(shared),
    login: new GrantLogin({
      ownLogin,
      upstream,
      pause: systemPause,
      homeserverRefreshTokens: config.oauth.homeserverRefreshTokens,
    }),
  });
  const token = new TokenEndpoint(
    new Map<string, FormHandler>([
      ['authorization_code', new CodeExchange({ ...shared, exchange })],
      ['refresh_token', new OAuthRefresh(deps)],
      ...(deviceGrant ? ([[DEVICE_GRANT, new DevicePoll({ ...shared, exchange })]] as const) : []),
    ]),
  );
  return {
    oauthToken: formEndpoint(token, log),
    oauthDevice: deviceGrant ? formEndpoint(deviceAuthorization(shared), log) : notThere,
    oauthRevoke: formEndpoint(new Revocation({ sessions }), log),
    oauthSessionSweep: sweepOfOAuthSessions({ ...shared, storage: shared.aside }),
  };
}

function deviceAuthorization({ config, storage, random, vault }: SharedServices): DeviceAuthorization {
  const clients = new Clients(storage);
  const devices = new DeviceGrants({ storage, vault, clients });
  return new DeviceAuthorization({ storage, random, clients, devices }, config.publicBaseUrl);
}

/** Reads the form first; whatever is refused is refused in OAuth's words. */
function formEndpoint(handler: FormHandler, log: Log): Handler {
  return oauthHandler(log, async (request) => handler.handle(request, await readOauthForm(request)));
}

const notThere: Handler = async () => {
  throw new Refusal('unrecognized');
};
