import { type Exchange, ok, type StubAnswer, StubRefusal } from '../exchange.ts';
import type { Home } from '../home.ts';
import { bodyOrRefusal } from '../request_body.ts';
import { authenticated } from '../tokens.ts';
import { authenticateByStages } from '../uia.ts';

/** `POST /login/get_token`: a token with which another device signs in. */
export function getLoginToken(exchange: Exchange, home: Home): StubAnswer {
  const caller = authenticated(exchange, home);
  const body = bodyOrRefusal(exchange, home.personality.json);
  const { user } = authenticateByStages(exchange, home, {
    endpoint: 'get_token',
    caller,
    body,
    mayBeSkipped: false,
  });
  refuseTooSoon(user.userId, home);
  const { lifetime } = home.personality.loginTokens;
  return ok({
    login_token: home.state.addLoginToken(user.userId, home.clock.now() + lifetime),
    expires_in_ms: lifetime,
    ...(home.personality.name === 'synapse' ? { expires_in: lifetime / 1000 } : {}),
  });
}

/** The limit is looked at after the password was judged. */
function refuseTooSoon(userId: string, home: Home): void {
  const now = home.clock.now();
  const last = home.state.lastLoginTokenAt.get(userId);
  const wait = last === undefined ? 0 : last + home.personality.loginTokens.interval - now;
  if (wait > 0) {
    throw new StubRefusal({
      status: 429,
      body: { errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many Requests', retry_after_ms: wait },
      headers: { 'retry-after': String(Math.ceil(wait / 1000)) },
    });
  }
  home.state.lastLoginTokenAt.set(userId, now);
}
