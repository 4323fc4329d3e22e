import { expect, test } from '@jest/globals';
import {
  deviceSecretFrom,
  readDevicePassword,
  showDevicePassword,
} from '../../src/matrix/device_password.ts';
import { systemRandom } from '../../src/system/random.ts';

const SECRET = '0123456789abcdefghjkmnpqrstvwxyz';
const SHOWN = 'm2dp-0123-4567-89ab-cdef-ghjk-mnpq-rstv-wxyz';

test('a new secret has 160 bits, is shown in fours, and is read again', () => {
  const secrets = Array.from({ length: 200 }, () => deviceSecretFrom(systemRandom.bytes(32)));
  expect(new Set(secrets).size).toBe(200);
  for (const secret of secrets) {
    expect(secret).toMatch(/^[0-9a-hjkmnp-tv-z]{32}$/);
    expect(readDevicePassword(showDevicePassword(secret))).toEqual({ secret, hasCodeBehind: false });
  }
  expect(showDevicePassword(SECRET)).toBe(SHOWN);
});

test.each([
  SHOWN,
  SHOWN.toUpperCase(),
  SHOWN.replaceAll('-', ''),
  SHOWN.replaceAll('-', ' '),
  SHOWN.replaceAll('-', '\u2011'),
  ` ${SHOWN} `,
  SHOWN.replace('0', 'O').replace('1', 'l'),
  SHOWN.replace('1', 'I'),
])('attack 222: %s is that secret', (field) => {
  expect(readDevicePassword(field)).toEqual({ secret: SECRET, hasCodeBehind: false });
});

test.each([`${SHOWN}123456`, `${SHOWN} 12345678`, `${SHOWN} 7q2k-x9vd-03mh`])(
  'attack 222: %s has a code behind it',
  (field) => {
    expect(readDevicePassword(field)).toEqual({ secret: SECRET, hasCodeBehind: true });
  },
);

test.each([
  '',
  'm2dp-',
  SHOWN.slice(0, -1),
  `${SHOWN}x`,
  `${SHOWN}12345`,
  SHOWN.replace('z', 'u'),
  SHOWN.replace('m2dp', 'm2d'),
  `my ${SHOWN}`,
  SHOWN.replace('0', 'é'),
  5,
  null,
  undefined,
])('attack 222: %s is an ordinary password', (field) => {
  expect(readDevicePassword(field)).toBeUndefined();
});
