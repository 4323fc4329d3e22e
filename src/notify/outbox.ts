import type { NotifyConfig } from '../config/config.ts';
import type { AuditRecord } from '../storage/chain.ts';
import { type Effect, type Write, when } from '../storage/statement.ts';
import { takeFailuresTold } from '../storage/tables/notice_owners.ts';
import { addNotice, type Channel, type ToldEvent } from '../storage/tables/notices.ts';
import { HOUR } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { FAILURES, meansFailures, toldText } from './owner_events.ts';

/** Owners are told of wrong codes with the first wait, then no more often than this. */
const FAILURES_EVERY_MS = HOUR;

export interface OutboxDeps {
  /** As it is now: it may be read again while `serve` runs. */
  readonly notify: () => NotifyConfig;
  readonly random: RandomSource;
}

/**
 * Writes notices, in the commit of the entry of the audit that they tell of: what is on record is told, and nothing
 * else. They are sent later (`delivery.ts`), so that no request waits for a channel.
 */
export class Outbox {
  constructor(private readonly deps: OutboxDeps) {}

  /** What is written with an entry of the audit. */
  consequencesOf({ at, ...entry }: AuditRecord): readonly Write[] {
    const told = { ...entry, happenedAt: at, actor: entry.actor ?? 'user' };
    const { mail, matrix, webhook } = this.deps.notify();
    // The webhook is not told that a notice to it was given up: that notice would fail as well, and so on without an
    // end.
    const isItsOwn = told.event === 'notice.dead' && told.detail.channel === 'webhook';
    const toOperators = webhook !== undefined && !isItsOwn && matches(webhook.events, told.event);
    const owners: Channel[] = [
      ...(mail ? (['mail'] as const) : []),
      ...(matrix ? (['matrix'] as const) : []),
    ];
    return [...(toOperators ? [this.added('webhook', told)] : []), ...this.toOwner(told, owners)];
  }

  private toOwner(told: ToldEvent, channels: readonly Channel[]): readonly Write[] {
    // Users who cannot set up a second factor are not asked to.
    if (channels.length === 0 || told.detail.exempt !== undefined) return [];
    const each = (event: ToldEvent) => channels.map((channel) => this.added(channel, event));
    if (toldText(told.event) !== undefined) return each(told);
    if (!meansFailures(told.event)) return [];
    const failures = { ...told, event: FAILURES };
    return [when(takeFailuresTold(told.userId, FAILURES_EVERY_MS), { won: each(failures), lost: [] })];
  }

  private added(channel: Channel, told: ToldEvent): Effect {
    return addNotice(randomId(this.deps.random), channel, told);
  }
}

/** Names of events, `totp.*` and the like, or `*` for all. */
function matches(patterns: readonly string[], event: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? event.startsWith(pattern.slice(0, -1)) : pattern === event,
  );
}
