import { isJsonObject, type JsonObject } from '../../../../src/matrix/wire.ts';
import {
  BAD_JSON,
  type Exchange,
  FORBIDDEN,
  MISSING_PARAM,
  ok,
  refusal,
  type StubAnswer,
  type StubRefusal,
  UNKNOWN_TOKEN,
} from '../exchange.ts';
import type { Home } from '../home.ts';
import { isRightPassword } from '../passwords.ts';
import { bodyOrRefusal } from '../request_body.ts';
import type { StubUser } from '../state.ts';
import { presentedToken } from '../tokens.ts';
import { resolveName } from '../user_names.ts';

const LONGEST_DEVICE_ID = 512;
const LONGEST_DISPLAY_NAME = 100;

/** `GET /login`. */
export function loginFlows(_exchange: Exchange, home: Home): StubAnswer {
  const { sso } = home.switches;
  const flows = offeredFlows(home).filter(
    (flow) => home.switches.passwords === 'on' || flow.type !== 'm.login.password',
  );
  if (sso === undefined) return ok({ flows });
  const providers = sso.providers.map(({ id, name }) => ({ id, name }));
  const token = flows.some((flow) => flow.type === 'm.login.token') ? [] : [{ type: 'm.login.token' }];
  return ok({ flows: [{ type: 'm.login.sso', identity_providers: providers }, ...token, ...flows] });
}

function offeredFlows({ personality, switches }: Home): JsonObject[] {
  const { flows, flowsForServices = [] } = personality.login;
  return [...flows, ...(switches.applicationServices.length > 0 ? flowsForServices : [])];
}

/** `POST /login`. */
export function login(exchange: Exchange, home: Home): StubAnswer {
  const body = bodyOrRefusal(exchange, home.personality.json);
  const { type } = body;
  if (type === undefined) throw refusal(home.personality.login.missingType, 'Missing type');
  if (type === 'm.login.application_service') return applicationServiceLogin(exchange, home, body);
  home.limits.countRequest(exchange);
  const user = type === 'm.login.token' ? ownerOfLoginToken(body, home) : ownerOfPassword(body, home);
  home.limits.countGrant(user.userId);
  return grantLogin(user, body, home);
}

function ownerOfPassword(body: JsonObject, home: Home): StubUser {
  const rules = home.personality.login;
  if (body.type !== 'm.login.password') throw unknownType(body, home);
  if (home.switches.passwords !== 'on') {
    throw refusal({ status: 400, errcode: 'M_UNKNOWN' }, 'Password login has been disabled.');
  }
  const { password } = body;
  if (typeof password !== 'string') throw refusal(rules.missingPassword, 'Bad parameter: password');
  if (password === '' && rules.emptyPassword !== 'judged') throw refusal(rules.emptyPassword);

  const user = identifiedUser(body, home);
  const failureKey = user?.userId ?? JSON.stringify(body.identifier ?? body.user);
  home.limits.checkFailures(failureKey);
  const { unknownUser } = rules;
  if (!user && unknownUser !== undefined) throw refusal(unknownUser, 'User not found');
  if (user?.deactivated) throw refusal(rules.deactivated, 'Invalid username or password');
  if (!user || !isRightPassword(user.password, password, home.personality.passwords)) {
    home.limits.countFailure(failureKey);
    throw refusal(FORBIDDEN, 'Invalid username or password');
  }
  return user;
}

/** One server shows the whole body in its error text, the password with it. */
function unknownType(body: JsonObject, home: Home): StubRefusal {
  const rules = home.personality.login;
  const text = rules.unknownTypeShowsBody
    ? `Unsupported login type: ${JSON.stringify(body)}`
    : 'Unknown login type';
  return refusal(rules.unknownType, text);
}

/** Whom the identifying fields of a login mean: this differs between servers as much as anything does. */
function identifiedUser(body: JsonObject, home: Home): StubUser | undefined {
  const rules = home.personality.login;
  const { identifier, user, medium, address } = body;
  const isAddressGiven = typeof medium === 'string' && typeof address === 'string';
  if (isAddressGiven && rules.addressBesideIdentifier === 'wins') return home.state.ownerOfAddress(address);

  if (!isJsonObject(identifier)) {
    if (typeof user !== 'string') throw refusal({ status: 400, errcode: 'M_UNKNOWN' }, 'Missing identifier');
    const rule = identifier === null ? rules.nullIdentifier : rules.userWithoutIdentifier;
    if (rule !== 'accepted') throw refusal(rule);
    return named(user, home);
  }
  if (typeof user === 'string' && rules.identifierAndUser === 'user') return named(user, home);
  if (identifier.type === 'm.id.user') return named(textOf(identifier.user), home);
  const isAddress = identifier.type === 'm.id.thirdparty' || identifier.type === 'm.id.phone';
  if (isAddress) return ownerOfIdentifiedAddress(identifier, home);
  if (typeof user === 'string') {
    if (rules.unknownIdentifierBesideUser !== 'accepted') throw refusal(rules.unknownIdentifierBesideUser);
    return named(user, home);
  }
  throw refusal({ status: 400, errcode: 'M_UNKNOWN' }, 'Unknown login identifier type');
}

