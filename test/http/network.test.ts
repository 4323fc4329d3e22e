import { expect, test } from '@jest/globals';
import { widerNetworkOf } from '../../src/http/network.ts';

test.each([
  ['192.0.2.1', '192.0.2.250', true],
  ['192.0.2.1', '::ffff:192.0.2.7', true],
  ['192.0.2.1', '192.0.3.1', false],
  ['2001:db8:1:2::1', '2001:DB8:1:2f::9', true],
  ['2001:db8:1:2::1', '2001:db8:1:102::1', false],
  ['192.0.2.1', '2001:db8::1', false],
  ['unknown', '', true],
])('%s and %s are in one wider network: %s', (one, other, same) => {
  expect(widerNetworkOf(one) === widerNetworkOf(other)).toBe(same);
});
