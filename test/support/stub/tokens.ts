import { type Exchange, MISSING_TOKEN, refusal, UNKNOWN_TOKEN } from './exchange.ts';
import type { Home } from './home.ts';
import type { TokenRules } from './personality.ts';
import type { StubToken } from './state.ts';

/** The owner of the access token, as this homeserver reads the request. @throws StubRefusal 401 */
export function authenticated(exchange: Exchange, home: Home): StubToken {
  const token = knownToken(exchange, home);
  if (token.expiresAt !== null && token.expiresAt <= home.clock.now()) {
    throw refusal(UNKNOWN_TOKEN, 'Access token has expired', { soft_logout: true });
  }
  const device = home.state.user(token.userId).devices.get(token.deviceId);
  if (device) device.lastSeenIp = exchange.clientAddress;
  return token;
}

/** As `authenticated`, for an expired token too. */
export function knownToken(exchange: Exchange, home: Home): StubToken {
  const text = presentedToken(exchange, home.personality.tokens);
  if (text === undefined) throw refusal(MISSING_TOKEN, 'Missing access token');
  const token = home.state.tokens.get(text) ?? assertedBy(text, exchange, home);
  if (token === undefined) {
    throw refusal(UNKNOWN_TOKEN, 'Invalid access token passed.', home.personality.tokens.deadTokenExtra);
  }
  return token;
}

/** The user for whom an application service asks (application service API, "Identity assertion"). */
function assertedBy(token: string, { query }: Exchange, { switches, state }: Home): StubToken | undefined {
  const service = switches.applicationServices.find((each) => each.token === token);
  const userId = query.get('user_id') ?? '';
  const user = state.users.get(userId);
  if (service === undefined || !user?.localpart.startsWith(service.prefix)) return undefined;
  return { token, userId, deviceId: '', expiresAt: null, validatedAt: 0 };
}

/** The token in the request; undefined if this homeserver sees none. @throws StubRefusal */
export function presentedToken(exchange: Exchange, rules: TokenRules): string | undefined {
  const authorizations = exchange.rawHeaders.filter(
    (_, at) => at % 2 === 1 && exchange.rawHeaders[at - 1]?.toLowerCase() === 'authorization',
  );
  const inQuery = exchange.query.get('access_token') ?? undefined;
  if (authorizations.length > 1 && rules.twoHeaders === 'refused') {
    throw refusal(MISSING_TOKEN, 'Too many Authorization headers.');
  }
  const [authorization] = authorizations;
  if (authorization === undefined) return inQuery;
  if (inQuery !== undefined && rules.headerAndQuery === 'refused') {
    throw refusal(MISSING_TOKEN, 'Mixing Authorization headers and access_token query parameters.');
  }

  const bearer = rules.scheme === 'loose' ? /^bearer( +)(\S+)$/i : /^Bearer( +)(\S+)$/;
  const [, blanks = '', token] = bearer.exec(authorization) ?? [];
  if (token !== undefined) {
    if (blanks.length > 1 && rules.twoBlanks !== 'accepted') throw refusal(rules.twoBlanks);
    return token;
  }
  if (inQuery !== undefined && rules.queryBesideOtherScheme) return inQuery;
  throw refusal(
    isBearerLike(authorization) ? MISSING_TOKEN : rules.otherScheme,
    'Invalid Authorization header',
  );
}

function isBearerLike(authorization: string): boolean {
  return /^bearer /i.test(authorization);
}
