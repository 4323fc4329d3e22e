import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readScope } from '../../src/oauth/scope.ts';

const API = 'urn:matrix:client:api:*';
const OLD_API = 'urn:matrix:org.matrix.msc2967.client:api:*';
const DEVICE = 'urn:matrix:client:device:ABC';
const OLD_DEVICE = 'urn:matrix:org.matrix.msc2967.client:device:ABC';

test.each([
  ['the stable spelling', `${API} ${DEVICE}`],
  ['the unstable one', `${OLD_API} ${OLD_DEVICE}`],
  ['one of each', `${DEVICE} ${OLD_API}`],
])('%s is granted as it was spelt', (_, scope) => {
  expect(readScope(scope)).toEqual({ deviceId: 'ABC', openid: false, granted: scope });
});

test('openid is granted, other tokens are not, and none comes twice', () => {
  const asked = `openid urn:synapse:admin:* ${API}  openid urn:matrix:client:else ${OLD_DEVICE} profile`;
  const granted = `openid ${API} ${OLD_DEVICE}`;
  expect(readScope(asked)).toEqual({ deviceId: 'ABC', openid: true, granted });
});

describe('attack 295: no scope is', () => {
  test.each([
    ['nothing', ''],
    ['no device', API],
    ['no API', `openid ${DEVICE}`],
    ['two devices', `${API} ${DEVICE} urn:matrix:client:device:DEF`],
    ['the same device in both spellings', `${API} ${DEVICE} ${OLD_DEVICE}`],
    ['the same device twice', `${API} ${DEVICE} ${DEVICE}`],
    ['the API twice', `${API} ${OLD_API} ${DEVICE}`],
    ['a device without an id', `${API} urn:matrix:client:device:`],
    ['an id with a quote', `${API} urn:matrix:client:device:A"B`],
    ['an id with a backslash', `${API} urn:matrix:client:device:A\\B`],
    ['an id with a line break', `${API} urn:matrix:client:device:A\nB`],
    ['an id beyond ASCII', `${API} urn:matrix:client:device:Ä`],
    ['an id that is too long', `${API} urn:matrix:client:device:${'A'.repeat(256)}`],
    ['other capitals', `${API.toUpperCase()} ${DEVICE}`],
    ['a part of the API', `urn:matrix:client:api:read ${DEVICE}`],
    ['tabs between the tokens', `${API}\t${DEVICE}`],
  ])('%s', (_, scope) => {
    expect(readScope(scope)).toBeUndefined();
  });
});

test('every id that RFC 6749 allows is read whole', () => {
  const signs = Array.from({ length: 0x7e - 0x20 }, (_, at) => String.fromCharCode(0x21 + at));
  const sign = fc.constantFrom(...signs.filter((each) => !'"\\'.includes(each)));
  const ids = fc.array(sign, { minLength: 1, maxLength: 255 }).map((all) => all.join(''));
  fc.assert(
    fc.property(ids, (id) => {
      expect(readScope(`${API} urn:matrix:client:device:${id}`)?.deviceId).toBe(id);
    }),
  );
});

test('what is granted is a part of what was asked for, and reads the same', () => {
  const token = fc.constantFrom(
    API,
    OLD_API,
    DEVICE,
    OLD_DEVICE,
    'openid',
    'profile',
    '',
    'urn:matrix:client:x',
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 6 }), (tokens) => {
      const read = readScope(tokens.join(' '));
      if (read === undefined) return;
      expect(tokens).toEqual(expect.arrayContaining(read.granted.split(' ')));
      expect(readScope(read.granted)).toEqual(read);
    }),
  );
});
