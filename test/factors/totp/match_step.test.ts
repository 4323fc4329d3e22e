import { describe, expect, test } from '@jest/globals';
import { isTotpToken, matchStep } from '../../../src/factors/totp/match_step.ts';
import { codeAt, totpSettings } from '../../support/enrolment.ts';

const seed = Buffer.from('12345678901234567890');
const NOW = 1_111_111_109_000;
const STEP = Math.floor(NOW / 30_000);

describe('RFC 6238 appendix B', () => {
  test.each([
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ])('at %d s the SHA-1 code is %s', (seconds, token) => {
    const settings = { ...totpSettings, digits: 8, window: 0 };
    expect(matchStep(seed, token, seconds * 1000, settings)).toBe(Math.floor(seconds / 30));
  });

  test.each([
    ['sha256' as const, '12345678901234567890123456789012', '46119246'],
    ['sha512' as const, '1234567890123456789012345678901234567890123456789012345678901234', '90693936'],
  ])('at 59 s the %s code matches', (algorithm, key, token) => {
    const settings = { ...totpSettings, algorithm, digits: 8, window: 0 };
    expect(matchStep(Buffer.from(key), token, 59_000, settings)).toBe(1);
  });
});

describe('the window', () => {
  test('attack 54: a step to either side is accepted, two are not', () => {
    const matched = [-2, -1, 0, 1, 2].map((steps) =>
      matchStep(seed, codeAt(seed, NOW, steps), NOW, totpSettings),
    );
    expect(matched).toEqual([undefined, STEP - 1, STEP, STEP + 1, undefined]);
  });

  test('attack 54: a window of 0 accepts the present step only, a window of 2 two to either side', () => {
    const matched = (window: number) =>
      [-3, -2, -1, 0, 1, 2, 3].filter(
        (steps) => matchStep(seed, codeAt(seed, NOW, steps), NOW, { ...totpSettings, window }) !== undefined,
      );
    expect(matched(0)).toEqual([0]);
    expect(matched(2)).toEqual([-2, -1, 0, 1, 2]);
  });

  test('the step begins and ends on the second', () => {
    const settings = { ...totpSettings, window: 0 };
    const code = codeAt(seed, 60_000);
    expect(matchStep(seed, code, 59_999, settings)).toBeUndefined();
    expect(matchStep(seed, code, 60_000, settings)).toBe(2);
    expect(matchStep(seed, code, 89_999, settings)).toBe(2);
    expect(matchStep(seed, code, 90_000, settings)).toBeUndefined();
  });
});

describe('odd input', () => {
  const odd = [
    ['a number', 81_804],
    ['an array', ['081804']],
    ['an object', { length: 6 }],
    ['nothing', undefined],
    ['a blank after it', '081804 '],
    ['a blank in it', '081 804'],
    ['a line feed after it', '081804\n'],
    ['seven digits', '0818041'],
    ['five digits', '81804'],
    ['Arabic-Indic digits', '٠٨١٨٠٤'],
    ['full-width digits', '０８１８０４'],
    ['a sign', '+81804'],
    ['hexadecimal', '0x1234'],
    ['an exponent', '8180e4'],
    ['empty', ''],
  ] as const;

  test.each(odd)('attack 58: %s is not a code and throws nothing', (_, token) => {
    expect(isTotpToken(token, 6)).toBe(false);
    expect(matchStep(seed, token as string, NOW, totpSettings)).toBeUndefined();
  });

  test('attack 58: leading zeros are part of the code', () => {
    expect(codeAt(seed, NOW)).toBe('081804');
    expect(matchStep(seed, '081804', NOW, totpSettings)).toBe(STEP);
    expect(matchStep(seed, '81804', NOW, totpSettings)).toBeUndefined();
  });
});
