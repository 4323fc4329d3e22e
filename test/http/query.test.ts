import { expect, test } from '@jest/globals';
import { readQuery } from '../../src/http/query.ts';
import { Refusal } from '../../src/matrix/refusals.ts';
import { cpuCostMs } from '../support/cpu_cost.ts';

test('the first value of each parameter counts, and is written again', () => {
  const { parameters, search } = readQuery('a=1&b=x%20y+z&a=2&c');
  expect([...parameters]).toEqual([
    ['a', '1'],
    ['b', 'x y z'],
    ['c', ''],
  ]);
  expect(search).toBe('?a=1&b=x%20y%20z&c=');
});

test('no query stays none', () => {
  expect(readQuery('')).toEqual({ parameters: new Map(), tokens: [], search: '' });
});

test('attack 21: every token is seen, and none goes on', () => {
  const { tokens, search } = readQuery('access_token=A&x=1&access%5Ftoken=B');
  expect(tokens).toEqual(['A', 'B']);
  expect(search).toBe('?x=1');
});

test('attack 21: a token behind a semicolon, which one framework takes for a separator, is encoded', () => {
  expect(readQuery('x=1;access_token=B').search).toBe('?x=1%3Baccess_token%3DB');
});

test('attack 22: user_id goes nowhere', () => {
  expect(readQuery('user_id=%40v%3Ahs&user%5fid=x').search).toBe('');
});

test('attack 119: a query of more than 4 KiB is refused unread, one of 4 KiB is read in little time', async () => {
  expect(() => readQuery('%2e%2e%&'.repeat(600))).toThrow(Refusal);
  expect(await cpuCostMs(() => readQuery('%2e%2e%&'.repeat(512)), 10)).toBeLessThan(25);
});
