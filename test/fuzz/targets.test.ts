import { expect, test } from '@jest/globals';
import { expectNothingFound } from './campaign.ts';
import { routerToClosed } from './routers.ts';
import { classifiedTargets, sentTargets } from './targets.ts';

test.each([
  ['POST', '/_matrix/client/v3/login#f'],
  ['POST', '/_matrix/client/v3/delete_devicesFOO'],
  ['POST', '/_matrix/client/v3/rooms/..%2flogin'],
  ['POST', '/_matrix/client//v3/%6Cogin'],
  ['DELETE', '/_matrix/client/r0/devices/a%2fb'],
  ['POST', 'http://evil.example/_matrix/client/v3/login'],
  ['GET', '/_synapse/client/..;/admin/x'],
  ['POST', '/_matrix/client/v3/LOG\u0131N/../login/'],
])('the routers of the comparison find the way of %s %s', (method, target) => {
  expect(routerToClosed(method, target)).toBeDefined();
});

test.each([
  ['GET', '/_matrix/client/v3/devices/ABC'],
  ['POST', '/_matrix/client/v3/rooms/!r:hs/state/login/x'],
  ['GET', '/_matrix/client/v3/sync?since=/login'],
])('and lead %s %s nowhere', (method, target) => {
  expect(routerToClosed(method, target)).toBeUndefined();
});

test('attack 2: fuzzed targets that pass the classifier lead no router to a gated endpoint', async () => {
  const { counts } = await expectNothingFound(classifiedTargets, 5);
  expect(counts.passed).toBeGreaterThan(100);
});

test('attack 2: fuzzed targets over sockets reach no gated endpoint of the stub by themselves', async () => {
  const { counts } = await expectNothingFound(sentTargets, 5);
  expect(counts['passed through']).toBeGreaterThan(0);
});
