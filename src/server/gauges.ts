import type { Readiness } from '../discovery/readiness.ts';
import type { Storage } from '../storage/storage.ts';
import { countUnderWay } from '../storage/tables/counts.ts';
import { CHANNELS, countWaiting } from '../storage/tables/notices.ts';
import type { Clock } from '../system/clock.ts';
import { programVersion } from '../system/version.ts';
import type { KeyKeeper } from '../vault/key_keeper.ts';
import { activeKeyAt } from '../vault/key_ring.ts';
import { CountedUsers, type UserCounts } from './counted_users.ts';
import type { GaugeValue, LookUp } from './metrics.ts';

export interface GaugesDeps {
  readonly storage: Storage;
  readonly readiness: Readiness;
  readonly keys: KeyKeeper;
  readonly clock: Clock;
  /** Requests that are being passed on. */
  readonly passing: () => number;
  /** Recovery codes that wait to be hashed. */
  readonly hashQueue: () => number;
}

/** Looks up what the metrics say of this moment. What the store cannot say now is left out. */
export class Gauges {
  private readonly users: CountedUsers;

  constructor(private readonly deps: GaugesDeps) {
    this.users = new CountedUsers(deps);
  }

  readonly lookUp: LookUp = async () => {
    const { passing, hashQueue, keys, clock, readiness } = this.deps;
    const [parts, stored] = await Promise.all([readiness.parts(), this.stored()]);
    return {
      build_info: [{ labels: { version: programVersion(), node: process.versions.node }, value: 1 }],
      ready: [
        { labels: { part: 'store' }, value: Number(parts.store) },
        { labels: { part: 'homeserver' }, value: Number(parts.homeserver) },
      ],
      passing: single(passing()),
      pool_connections: this.pool(),
      hash_queue: single(hashQueue()),
      active_key_created_seconds: single(activeKeyAt(keys.ring, clock.now()).created / 1000),
      ...stored,
    };
  };

  /** None with SQLite. */
  private pool(): readonly GaugeValue[] {
    const states = Object.entries(this.deps.storage.pool?.() ?? {});
    return states.map(([state, value]) => ({ labels: { state }, value }));
  }

  private async stored(): Promise<Awaited<ReturnType<LookUp>>> {
    try {
      const [underWay] = await this.deps.storage.read(countUnderWay());
      const waiting = await this.deps.storage.read(countWaiting());
      const users = await this.users.current();
      return {
        holds: single(underWay?.holds ?? 0),
        logouts_waiting: single(underWay?.logoutsWaiting ?? 0),
        sessions: single(underWay?.sessions ?? 0),
        notices_waiting: CHANNELS.map((channel) => ({
          labels: { channel },
          value: waiting.find((each) => each.channel === channel)?.count ?? 0,
        })),
        users: users === undefined ? [] : valuesOf(users),
      };
    } catch {
      return {};
    }
  }
}

function valuesOf({ enrolled, noRecoveryCodes, locked }: UserCounts): readonly GaugeValue[] {
  return [
    { labels: { state: 'enrolled' }, value: enrolled },
    { labels: { state: 'no_recovery_codes' }, value: noRecoveryCodes },
    { labels: { state: 'locked' }, value: locked },
  ];
}

function single(value: number): readonly GaugeValue[] {
  return [{ labels: {}, value }];
}
