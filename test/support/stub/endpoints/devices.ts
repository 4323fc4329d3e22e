import { type Exchange, NOT_FOUND, ok, refusal, type StubAnswer } from '../exchange.ts';
import type { Home } from '../home.ts';
import { bodyOrRefusal, readBody } from '../request_body.ts';
import type { StubDevice } from '../state.ts';
import { authenticated } from '../tokens.ts';
import { authenticateByStages } from '../uia.ts';

/** `GET /devices`. */
export function listDevices(exchange: Exchange, home: Home): StubAnswer {
  const { devices } = home.state.user(authenticated(exchange, home).userId);
  return ok({ devices: [...devices.values()].map(shown) });
}

/** `GET /devices/{id}`. */
export function showDevice(exchange: Exchange, home: Home): StubAnswer {
  return ok(shown(ownDevice(exchange, home)));
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
  const rules = home.personality.account;
  const body = bodyOrRefusal(exchange, home.personality.json);
  const lists = rules.noDevicesListed === 'deletes_all' || Array.isArray(body.devices);
  const isContinued =
    body.devices === undefined && body.auth !== undefined && home.personality.name !== 'synapse';
  if (!lists && !isContinued) throw refusal(rules.malformedDeviceList);

  const done = authenticateByStages(exchange, home, {
    endpoint: 'devices',
    caller,
    body,
    mayBeSkipped: true,
  });
  const devices = Array.isArray(done.body.devices) ? done.body.devices : [];
  if (devices.length === 0 && rules.noDevicesListed === 'deletes_all')
    home.state.deleteAllDevices(done.user.userId);
  for (const deviceId of devices) home.state.deleteDevice(done.user.userId, String(deviceId));
  return ok();
}

function ownDevice(exchange: Exchange, home: Home): StubDevice {
  const { devices } = home.state.user(authenticated(exchange, home).userId);
  const device = devices.get(exchange.params.device ?? '');
  if (device === undefined) throw refusal(NOT_FOUND, 'No device found');
  return device;
}

function shown(device: StubDevice) {
  return {
    device_id: device.deviceId,
    display_name: device.displayName,
    last_seen_ip: device.lastSeenIp,
    last_seen_ts: null,
  };
}
