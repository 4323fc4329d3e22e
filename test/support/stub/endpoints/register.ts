import type { JsonObject } from '../../../../src/matrix/wire.ts';
import { type Exchange, FORBIDDEN, ok, refusal, type StubAnswer } from '../exchange.ts';
import type { Home } from '../home.ts';
import { bodyOrRefusal } from '../request_body.ts';
import type { StubUiaSession } from '../state.ts';
import { presentedToken } from '../tokens.ts';
import { authenticateOpenly } from '../uia.ts';
import { grantLogin } from './login.ts';

const USER_IN_USE = { status: 400, errcode: 'M_USER_IN_USE' };

/** What a person has to give so that a stage of the stub is passed. */
export const RIGHT_RECAPTCHA_RESPONSE = 'right-response';
export const RIGHT_REGISTRATION_TOKEN = 'right-token';

/** `POST /register`. */
export function register(exchange: Exchange, home: Home): StubAnswer {
  const { personality, switches, state } = home;
  const body = bodyOrRefusal(exchange, personality.json);
  if (exchange.query.get('kind') === 'guest') return registerGuest(body, home);
  if (body.type === 'm.login.application_service') return registerForService(exchange, body, home);
  if (switches.registration === 'closed') throw refusal(FORBIDDEN, 'Registration has been disabled');
  const isReplay = typeof body.auth === 'object' && isFinished(body, home);
  if (personality.register.nameTaken === 'at_once' && !isReplay) refuseTakenName(body, home);

  const session = authenticateOpenly(exchange, home, body, {
    flows: switches.registrationFlows,
    rules: { ...personality.uia.password, params: personality.uia.devices.params },
    passwordStage: personality.register.passwordStage,
    unknownStage: personality.register.unknownStage,
    judge: (type, auth) => judgeStage(type, auth, home),
  });
  if (session.finished) return replay(session, body, home);
  refuseTakenName(session.body, home);
  const localpart = textOr(session.body.username, `u${state.users.size}`).toLowerCase();
  const user = state.addUser(localpart, textOr(session.body.password, ''));
  session.finished = true;
  session.registered = answerFor(user.userId, session.body, home);
  return ok(session.registered);
}

/** Conduit gives everybody a guest account; a guest's token is a token. */
function registerGuest(body: JsonObject, home: Home): StubAnswer {
  const rule = home.personality.register.guest;
  if (rule !== 'accepted') throw refusal(rule, 'Guest access is disabled');
  return grantLogin(home.state.addUser(`guest${home.state.users.size}`, null, true), body, home);
}

function registerForService(exchange: Exchange, body: JsonObject, home: Home): StubAnswer {
  const text = presentedToken(exchange, home.personality.tokens);
  const service = home.switches.applicationServices.find(({ token }) => token === text);
  if (service === undefined) throw refusal({ status: 401, errcode: 'M_UNKNOWN_TOKEN' });
  const localpart = textOr(body.username, '');
  if (!localpart.startsWith(service.prefix)) throw refusal({ status: 400, errcode: 'M_EXCLUSIVE' });
  refuseTakenName(body, home);
  return ok(answerFor(home.state.addUser(localpart, null).userId, body, home));
}

function replay(session: StubUiaSession, body: JsonObject, home: Home): StubAnswer {
  const rule = home.personality.register.replay;
  if (typeof rule === 'object') throw refusal(rule);
  const first = session.registered ?? {};
  return ok(rule === 'same_token' ? first : answerFor(String(first.user_id), body, home));
}

/** With `inhibit_login` the answer names the user and holds no token. */
function answerFor(userId: string, body: JsonObject, home: Home): JsonObject {
  if (body.inhibit_login !== true) return grantLogin(home.state.user(userId), body, home).body as JsonObject;
  const server = home.personality.login.hasHomeServerField ? { home_server: home.state.serverName } : {};
  return { user_id: userId, ...server };
}

function judgeStage(type: string, auth: JsonObject, home: Home): boolean | undefined {
  const isOffered = home.switches.registrationFlows.some((flow) => flow.includes(type));
  if (type === 'm.login.dummy') return true;
  if (!isOffered) return undefined;
  if (type === 'm.login.recaptcha') return auth.response === RIGHT_RECAPTCHA_RESPONSE;
  if (type === 'm.login.registration_token') return auth.token === RIGHT_REGISTRATION_TOKEN;
  return type === 'm.login.email.identity' ? hasValidatedEmail(auth, home) : true;
}

function hasValidatedEmail(auth: JsonObject, home: Home): boolean {
  const credentials = auth.threepid_creds as JsonObject | undefined;
  return home.state.validatedEmails.has(String(credentials?.sid));
}

function refuseTakenName(body: JsonObject, home: Home): void {
  const name = textOr(body.username, '').toLowerCase();
  if (name !== '' && home.state.userByLocalpart(name)) throw refusal(USER_IN_USE, 'User ID already taken.');
}

function isFinished(body: JsonObject, home: Home): boolean {
  const { session } = body.auth as JsonObject;
  return home.state.uiaSessions.get(String(session))?.finished === true;
}

function textOr(value: JsonObject[string], otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise;
}
