import { expect, test } from '@jest/globals';

import { presentedToken } from '../../src/http/access_token.ts';

test('one token in the header or in the query is a token', () => {
  expect(presentedToken(['Host', 'x', 'authorization', 'Bearer syt_a-b_c='], [])).toEqual({
    kind: 'token',
    token: 'syt_a-b_c=',
  });
  expect(presentedToken([], ['abc'])).toEqual({ kind: 'token', token: 'abc' });
});

test('no token is none', () => {
  expect(presentedToken(['X-Authorization', 'Bearer a'], [])).toEqual({ kind: 'none' });
});

test.each<[string[], string[]]>([
  [['Authorization', 'Bearer A'], ['B']],
  [['Authorization', 'Bearer A'], ['A']],
  [['Authorization', 'Bearer A', 'AUTHORIZATION', 'Bearer A'], []],
  [[], ['A', 'A']],
  [['Authorization', 'Basic x'], ['A']],
])('attack 21: %j with query %j is malformed', (rawHeaders, queryTokens) => {
  expect(presentedToken(rawHeaders, queryTokens)).toEqual({ kind: 'malformed' });
});

test.each([
  'bearer A',
  'BEARER A',
  'Bearer  A',
  'Bearer A B',
  'Bearer',
  'Bearer ',
  'Bearer\tA',
  'Basic A',
  'A',
  '',
  'Bearer é',
])('attack 105: the header %j is malformed', (value) => {
  expect(presentedToken(['Authorization', value], [])).toEqual({ kind: 'malformed' });
});

test.each(['', 'a b', 'a\n'])('attack 105: the query token %j is malformed', (token) => {
  expect(presentedToken([], [token])).toEqual({ kind: 'malformed' });
});
