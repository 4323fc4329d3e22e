import { expect, test } from '@jest/globals';
import { deviceName } from '../../src/homeserver/device_name.ts';
import type { CallHomeserver, HomeserverAnswer } from '../../src/homeserver/homeserver.ts';
import { Refusal } from '../../src/matrix/refusals.ts';
import type { JsonObject } from '../../src/matrix/wire.ts';

const DEVICE = { token: 'token', deviceId: 'A/B' };
const ASKER = { client: { ip: '192.0.2.1', proto: 'https', host: 'example.org' } } as const;

const answering =
  (status: number, json: JsonObject | undefined): CallHomeserver =>
  async () =>
    ({ status, headers: {}, bytes: Buffer.alloc(0), json }) satisfies HomeserverAnswer;

test('its owner’s name for it is asked for', async () => {
  const paths: string[] = [];
  const call: CallHomeserver = (asked) => {
    paths.push(`${asked.method} ${asked.path} ${asked.token}`);
    return answering(200, { device_id: 'A/B', display_name: ' Phone ' })(asked);
  };
  expect(await deviceName(call, DEVICE, ASKER)).toBe('Phone');
  expect(paths).toEqual(['GET /_matrix/client/v3/devices/A%2FB token']);
});

test.each<[number, JsonObject | undefined]>([
  [200, undefined],
  [200, {}],
  [200, { device_id: 'A/B' }],
  [200, { device_id: 'A/B', display_name: null }],
  [200, { device_id: 'A/B', display_name: '  ' }],
  [200, { device_id: 'A/B', display_name: ['Phone'] }],
  [200, { device_id: 'OTHER', display_name: 'Other' }],
  [401, { device_id: 'A/B', display_name: 'Phone' }],
  [404, {}],
])('%s %j: none', async (status, json) => {
  expect(await deviceName(answering(status, json), DEVICE, ASKER)).toBeUndefined();
});

test('a homeserver that is away, or does not answer in time, says none', async () => {
  const away: CallHomeserver = () => Promise.reject(new Refusal('homeserver_unreachable'));
  expect(await deviceName(away, DEVICE, ASKER)).toBeUndefined();
  expect(await deviceName(silent, DEVICE, ASKER, 1)).toBeUndefined();
});

test('a reader who goes away ends the question', async () => {
  const reader = new AbortController();
  const asked = deviceName(silent, DEVICE, { ...ASKER, signal: reader.signal });
  reader.abort(new Error('gone'));
  await expect(asked).rejects.toThrow('gone');
});

/** Answers nothing; rejects as the client of the homeserver does. */
const silent: CallHomeserver = ({ signal }) =>
  new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason));
  });
