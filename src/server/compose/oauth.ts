import type { Handler } from '../../http/answer.ts';
import { sweepOfOAuthSessions } from '../../login/oauth_session_sweeper.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { CodeExchange } from '../../oauth/code_exchange.ts';
import { GrantExchange } from '../../oauth/grant_exchange.ts';
import { GrantLogin } from '../../oauth/grant_login.ts';
import { oauthHandler } from '../../oauth/oauth_answer.ts';
import { readOauthForm } from '../../oauth/oauth_form.ts';
import { OAuthRefresh } from '../../oauth/refresh.ts';
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
  const { enabled } = config.oauth;
  const { exit, ownLogin, upstream } = login;
  const deps = { ...shared, sessions, exit, pause: systemPause };
  const exchange = new GrantExchange({
    ...deps,
    idTokens,
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
    ]),
  );
  return {
    oauthToken: formEndpoint(token, { log, enabled }),
    oauthRevoke: formEndpoint(new Revocation({ sessions }), { log, enabled }),
    oauthSessionSweep: sweepOfOAuthSessions({ ...shared, storage: shared.aside }),
  };
}

/** Reads the form first; whatever is refused is refused in OAuth's words. */
function formEndpoint(
  handler: FormHandler,
  { log, enabled }: { readonly log: Log; readonly enabled: boolean },
): Handler {
  const answer = oauthHandler(log, async (request) => handler.handle(request, await readOauthForm(request)));
  return async (request) => {
    if (!enabled) throw new Refusal('unrecognized');
    return answer(request);
  };
}
