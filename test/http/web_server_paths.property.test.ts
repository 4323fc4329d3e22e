import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { classify } from '../../src/gateway/classify.ts';
import { mountedPaths, ROUTES } from '../../src/http/routes.ts';
import {
  federationPattern,
  ODD_PARTS,
  oddFederationPattern,
  oddPattern,
  proxyPattern,
  straightPattern,
} from '../../src/http/web_server_paths.ts';

const straight = new RegExp(straightPattern());
const odd = new RegExp(oddPattern());

function goesStraight(target: string): boolean {
  return straight.test(target) && !odd.test(target);
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'];

const PIECES = [
  ...[
    '/',
    '//',
    '/..',
    '/.',
    '%2f',
    '%2E',
    '%5c',
    '%25',
    '%252f',
    ';',
    '#',
    '\\',
    '?',
    '%',
    'a',
    '%21x%3Ay',
    '!x:y',
  ],
  ...[
    '_matrix',
    'client',
    'v3',
    'r0',
    'v1',
    'media',
    'key',
    'federation',
    'rooms',
    'sync',
    'messages',
    'state',
  ],
  ...['login', 'logout', 'register', 'refresh', 'delete_devices', 'account', 'password', 'devices', 'keys'],
];
const BEGINNINGS = [
  '/_matrix/media/',
  '/_matrix/federation/',
  '/_matrix/key/',
  '/_matrix/client/v1/media/',
  '/_matrix/client/v3/rooms/',
  '/_matrix/client/r0/sync',
  '/',
];

test('what may go straight to the homeserver is what the proxy would have passed on as it came', () => {
  const targets = fc
    .tuple(
      fc.constantFrom(...BEGINNINGS),
      fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }),
      fc.constantFrom('', '/messages', '/members', '/state'),
    )
    .map(([begin, pieces, end]) => begin + pieces.join('') + end);
  let count = 0;
  fc.assert(
    fc.property(targets, fc.constantFrom(...METHODS), (target, method) => {
      if (!goesStraight(target)) return;
      count += 1;
      expect(classify(method, target.split('?', 1)[0] ?? '').kind).toBe('pass');
    }),
    { numRuns: 20_000 },
  );
  expect(count).toBeGreaterThan(500);
});

const PATHS = ROUTES.flatMap((route) => mountedPaths(route)).map(({ path }) =>
  path.replaceAll(/\{\w+\}/g, 'x'),
);

test.each(PATHS)('%s goes to the proxy, and not straight', (path) => {
  expect(path).toMatch(new RegExp(proxyPattern()));
  expect(goesStraight(path)).toBe(false);
});

test.each(ODD_PARTS)('a path with %s does not go straight', (part) => {
  for (const written of [part, part.toUpperCase()]) {
    expect(goesStraight(`/_matrix/media/v3/a${written}b`)).toBe(false);
    expect(goesStraight(`/_matrix/media/v3/a?b=${written}`)).toBe(true);
  }
});

test('federation keeps event ids that hold a slash', () => {
  const target = '/_matrix/federation/v1/event/%24a%2Fb';
  expect(target).toMatch(new RegExp(federationPattern()));
  expect(target).not.toMatch(new RegExp(oddFederationPattern()));
  expect('/_matrix/federation/%2e%2e/client/v3/login').toMatch(new RegExp(oddFederationPattern()));
});
