import { isJsonObject, type JsonObject } from '../../../../src/matrix/wire.ts';
import { type Exchange, NOT_FOUND, ok, refusal, type StubAnswer } from '../exchange.ts';
import type { Home } from '../home.ts';
import { bodyOrRefusal, readBody } from '../request_body.ts';
import type { StubDevice } from '../state.ts';
import { authenticated } from '../tokens.ts';
import { authenticateByStages } from '../uia.ts';

/** `GET /devices`. */
export function listDevices(exchange: Exchange, home: Home): StubAnswer {
  const { devices } = home.state.user(authenticated(exchange, home).userId);
  return ok({ devices: [...devices.values()].map((device) => shown(device, home)) });
}

/** `GET /devices/{id}`. */
export function showDevice(exchange: Exchange, home: Home): StubAnswer {
  return ok(shown(ownDevice(exchange, home), home));
}

/** `PUT /devices/{id}`. */
export function renameDevice(exchange: Exchange, home: Home): StubAnswer {
  const device = ownDevice(exchange, home);
  const { display_name: name } = bodyOrRefusal(exchange, home.personality.json);
  if (typeof name === 'string') device.displayName = name;
  return ok();
}

/** `DELETE /devices/{id}`. */
export function deleteDevice(exchange: Exchange, home: Home): StubAnswer {
  const caller = authenticated(exchange, home);
  const body = readBody(exchange, home.personality.json);
  const { user } = authenticateByStages(exchange, home, {
    endpoint: 'devices',
    caller,
    body,
    mayBeSkipped: true,
  });
  home.state.deleteDevice(user.userId, exchange.params.device ?? '');
  return ok();
}

/** `POST /delete_devices`. */
export function deleteDevices(exchange: Exchange, home: Home): StubAnswer {
  const caller = authenticated(exchange, home);
  const body = bodyOrRefusal(exchange, home.personality.json);
  refuseWithoutList(body, home);
  const done = authenticateByStages(exchange, home, {
    endpoint: 'devices',
    caller,
    body,
    mayBeSkipped: true,
  });
  const devices = Array.isArray(done.body.devices) ? done.body.devices : [];
  const deletesAll = devices.length === 0 && home.personality.account.noDevicesListed === 'deletes_all';
  if (deletesAll) home.state.deleteAllDevices(done.user.userId);
  for (const deviceId of devices) home.state.deleteDevice(done.user.userId, String(deviceId));
  return ok();
}

function refuseWithoutList({ devices, auth }: JsonObject, home: Home): void {
  const rules = home.personality.account;
  if (Array.isArray(devices) || rules.noDevicesListed === 'deletes_all') return;
  if (devices !== undefined) throw refusal(rules.malformedDeviceList);
  // Synapse wants the list each time; the others take it from the session that it began.
  const isContinued = home.personality.name !== 'synapse' && isJsonObject(auth) && 'session' in auth;
  if (!isContinued) throw refusal(rules.missingDeviceList);
}

function ownDevice(exchange: Exchange, home: Home): StubDevice {
  const { devices } = home.state.user(authenticated(exchange, home).userId);
  const device = devices.get(exchange.params.device ?? '');
  if (device === undefined) throw refusal(NOT_FOUND, 'No device found');
  return device;
}

function shown(device: StubDevice, home: Home) {
  return {
    device_id: device.deviceId,
    display_name: device.displayName,
    last_seen_ip: device.lastSeenIp,
    last_seen_ts: null,
    ...(home.personality.name === 'synapse' ? { user_id: device.userId } : {}),
  };
}
