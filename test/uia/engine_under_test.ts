import type { SessionStore } from '../../src/storage/tables/session_store.ts';
import { systemRandom } from '../../src/system/random.ts';
import { UiaEngine } from '../../src/uia/engine.ts';
import type { SessionBinding } from '../../src/uia/session.ts';
import { ManualClock } from '../support/manual_clock.ts';
import { MemorySessionStore } from '../support/memory_session_store.ts';
import { testVault } from '../support/test_vault.ts';

export const LIFETIME_MS = 600_000;
export const FAILURE_LIMIT = 5;

/** An engine over `store`, and its clock, which is the store's too. */
export function engineOver(store: SessionStore, clock: ManualClock, maxSessions = 100) {
  const engine = new UiaEngine(
    { store, vault: testVault(), clock, random: systemRandom },
    { lifetimeMs: LIFETIME_MS, maxSessions, failureLimit: FAILURE_LIMIT },
  );
  return { engine, clock };
}

/** An engine over a store in memory, with both at hand. */
export function engineUnderTest(maxSessions?: number) {
  const clock = new ManualClock();
  const store = new MemorySessionStore(clock);
  return { store, ...engineOver(store, clock, maxSessions) };
}

export function bindingOf(changes: Partial<SessionBinding> = {}): SessionBinding {
  return { target: 'POST /delete_devices', userId: '@bob:hs', tokenHash: 'hash of a token', ...changes };
}
