/** The front door alone, as a process that can be pinned to a core: `node bench_proxy.ts UPSTREAM`. Prints its port. */
import type { AddressInfo } from 'node:net';
import type { Handlers } from '../../src/gateway/app.ts';
import { ROUTES } from '../../src/gateway/route_table.ts';
import { Refusal } from '../../src/matrix/refusals.ts';
import { silentLog } from '../../src/system/log.ts';
import { importBuilt } from './built.ts';

const { createFrontDoor } =
  await importBuilt<typeof import('../../src/gateway/front_door.ts')>('gateway/front_door.js');

const refuseAll = Object.fromEntries(
  ROUTES.map((row) => [row.id, () => Promise.reject(new Refusal('unrecognized'))]),
) as unknown as Handlers;

const { server } = createFrontDoor({
  upstream: new URL(process.argv[2] ?? ''),
  handlers: refuseAll,
  trustedProxies: [],
  log: silentLog,
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
