import type { Readiness } from '../discovery/readiness.ts';
import { LANE_RULES } from '../limits/throttle.ts';
import type { Storage } from '../storage/storage.ts';
import { countUnderWay, countUsers, type UserCounts } from '../storage/tables/counts.ts';
import { CHANNELS, countWaiting } from '../storage/tables/notices.ts';
import { type Clock, MINUTE } from '../system/clock.ts';
import { programVersion } from '../system/version.ts';
import type { KeyKeeper } from '../vault/key_keeper.ts';
import { activeKeyAt } from '../vault/key_ring.ts';
import type { GaugeValue, LookUp } from './metrics.ts';

/** Counting users reads whole tables: the numbers of a moment ago will do. */
const USERS_KEPT_MS = MINUTE;

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
  private users: { readonly at: number; readonly counts: UserCounts } | undefined;

  constructor(private readonly deps: GaugesDeps) {}

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
      const users = await this.countedUsers();
      return {
        holds: single(underWay?.holds ?? 0),
        logouts_waiting: single(underWay?.logoutsWaiting ?? 0),
        sessions: single(underWay?.sessions ?? 0),
        notices_waiting: CHANNELS.map((channel) => ({
          labels: { channel },
          value: waiting.find((each) => each.channel === channel)?.count ?? 0,
        })),
        users: [
          { labels: { state: 'enrolled' }, value: users.enrolled },
          { labels: { state: 'no_recovery_codes' }, value: users.noRecoveryCodes },
          { labels: { state: 'locked' }, value: users.locked },
        ],
      };
    } catch {
      return {};
    }
  }

  private async countedUsers(): Promise<UserCounts> {
    const at = this.deps.clock.now();
    const { users } = this;
    if (users !== undefined && at >= users.at && at - users.at < USERS_KEPT_MS) return users.counts;
    const [counts = { enrolled: 0, noRecoveryCodes: 0, locked: 0 }] = await this.deps.storage.read(
      countUsers(LANE_RULES.shutAt),
    );
    this.users = { at, counts };
    return counts;
  }
}

function single(value: number): readonly GaugeValue[] {
  return [{ labels: {}, value }];
}
