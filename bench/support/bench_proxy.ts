/**
 * The front door alone, as a process that can be pinned to a core: `node bench_proxy.ts UPSTREAM [gated]`. Prints its
 * port. `gated`: answers that could be a login are looked at, as in the whole proxy.
 */
import type { AddressInfo } from 'node:net';
import type { Handlers } from '../../src/gateway/app.ts';
import type { Homeserver } from '../../src/homeserver/homeserver.ts';
import type { PassedAnswer } from '../../src/http/answer.ts';
import { ROUTES } from '../../src/http/routes.ts';
import { Refusal } from '../../src/matrix/refusals.ts';
import type { Standings } from '../../src/second_factor/standing.ts';
import { silentLog } from '../../src/system/log.ts';
import { importBuilt } from './built.ts';

const { createFrontDoor } =
  await importBuilt<typeof import('../../src/gateway/front_door.ts')>('gateway/front_door.js');
const { EgressGate } = await importBuilt<typeof import('../../src/second_factor/egress_gate.ts')>(
  'second_factor/egress_gate.js',
);

/** None of the answers here has a token in it, so that nothing else is asked. */
const nothing = new Proxy({}, { get: () => () => Promise.reject(new Error('nothing is asked here')) });
const gate = new EgressGate(nothing as Homeserver, nothing as Standings, silentLog);

const refuseAll = Object.fromEntries(
  ROUTES.map((row) => [row.id, () => Promise.reject(new Refusal('unrecognized'))]),
) as unknown as Handlers;

const { server } = createFrontDoor({
  upstream: new URL(process.argv[2] ?? ''),
  handlers: refuseAll,
  trustedProxies: () => [],
  log: silentLog,
  ...(process.argv[3] === 'gated' && { checkAnswer: (answer: PassedAnswer) => gate.check(answer) }),
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
