import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { BodyBudget, readBody } from '../../src/http/body.ts';

test('a request that has ended already, as Node 24 gives those without a body, has an empty body', async () => {
  const request = new IncomingMessage(new Socket());
  request.push(null);
  await once(request.resume(), 'end');
  const limits = { size: 10, timeMs: 60_000, budget: new BodyBudget(100) };
  expect(await readBody(request, limits)).toHaveLength(0);
});
