/** What fuzzing found, each case fixed and kept. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { exchange, openTestDoor, rawRequest } from '../gateway/support/door.ts';

const V3 = '/_matrix/client/v3';

test.each([
  ['POST', `${V3}/login`],
  ['POST', `${V3}/register`],
  ['GET', `${V3}/sync`],
])(
  'attack 74: %s %s of a client that is gone is not passed on without its address',
  async (method, target) => {
    const door = await openTestDoor();
    const socket = new Socket();
    const request = Object.assign(new IncomingMessage(socket), {
      method,
      url: target,
      rawHeaders: ['Host', 'h'],
    });
    request.push(null);

    door.door.server.emit('request', request, new ServerResponse(request));
    await new Promise((resolve) => setTimeout(resolve, 50));

    expect(door.handled).toEqual([]);
    expect(door.upstream.seen).toEqual([]);
    expect(socket.destroyed).toBe(true);
    await door.close();
  },
);
