import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { isLoopback } from '../config/values.ts';
import { type InsideCheck, ok, skipped, warn } from './check.ts';

/** Ranges of addresses that clients on the internet cannot reach. */
const INNER_RANGES: readonly string[] = ['loopback', 'private', 'uniqueLocal', 'linkLocal'];

/** Whether a listener on `host` is for inner networks alone; a name may mean any address. */
export function isInnerAddress(host: string): boolean {
  if (isLoopback(host)) return true;
  return isIP(host) !== 0 && INNER_RANGES.includes(ipaddr.process(host).range());
}

export const listenersCheck: InsideCheck = {
  id: 'listeners',
  about: 'metrics and administration are not on a public address',
  outside: false,
  run: async ({ config: { metrics, admin } }) => {
    const listeners = [
      { name: 'metrics', listens: 'metrics listen', why: 'they ask for no password', at: metrics.listen },
      { name: 'admin', listens: 'the admin API listens', why: 'a stolen token is enough', at: admin.listen },
    ].flatMap(({ at, ...each }) => (at === undefined ? [] : [{ ...each, ...at }]));
    if (listeners.length === 0)
      return skipped('metrics are off: nothing tells a monitoring of waits and failures');
    const tried = listeners.map(({ name }) => `read ${name}.listen`);
    const open = listeners.find(({ host }) => !isInnerAddress(host));
    if (open === undefined)
      return ok(
        tried,
        listeners.map(({ listens, host, port }) => `${listens} on ${host}, port ${port}`).join('; '),
      );
    return warn(
      tried,
      `${open.listens} on ${open.host}, port ${open.port}, which may be public: ${open.why}`,
      `set ${open.name}.listen to loopback or an inner address`,
    );
  },
};
