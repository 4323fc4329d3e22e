import { isJsonObject, type JsonObject } from '../../../../src/matrix/wire.ts';
import {
  type Exchange,
  MISSING_PARAM,
  MISSING_TOKEN,
  NOT_FOUND,
  ok,
  refusal,
  type StubAnswer,
} from '../exchange.ts';
import type { Home } from '../home.ts';
import { bodyOrRefusal, readBody } from '../request_body.ts';
import type { StubUser } from '../state.ts';
import { authenticated, presentedToken } from '../tokens.ts';
import { authenticateByStages, authenticateOpenly } from '../uia.ts';

const EMAIL_STAGE = 'm.login.email.identity';
const SHORTEST_STRONG_PASSWORD = 8;

/** `POST /account/password`. */
export function changePassword(exchange: Exchange, home: Home): StubAnswer {
  home.limits.takeSlot(exchange);
  const hasToken = presentedToken(exchange, home.personality.tokens) !== undefined;
  if (!hasToken) return resetPassword(exchange, home);
  const caller = authenticated(exchange, home);
  const body = bodyOrRefusal(exchange, home.personality.json);
  refuseMissingPassword(body, home);
  refuseWeakPassword(body, home);
  const done = authenticateByStages(exchange, home, {
    endpoint: 'password',
    caller,
    body,
    mayBeSkipped: false,
  });
  setPassword(done.user, done.body, home);
  if (done.body.logout_devices !== false) home.state.deleteAllDevices(done.user.userId, caller.deviceId);
  return ok();
}

/** Without a token: a reset for the owner of an e-mail address. */
function resetPassword(exchange: Exchange, home: Home): StubAnswer {
  const { account, uia } = home.personality;
  if (account.passwordWithoutToken === 'refused') throw refusal(MISSING_TOKEN, 'Missing access token');
  const body = bodyOrRefusal(exchange, home.personality.json);
  let address: string | undefined;
  const session = authenticateOpenly(exchange, home, body, {
    flows: [[EMAIL_STAGE]],
    rules: uia.password,
    passwordStage: account.passwordStageAtReset,
    unknownStage: uia.password.unknownStage,
    judge: (type, auth) => {
      if (type !== EMAIL_STAGE) return type === 'm.login.dummy' ? true : undefined;
      address = validatedEmail(auth.threepid_creds ?? auth.threepidCreds, home);
      return address !== undefined;
    },
  });
  const user = address === undefined ? undefined : home.state.ownerOfAddress(address);
  if (user === undefined) throw refusal(NOT_FOUND, 'Email address not found');
  setPassword(user, session.body, home);
  if (session.body.logout_devices !== false) home.state.deleteAllDevices(user.userId);
  return ok();
}

/** `POST /account/deactivate`. */
export function deactivate(exchange: Exchange, home: Home): StubAnswer {
  const caller = authenticated(exchange, home);
  const { user } = authenticateByStages(exchange, home, {
    endpoint: 'deactivate',
    caller,
    body: readBody(exchange, home.personality.json),
    mayBeSkipped: false,
  });
  user.deactivated = true;
  home.state.deleteAllDevices(user.userId);
  return ok(home.personality.account.deactivated);
}

/** `GET /account/3pid`. */
export function listAddresses(exchange: Exchange, home: Home): StubAnswer {
  const { emails } = home.state.user(authenticated(exchange, home).userId);
  return ok({ threepids: [...emails].map((address) => ({ medium: 'email', address })) });
}

/** `POST /account/3pid/add`. The body is looked at before any authentication. */
export function addAddress(exchange: Exchange, home: Home): StubAnswer {
  const caller = authenticated(exchange, home);
  const body = bodyOrRefusal(exchange, home.personality.json);
  if (typeof body.client_secret !== 'string' || typeof body.sid !== 'string') throw refusal(MISSING_PARAM);
  const done = authenticateByStages(exchange, home, {
    endpoint: 'threepid_add',
    caller,
    body,
    mayBeSkipped: false,
  });
  return takeAddress(done.user, done.body, home);
}

/** The old `POST /account/3pid`, which asks for no authentication where it exists. */
export function addAddressOfOld(exchange: Exchange, home: Home): StubAnswer {
  const caller = authenticated(exchange, home);
  const body = bodyOrRefusal(exchange, home.personality.json);
  const credentials = body.threepid_creds ?? body.threePidCreds ?? body.three_pid_creds;
  if (!isJsonObject(credentials)) throw refusal(MISSING_PARAM, 'Missing param three_pid_creds');
  return takeAddress(home.state.user(caller.userId), credentials, home);
}

/** `POST /account/3pid/delete` and `/unbind`. */
export function removeAddress(exchange: Exchange, home: Home): StubAnswer {
  const user = home.state.user(authenticated(exchange, home).userId);
  const { address } = bodyOrRefusal(exchange, home.personality.json);
  if (typeof address !== 'string') throw refusal(MISSING_PARAM);
  user.emails.delete(address.toLowerCase());
  return ok({ id_server_unbind_result: 'success' });
}

function takeAddress(user: StubUser, credentials: JsonObject, home: Home): StubAnswer {
  const address = validatedEmail(credentials, home);
  if (address === undefined) {
    throw refusal(home.personality.account.unvalidatedAddress, 'No validated 3pid session found');
  }
  user.emails.add(address);
  return ok();
}

function validatedEmail(credentials: JsonObject[string], home: Home): string | undefined {
  if (!isJsonObject(credentials) || typeof credentials.sid !== 'string') return undefined;
  return home.state.validatedEmails.get(credentials.sid);
}

function refuseMissingPassword(body: JsonObject, home: Home): void {
  const rule = home.personality.account.missingNewPassword;
  const isComplete = typeof body.new_password === 'string' || body.auth === undefined;
  if (isComplete || rule === 'breaks_account' || rule.status === 500) return;
  throw refusal(rule);
}

function refuseWeakPassword(body: JsonObject, home: Home): void {
  const rule = home.personality.passwords.weak;
  if (typeof body.new_password !== 'string' || rule === 'accepted') return;
  if (body.new_password.length < SHORTEST_STRONG_PASSWORD) throw refusal(rule, 'password too weak');
}

function setPassword(user: StubUser, body: JsonObject, home: Home): void {
  if (typeof body.new_password === 'string') {
    user.password = body.new_password;
    return;
  }
  const rule = home.personality.account.missingNewPassword;
  if (rule !== 'breaks_account') throw refusal(rule, 'Internal server error');
  user.password = null;
}
