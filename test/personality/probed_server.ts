import { randomBytes } from 'node:crypto';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { call, type HttpAnswer, rawExchange } from '../support/http.ts';
import type { ProbedHomeserver, ProbeUser } from './probe.ts';

const REGISTER = '/_matrix/client/v3/register';

export interface ProbedServer {
  /** Base URL. */
  readonly url: string;
  /** Where registration asks for a token of the operator's. */
  readonly registrationToken: string | undefined;
}

/**
 * Any running homeserver as the probes see one: its users are registered over the client-server API. E-mail addresses
 * cannot be given to them that way; the probes that want one then see a user without.
 */
export async function probedServer(server: ProbedServer): Promise<ProbedHomeserver> {
  const { userId } = await registeredUser(server, undefined);
  return {
    serverName: userId.slice(userId.indexOf(':') + 1),
    call: (what) => call(server.url, what),
    raw: (bytes) => rawExchange(server.url, bytes),
    newUser: ({ password } = {}) => registeredUser(server, password),
  };
}

async function registeredUser(server: ProbedServer, given: string | undefined): Promise<ProbeUser> {
  const name = `probe${randomBytes(5).toString('hex')}`;
  const password = given ?? `a long password of ${name}`;
  const body = { username: name, password };
  const first = await call(server.url, { target: REGISTER, json: body });
  const { session } = first.json;
  if (first.status !== 401 || typeof session !== 'string') throw notRegistered(first);
  const stages = server.registrationToken === undefined ? [] : [tokenStage(server.registrationToken)];
  let answer = first;
  for (const stage of [...stages, { type: 'm.login.dummy' }]) {
    const auth = { ...stage, session };
    answer = await call(server.url, { target: REGISTER, json: { ...body, auth } });
    if (answer.status === 200) return userIn(answer.json, { name, password });
  }
  throw notRegistered(answer);
}

function tokenStage(token: string): JsonObject {
  return { type: 'm.login.registration_token', token };
}

function userIn(json: JsonObject, { name, password }: Pick<ProbeUser, 'name' | 'password'>): ProbeUser {
  const { user_id: userId, access_token: token, device_id: deviceId } = json;
  return { name, password, userId: String(userId), token: String(token), deviceId: String(deviceId) };
}

function notRegistered({ status, text }: HttpAnswer): Error {
  return new Error(
    `no user could be registered (${status} ${text}): registration must be open with m.login.dummy, or a token given`,
  );
}
