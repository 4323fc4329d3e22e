import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type JsonObject } from '../../../../src/matrix/wire.ts';
import { type Exchange, ok, refusal, type StubAnswer } from '../exchange.ts';
import type { Home } from '../home.ts';
import type { KeyRules } from '../personality.ts';
import { bodyOrRefusal } from '../request_body.ts';
import type { CrossSigningKeys, StubUser } from '../state.ts';
import { authenticated } from '../tokens.ts';
import { authenticateByStages } from '../uia.ts';

/** `POST /keys/upload`: marks the device as one that has keys. */
export function uploadDeviceKeys(exchange: Exchange, home: Home): StubAnswer {
  const { userId, deviceId } = authenticated(exchange, home);
  const { device_keys: keys } = bodyOrRefusal(exchange, home.personality.json);
  const device = home.state.user(userId).devices.get(deviceId);
  if (device && isJsonObject(keys)) device.deviceKeys = keys;
  return ok({ one_time_key_counts: { signed_curve25519: 0 } });
}

/** `POST /keys/query`. */
export function queryKeys(exchange: Exchange, home: Home): StubAnswer {
  authenticated(exchange, home);
  const { device_keys: asked } = bodyOrRefusal(exchange, home.personality.json);
  const users = Object.keys(isJsonObject(asked) ? asked : {}).flatMap((id) => home.state.users.get(id) ?? []);
  return ok({
    device_keys: byUser(users, deviceKeysOf),
    master_keys: byUser(users, (user) => user.crossSigning.master),
    self_signing_keys: byUser(users, (user) => user.crossSigning.selfSigning),
    user_signing_keys: byUser(users, (user) => user.crossSigning.userSigning),
    failures: {},
  });
}

/** `POST /keys/device_signing/upload`. */
export function uploadSigningKeys(exchange: Exchange, home: Home): StubAnswer {
  const caller = authenticated(exchange, home);
  const body = bodyOrRefusal(exchange, home.personality.json);
  const user = home.state.user(caller.userId);
  const rules = home.personality.keys;
  if (!needsAuthentication(keysIn(body), user.crossSigning, rules)) return publish(user, body, rules);
  const done = authenticateByStages(exchange, home, {
    endpoint: 'device_signing',
    caller,
    body,
    mayBeSkipped: false,
  });
  return publish(done.user, done.body, rules);
}

function needsAuthentication(given: CrossSigningKeys, live: CrossSigningKeys, rules: KeyRules): boolean {
  if (live.master === undefined) return false;
  const parts = ['master', 'selfSigning', 'userSigning'] as const;
  const named = parts.filter((part) => given[part] !== undefined);
  if (named.length === 0) return rules.noKeys === 'challenge';
  if (named.some((part) => !isDeepStrictEqual(given[part], live[part]))) return true;
  const isWhole = parts.every((part) => isDeepStrictEqual(given[part], live[part]));
  if (isWhole) return rules.identical === 'challenge';
  const rule = given.master === undefined ? rules.subsetWithoutMaster : rules.subsetWithMaster;
  return rule === 'challenge';
}

function publish(user: StubUser, body: JsonObject, rules: KeyRules): StubAnswer {
  const given = keysIn(body);
  const isUnsigned = given.selfSigning !== undefined && !isJsonObject(given.selfSigning.signatures);
  if (isUnsigned && rules.unsignedSelfSigning !== 'accepted') throw refusal(rules.unsignedSelfSigning);
  user.crossSigning.master = given.master ?? user.crossSigning.master;
  user.crossSigning.selfSigning = given.selfSigning ?? user.crossSigning.selfSigning;
  user.crossSigning.userSigning = given.userSigning ?? user.crossSigning.userSigning;
  return ok();
}

function keysIn(body: JsonObject): CrossSigningKeys {
  return {
    master: objectOrNothing(body.master_key),
    selfSigning: objectOrNothing(body.self_signing_key),
    userSigning: objectOrNothing(body.user_signing_key),
  };
}

function objectOrNothing(value: JsonObject[string]): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}

function deviceKeysOf(user: StubUser): JsonObject {
  const withKeys = [...user.devices.values()].filter((device) => device.deviceKeys !== undefined);
  return Object.fromEntries(withKeys.map((device) => [device.deviceId, device.deviceKeys]));
}

function byUser(users: StubUser[], show: (user: StubUser) => JsonObject | undefined): JsonObject {
  const shown = users.flatMap((user) => {
    const value = show(user);
    return value === undefined ? [] : [[user.userId, value] as const];
  });
  return Object.fromEntries(shown);
}
