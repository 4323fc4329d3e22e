import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readGivenCode } from '../../src/factors/given_code.ts';

const SEPARATORS = [' ', '\t', '\n', '\u00a0', '\u2009', '\u202f', '-', '\u2010', '\u2013', '\u2212'];

describe('attack 173: a blank code', () => {
  test.each([[undefined], [null], ['']])('%j is missing', (value) => {
    expect(readGivenCode(value)).toBeUndefined();
  });

  test('separators alone are missing, however many', () => {
    const blank = fc.array(fc.constantFrom(...SEPARATORS), { maxLength: 200 });
    fc.assert(fc.property(blank, (parts) => expect(readGivenCode(parts.join(''))).toBeUndefined()));
  });

  test.each([[0], [123456], [false], [[]], [['123456']], [{}], ['0'], ['x'], ['\u200b']])(
    '%j is not: it is judged, and wrong',
    (value) => expect(readGivenCode(value)).toBeDefined(),
  );
});

describe('attack 174: a code in groups', () => {
  test.each(['123 456', '123\u00a0456', '123\u202f456', ' 123 456 ', '1 2 3 4 5 6'])(
    '%j is 123456',
    (typed) => {
      expect(readGivenCode(typed)).toBe('123456');
    },
  );

  test.each(['123.456', '123_456', '123\u200b456', '123-456', '123,456'])('%j stays as it is', (typed) => {
    expect(readGivenCode(typed)).toBe(typed);
  });
});
