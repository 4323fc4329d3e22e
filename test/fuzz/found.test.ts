/** What fuzzing found, each case fixed and kept. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { classify } from '../../src/gateway/classify.ts';
import { exchange, openTestDoor, rawRequest, type TestDoor } from '../gateway/support/door.ts';
import { routerToClosed } from './routers.ts';

const V3 = '/_matrix/client/v3';

let door: TestDoor;

beforeEach(async () => {
  door = await openTestDoor();
});

afterEach(() => door.close());

test.each([
  ['POST', `${V3}/login`],
  ['POST', `${V3}/register`],
  ['GET', `${V3}/sync`],
])(
  'attack 74: %s %s of a client that is gone is not passed on without its address',
  async (method, target) => {
    const socket = new Socket();
    const request = Object.assign(new IncomingMessage(socket), {
      method,
      url: target,
      rawHeaders: ['Host', 'h'],
    });
    request.push(null);

    door.door.server.emit('request', request, new ServerResponse(request));
    await exchange(door.port, rawRequest(`GET ${V3}/capabilities`));

    expect(door.handled).toEqual([]);
    expect(door.upstream.seen.map((seen) => seen.target)).toEqual([`${V3}/capabilities`]);
    expect(socket.destroyed).toBe(true);
  },
);

test.each([
  // A server that decodes, then resolves dots, and for which `\\` is an ordinary character.
  ['a backslash that is no slash', '/_matrix/x%5cy/../../_matrix/client/v3/%6Cogin'],
  ['a backslash that is no slash', '/_matrix/=%5ckey/../../_matrix/client/r0/login%23'],
  // Dots are resolved by one server, where an empty segment counts, and slashes merged by the next.
  ['an empty segment', '/_matrix/x/..//client/r0/login///..'],
  // A servlet container: `;x=1%2f…` is one parameter, cut off before the rest is decoded.
  [
    'a parameter with escaped slashes',
    '/_matrix/client/v3/rooms/!r:hs/state/t/..%2f..%2f..%2f..;x=1%2fa%2fb/login',
  ],
])('attack 2: %s hides no way to a gated endpoint: %s', (_trick, target) => {
  expect(routerToClosed('POST', target)).toBeDefined();
  expect(classify('POST', target)).toEqual({ kind: 'refuse', refusal: 'unrecognized' });
});
