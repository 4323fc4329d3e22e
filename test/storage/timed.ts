import type { Storage } from '../../src/storage/stores.ts';
import type { ManualClock } from '../support/manual_clock.ts';

/** Which argument of a method says what time it is; the store has that from its clock. */
const TIME_OF: Readonly<Record<string, number>> = {
  'factors.removeAuthenticator': 2,
  'factors.removeAllFactors': 1,
  'factors.endProofs': 1,
  'factors.dropExpiredSetups': 0,
  'factors.findSetup': 1,
  'factors.takeSetup': 1,
  'factors.deleteRecoverySet': 1,
  'sessions.find': 1,
  'sessions.findBound': 3,
  'sessions.findOfHold': 2,
  'sessions.dropExpired': 0,
  'sessionTurns.take': 1,
  'holds.find': 1,
  'holds.end': 2,
  'holds.countForUser': 1,
  'holds.leaseEnded': 0,
  'loginTokens.redeem': 2,
  'loginTokens.isEnded': 1,
  'loginTokens.dropExpired': 0,
  'signInTokens.find': 1,
  'signInTokens.dropExpired': 0,
  'freshLogins.find': 1,
  'freshLogins.dropExpired': 0,
};

/** A storage whose clock stands at the time that each call names. */
export function timed(storage: Storage, clock: ManualClock): Storage {
  const names = Object.keys(storage) as (keyof Storage)[];
  const stores = names.map((name) => {
    const store = storage[name];
    return [name, typeof store === 'object' ? timedStore(name, store, clock) : store];
  });
  return Object.fromEntries(stores) as Storage;
}

function timedStore(name: string, store: object, clock: ManualClock): object {
  return new Proxy(store, {
    get: (target, method) => {
      const call: unknown = Reflect.get(target, method);
      if (typeof call !== 'function') return call;
      return (...args: unknown[]) => {
        const time = timeOf(`${name}.${String(method)}`, args);
        if (time !== undefined) clock.set(time);
        return call.apply(target, args);
      };
    },
  });
}

function timeOf(method: string, args: readonly unknown[]): number | undefined {
  const place = TIME_OF[method];
  const time = place === undefined ? nowOf(args[0]) : args[place];
  return typeof time === 'number' ? time : undefined;
}

function nowOf(argument: unknown): unknown {
  return typeof argument === 'object' && argument !== null && 'now' in argument ? argument.now : undefined;
}
