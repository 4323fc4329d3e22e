import { type Exchange, MISSING_PARAM, NOT_FOUND, refusal, type StubAnswer } from '../exchange.ts';
import type { Home } from '../home.ts';

const LOGIN_TOKEN_MS = 2 * 60_000;

/** `GET /login/sso/redirect[/{idp}]`: off to the provider. */
export function ssoRedirect(exchange: Exchange, home: Home): StubAnswer {
  const { sso } = home.switches;
  if (sso === undefined) throw refusal(NOT_FOUND, 'Unknown identity provider');
  const wanted = exchange.params.idp;
  if (wanted !== undefined && !sso.providers.some(({ id }) => id === wanted)) {
    throw refusal(NOT_FOUND, 'Unknown identity provider');
  }
  const back = exchange.query.get('redirectUrl');
  if (back === null) throw refusal(MISSING_PARAM, 'Missing redirectUrl');
  return redirect(`${home.url()}/_stub/provider?redirectUrl=${encodeURIComponent(back)}`);
}

/** The provider's page, whose session stands: it sends the browser straight back with a login token. */
export function ssoProvider(exchange: Exchange, home: Home): StubAnswer {
  const user = home.state.userByLocalpart(home.switches.sso?.signedInAs ?? '');
  const back = exchange.query.get('redirectUrl');
  if (user === undefined || back === null) throw refusal(NOT_FOUND);
  const token = home.state.addLoginToken(user.userId, home.clock.now() + LOGIN_TOKEN_MS);
  return redirect(`${back}${back.includes('?') ? '&' : '?'}loginToken=${token}`);
}

/** `GET /auth/m.login.sso/fallback/web`: passes the stage of the session, as the provider would. */
export function ssoFallback(exchange: Exchange, home: Home): StubAnswer {
  const session = home.state.uiaSessions.get(exchange.query.get('session') ?? '');
  if (session === undefined) throw refusal({ status: 400, errcode: 'M_UNKNOWN' }, 'Unknown session ID');
  session.completed.set('m.login.sso', session.userId ?? '');
  return { status: 200, body: '<p>homeserver fallback page</p>', headers: { 'content-type': 'text/html' } };
}

function redirect(location: string): StubAnswer {
  return { status: 302, body: '', headers: { location } };
}
