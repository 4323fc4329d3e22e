import { expect, test } from '@jest/globals';
import { newSeed, otpauthUri, seedText } from '../../../src/factors/totp/totp_seed.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { totpSettings } from '../../support/enrolment.ts';

const seed = Buffer.from('12345678901234567890');

test('a seed has 160 bits, is new each time, and reads as base32 without padding', () => {
  expect(newSeed(systemRandom)).toHaveLength(20);
  expect(newSeed(systemRandom)).not.toEqual(newSeed(systemRandom));
  expect(seedText(seed)).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
});

test('the link writes every parameter out and escapes the user id', () => {
  expect(otpauthUri('@bob:example.org', seed, totpSettings)).toBe(
    'otpauth://totp/Example:%40bob%3Aexample.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' +
      '&issuer=Example&algorithm=SHA1&digits=6&period=30',
  );
});

test('an issuer with odd characters stays one parameter', () => {
  const uri = new URL(otpauthUri('@bob:hs', seed, { ...totpSettings, issuer: 'A & B: ü?#' }));
  expect(uri.searchParams.get('issuer')).toBe('A & B: ü?#');
  expect(uri.searchParams.get('digits')).toBe('6');
  expect(decodeURIComponent(uri.pathname.split(':')[0] ?? '')).toMatch(/A & B: ü\?#$/);
});
