import { createRequire } from 'node:module';
import type * as Undici from 'undici';

/**
 * The parts of undici that are used: its index loads three times as much (`fetch`, caches, mocks), at each start. Their paths
 * are undici's own affair, so package.json names its exact version; with another one the program does not start.
 */
const part = createRequire(import.meta.url);

export type { Dispatcher } from 'undici';
export type Pool = Undici.Pool;
export type Agent = Undici.Agent;
export type PoolOptions = Undici.Pool.Options;
export const Pool = part('undici/lib/dispatcher/pool.js') as typeof Undici.Pool;
export const Agent = part('undici/lib/dispatcher/agent.js') as typeof Undici.Agent;
export const errors = part('undici/lib/core/errors.js') as typeof Undici.errors;

type SentOptions = Pick<Undici.Dispatcher.RequestOptions, 'method' | 'headers' | 'body' | 'signal'>;

const requestOf = part('undici/lib/api/api-request.js') as (
  this: Undici.Dispatcher,
  options: SentOptions & { readonly origin: string; readonly path: string },
) => Promise<Undici.Dispatcher.ResponseData>;

/** Sends a request to a URL by these connections. */
export function request(
  connections: Undici.Dispatcher,
  url: string,
  options: SentOptions,
): Promise<Undici.Dispatcher.ResponseData> {
  const { origin, pathname, search } = new URL(url);
  return requestOf.call(connections, { ...options, origin, path: `${pathname}${search}` });
}
