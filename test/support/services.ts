import type { Services } from '../../src/server/compose.ts';
import type { TestApp } from './app.ts';

/** What answers requests in an application; by brackets, for the compiler to know when it has another name. */
export function servicesOf({ proxy }: TestApp): Services {
  // biome-ignore lint/complexity/useLiteralKeys: only brackets reach a private member.
  return proxy['deps'].services;
}