function ownerOfIdentifiedAddress(identifier: JsonObject, home: Home): StubUser | undefined {
  const rule = home.personality.login.thirdPartyIdentifier;
  if (rule !== 'accepted') throw refusal(rule);
  const address =
    identifier.type === 'm.id.phone' ? (identifier.phone ?? identifier.number) : identifier.address;
  return home.state.ownerOfAddress(textOf(address));
}

function named(name: string, home: Home): StubUser | undefined {
  const found = resolveName(name, home.state, home.personality);
  if ('refused' in found) throw refusal(found.refused, 'Invalid username or password');
  return found.user;
}

function textOf(value: JsonObject[string]): string {
  if (typeof value !== 'string') throw refusal(BAD_JSON);
  return value;
}

/** A login token works once. */
function ownerOfLoginToken(body: JsonObject, home: Home): StubUser {
  const { tokenLogin } = home.personality.login;
  if (home.switches.sso === undefined && tokenLogin === 'unknown_type') throw unknownType(body, home);
  if (home.switches.sso === undefined && typeof tokenLogin === 'object') throw refusal(tokenLogin);
  if (typeof body.token !== 'string') throw refusal(MISSING_PARAM);
  const token = home.state.loginTokens.get(body.token);
  home.state.loginTokens.delete(body.token);
  if (token === undefined || token.expiresAt <= home.clock.now())
    throw refusal(FORBIDDEN, 'Invalid login token');
  return home.state.user(token.userId);
}

function applicationServiceLogin(exchange: Exchange, home: Home, body: JsonObject): StubAnswer {
  const isOffered = offeredFlows(home).some((flow) => flow.type === body.type);
  if (!isOffered) throw unknownType(body, home);
  const text = presentedToken(exchange, home.personality.tokens);
  if (text === undefined) throw refusal({ status: 401, errcode: 'M_MISSING_TOKEN' }, 'Missing access token');
  const service = home.switches.applicationServices.find(({ token }) => token === text);
  if (service === undefined)
    throw refusal(UNKNOWN_TOKEN, 'Only for application services', { soft_logout: false });
  const user = identifiedUser(body, home);
  // Without a prefix it is for all users, also those who are not there.
  if (!user && service.prefix === '') throw refusal({ status: 404, errcode: 'M_NOT_FOUND' });
  const isOurs = user?.localpart === service.senderLocalpart || user?.localpart.startsWith(service.prefix);
  if (!user || !isOurs) throw refusal({ status: 403, errcode: 'M_EXCLUSIVE' });
  return grantLogin(user, body, home);
}

/** Opens a device for a user and answers as `/login` and `/register` do. */
export function grantLogin(user: StubUser, body: JsonObject, home: Home): StubAnswer {
  const { personality, state, switches, clock } = home;
  const deviceId = wantedDeviceId(body, home);
  const displayName = wantedDisplayName(body, home);
  if (!personality.tokens.sameDeviceKeepsTokens) state.endTokensOf(user.userId, deviceId);
  const opened = state.openDevice(user, deviceId, displayName, clock.now());
  const answer: JsonObject = { user_id: user.userId, access_token: opened.token, device_id: deviceId };
  if (personality.login.hasHomeServerField) answer.home_server = state.serverName;
  const lifetime = refreshableLifetime(home);
  if (body.refresh_token === true && lifetime !== undefined) {
    opened.expiresAt = clock.now() + lifetime;
    answer.expires_in_ms = lifetime;
    answer.refresh_token = state.addRefreshToken(user.userId, deviceId);
  }
  if (personality.login.tellsWellKnown && switches.publicBaseUrl !== undefined) {
    answer.well_known = { 'm.homeserver': { base_url: switches.publicBaseUrl } };
  }
  return ok(answer);
}

/** Milliseconds; undefined where refresh tokens are never given. */
export function refreshableLifetime({ personality, switches }: Home): number | undefined {
  const measured = personality.tokens.refreshableLifetime;
  return measured === undefined ? undefined : (switches.refreshableLifetime ?? measured);
}

function wantedDeviceId(body: JsonObject, home: Home): string {
  const rules = home.personality.login;
  const { device_id: wanted } = body;
  if (wanted === undefined || wanted === null || wanted === '') return home.state.freshDeviceId();
  if (typeof wanted !== 'string') throw refusal(rules.deviceIdNumber, 'Internal server error');
  if (wanted.length > LONGEST_DEVICE_ID && rules.deviceIdTooLong !== 'accepted')
    throw refusal(rules.deviceIdTooLong);
  return wanted;
}

function wantedDisplayName(body: JsonObject, home: Home): string | null {
  const rules = home.personality.login;
  const { initial_device_display_name: wanted } = body;
  if (typeof wanted !== 'string') return null;
  if (wanted.length > LONGEST_DISPLAY_NAME && rules.displayNameTooLong !== 'accepted') {
    throw refusal(rules.displayNameTooLong);
  }
  return wanted;
}
