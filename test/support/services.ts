import type { Services } from '../../src/server/compose.ts';
import type { MatrixProxy } from '../../src/server/proxy.ts';
import type { TestApp } from './app.ts';

/** What answers requests in an application; by brackets, for the compiler to know when it has another name. */
export function servicesOf({ proxy }: TestApp): Services {
  // biome-ignore lint/complexity/useLiteralKeys: only brackets reach a private member.
  return proxy['deps'].services;
}

/** So long the homeserver may take from now on for what may make a login; for all else it has its usual time. */
export function giveLoginsTime({ proxy }: TestApp, timeMs: number): void {
  // biome-ignore lint/complexity/useLiteralKeys: only brackets reach private members.
  Object.assign(proxy['deps'].homeserver['lateAnswers'], { timeMs });
}

/** Resolves once nothing goes on for any request, also for those whose clients have hung up. */
export function requestsOver({ proxy }: TestApp): Promise<unknown> {
  // biome-ignore lint/complexity/useLiteralKeys: only brackets reach a private member.
  return proxy['deps'].requests.settled();
}

/**
 * Housekeeping, and the sending of notices, come when a test asks for them (`keepHouse`, `sendNotices`), and at no other
 * time. The test moves a clock of its own: a round of the machine's clock, between that and what the test looks at, would
 * have ended it already. Notices go out once the addresses are known that requests have asked for in the background: until
 * then they would be put off. Called before `listen`.
 */
export function withRoundsOnRequest(proxy: MatrixProxy): MatrixProxy {
  // biome-ignore lint/complexity/useLiteralKeys: only brackets reach a private member.
  const { housekeeping, delivery, notices } = proxy['deps'];
  housekeeping.start = () => undefined;
  delivery.start = () => undefined;
  const send = proxy.sendNotices.bind(proxy);
  proxy.sendNotices = async () => {
    await notices.addresses.settled();
    await send();
  };
  return proxy;
}
