import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  newRecoveryCode,
  readRecoveryCode,
  showRecoveryCode,
} from '../../../src/factors/recovery/recovery_code.ts';
import { systemRandom } from '../../../src/system/random.ts';

const CODE = '0123456789ab';
const SHOWN = '0123-4567-89ab';

test('a new code has twelve characters, each of all 32, and no look-alikes', () => {
  const codes = Array.from({ length: 500 }, () => newRecoveryCode(systemRandom));
  expect(new Set(codes).size).toBe(500);
  for (const code of codes) expect(code).toMatch(/^[0-9a-hjkmnp-tv-z]{12}$/);
  expect(new Set(codes.join('')).size).toBe(32);
});

test('60 bits: each character is five bits of one random byte', () => {
  const bytes = Buffer.from([0, 31, 32, 255, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(newRecoveryCode({ bytes: () => bytes })).toBe('0z0z12345678');
});

describe('reading', () => {
  test.each([
    SHOWN,
    CODE,
    '0123 4567 89ab',
    '0123-4567-89AB',
    ' 0123–4567—89ab\n',
    '0-1-2-3-4-5-6-7-8-9-a-b',
    'O123-4567-89aB',
    'oI23-4567-89ab',
    '0l23-4567-89ab',
  ])('attack 57: "%s" is the same code', (typed) => {
    expect(readRecoveryCode(typed)).toBe(CODE);
  });

  test.each([
    ['a character less', '0123-4567-89a'],
    ['a character more', '0123-4567-89abc'],
    ['a U', '0123-4567-89au'],
    ['another sign', '0123-4567-89a!'],
    ['a letter that folds to ASCII', '0123-4567-89aſ'],
    ['full-width digits', '０１２３-4567-89ab'],
    ['nothing', ''],
    ['separators only', '----'],
    ['far too much', `${'-'.repeat(60)}${CODE}`],
    ['a megabyte', 'a'.repeat(1_000_000)],
    ['a number', 123456789012],
    ['an array', [CODE]],
    ['null', null],
  ])('attack 58: %s is not a code', (_, typed) => {
    expect(readRecoveryCode(typed)).toBeUndefined();
  });

  test('what is shown is read as what it was', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), (bytes) => {
        const code = newRecoveryCode({ bytes: () => Buffer.from(bytes) });
        expect(showRecoveryCode(code)).toMatch(/^.{4}-.{4}-.{4}$/);
        expect(readRecoveryCode(showRecoveryCode(code))).toBe(code);
        expect(readRecoveryCode(showRecoveryCode(code).toUpperCase())).toBe(code);
      }),
    );
  });
});
