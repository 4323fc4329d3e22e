import { expect, test } from '@jest/globals';
import { splitAppendedCode } from '../../src/factors/appended_code.ts';

const TOTP = 'm.login.2fa.totp';
const RECOVERY = 'm.login.2fa.recovery';

test.each([
  ['correct horse 123456', { password: 'correct horse', code: '123456', stage: TOTP }],
  ['correct horse123456', { password: 'correct horse', code: '123456', stage: TOTP }],
  // The last word and the code are twelve characters behind a blank, as a recovery code is.
  ['correct horse staple123456', { password: 'correct horse staple', code: '123456', stage: TOTP }],
  ['horse 7q2k-x9vd-03mh', { password: 'horse', code: '7q2k-x9vd-03mh', stage: RECOVERY }],
  ['horse7q2k-x9vd-03mh', { password: 'horse', code: '7q2k-x9vd-03mh', stage: RECOVERY }],
  ['horse 7q2kx9vd03mh', { password: 'horse', code: '7q2kx9vd03mh', stage: RECOVERY }],
  ['horse 7q2kx9123456', { password: 'horse', code: '7q2kx9123456', stage: RECOVERY }],
])('"%s" is a password and a code', (field, split) => {
  expect(splitAppendedCode(field, 6)).toEqual(split);
});

test.each(['correct horse', '123456', '7q2k-x9vd-03mh', 'horse7q2kx9vd03mh', 'horse12345'])(
  'no code is read off "%s"',
  (field) => {
    expect(splitAppendedCode(field, 6)).toBeUndefined();
  },
);
