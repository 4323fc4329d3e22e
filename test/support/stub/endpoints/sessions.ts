import { type Exchange, MISSING_PARAM, ok, refusal, type StubAnswer, UNRECOGNIZED } from '../exchange.ts';
import type { Home } from '../home.ts';
import { bodyOrRefusal } from '../request_body.ts';
import { authenticated, knownToken } from '../tokens.ts';
import { refreshableLifetime } from './login.ts';

/** `GET /account/whoami`. */
export function whoami(exchange: Exchange, home: Home): StubAnswer {
  const { userId, deviceId } = authenticated(exchange, home);
  const guest = home.personality.tokens.whoamiHasGuest ? { is_guest: home.state.user(userId).isGuest } : {};
  return ok({ user_id: userId, device_id: deviceId, ...guest });
}

/** `POST /logout`: the device goes, with its keys and all of its tokens. */
export function logout(exchange: Exchange, home: Home): StubAnswer {
  const read = home.personality.tokens.expiredMayLogOut ? knownToken : authenticated;
  const { userId, deviceId } = read(exchange, home);
  home.state.deleteDevice(userId, deviceId);
  return ok();
}

/** `POST /logout/all`. */
export function logoutAll(exchange: Exchange, home: Home): StubAnswer {
  const { userId } = authenticated(exchange, home);
  const rule = home.personality.tokens.logoutAll;
  if (rule !== 'accepted') throw refusal(rule, 'Missing appservice token.');
  home.state.deleteAllDevices(userId);
  return ok();
}

/** `POST /refresh`. */
export function refresh(exchange: Exchange, home: Home): StubAnswer {
  const rules = home.personality.tokens;
  const lifetime = refreshableLifetime(home);
  if (rules.refresh === undefined || lifetime === undefined) throw refusal(UNRECOGNIZED);
  const { refresh_token: text } = bodyOrRefusal(exchange, home.personality.json);
  if (typeof text !== 'string') throw refusal(MISSING_PARAM, 'Missing params: refresh_token');
  const old = home.state.refreshTokens.get(text);
  if (old === undefined) throw refusal(rules.refresh.unknown, 'refresh token does not exist');
  if (!rules.refresh.oldTokensStay) home.state.endTokensOf(old.userId, old.deviceId);
  const now = home.clock.now();
  const token = home.state.addToken(old.userId, old.deviceId, now + lifetime, now);
  return ok({
    access_token: token.token,
    refresh_token: home.state.addRefreshToken(old.userId, old.deviceId),
    expires_in_ms: lifetime,
  });
}
