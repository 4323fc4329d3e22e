import { expect, test } from '@jest/globals';
import { readTypedCode } from '../../src/second_factor/typed_code.ts';

test.each([
  ['123456', 'm.login.2fa.totp', '123456'],
  [' 123 456 ', 'm.login.2fa.totp', '123456'],
  ['123-456', 'm.login.2fa.totp', '123456'],
  ['12\u00a0345\u2009678', 'm.login.2fa.totp', '12345678'],
  ['7q2k-x9vd-03mh', 'm.login.2fa.recovery', '7q2k-x9vd-03mh'],
  ['7Q2K X9VD 03MH', 'm.login.2fa.recovery', '7Q2KX9VD03MH'],
  ['1234-5678-9012', 'm.login.2fa.recovery', '1234-5678-9012'],
  ['１２３４５６', 'm.login.2fa.recovery', '１２３４５６'],
])('attack 58: %j is read as a code of %s', (typed, stage, token) => {
  expect(readTypedCode(typed)).toEqual({ stage, token });
});

test.each(['', ' ', '\u00a0\u202f', '-', ' - - ', '\u2013'])('attack 173: %j is a missing code', (typed) => {
  expect(readTypedCode(typed)).toBeUndefined();
});
