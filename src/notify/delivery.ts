import type { Audit } from '../audit/audit.ts';
import type { NotifyConfig } from '../config/config.ts';
import { dropInParts } from '../storage/dropping.ts';
import { when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { findNoticeAddresses } from '../storage/tables/notice_owners.ts';
import {
  addressNotice,
  buryNotices,
  CHANNELS,
  type Channel,
  dropNotice,
  dropOldDeadLetters,
  type FailedAttempt,
  findDue,
  giveUpNotice,
  leaseNotices,
  type NoticeRow,
  retryNotice,
} from '../storage/tables/notices.ts';
import { HOUR, SECOND } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { allDone } from '../system/under_way.ts';
import {
  type ChannelSender,
  type Delivered,
  failureOf,
  inTime,
  type NotDelivered,
  type NoticeResult,
} from './channel.ts';
import { foreign } from './message.ts';

const LEASE_MS = 30 * SECOND;
const TRY_MS = 10 * SECOND;
const LONGEST_WAIT_MS = HOUR;
const SENT_AT_ONCE = 10;
/** What waits for a channel that is off is looked at once in so many rounds: an idle second costs nothing. */
const ROUNDS_OFF = 600;
/** Doubling further goes past the longest wait, whatever the first one. */
const MOST_DOUBLINGS = 20;

export interface DeliveryDeps {
  readonly storage: Pick<Storage, 'commit' | 'read'>;
  /** As it is now: it may be read again while `serve` runs. */
  readonly notify: () => NotifyConfig;
  readonly audit: Pick<Audit, 'recorded'>;
  readonly senders: Readonly<Record<Channel, ChannelSender>>;
  readonly log: Log;
  /** Hears what became of each attempt. */
  readonly onResult: (channel: Channel, result: NoticeResult) => void;
  /** How long one attempt may take; 10 s where it is left out. */
  readonly tryMs?: number;
}

/**
 * Sends what waits in the outbox, at least once: several processes may do so at a time, each with leases of its own, and
 * what a process was sending when it was killed is sent again by another one, under the same id. No channel waits for
 * another one.
 */
export class Delivery {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private rounds = 0;
  private readonly underWay = new Map<Channel, Promise<void>>();
  /** What was sent while the store could not be told so: it is told first, so that none of it goes out once more. */
  private readonly unmarked = new Map<NoticeRow, Delivered>();

  constructor(private readonly deps: DeliveryDeps) {}

  start(everyMs: number): void {
    this.timer = setInterval(() => void this.round(), everyMs);
    this.timer.unref();
  }

  /** Begins nothing further, and waits for what is being sent: each attempt ends in its time. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await Promise.all(this.underWay.values());
  }

  /** Sends what is due now, each channel by itself. */
  async round(): Promise<void> {
    const { notify } = this.deps;
    const looksAtAll = this.rounds % ROUNDS_OFF === 0;
    this.rounds += 1;
    const channels = CHANNELS.filter((channel) => looksAtAll || notify()[channel] !== undefined);
    await Promise.all(channels.map((channel) => this.channelRound(channel)));
  }

  private channelRound(channel: Channel): Promise<void> {
    const begun =
      this.underWay.get(channel) ?? this.sendDue(channel).finally(() => this.underWay.delete(channel));
    this.underWay.set(channel, begun);
    return begun;
  }

  private async sendDue(channel: Channel): Promise<void> {
    const { storage, notify, log } = this.deps;
    try {
      await this.markSent(channel);
      while (await this.isDue(channel)) {
        if (notify()[channel] === undefined) return await this.bury(channel);
        const batch = await storage.commit([], leaseNotices(channel, LEASE_MS, SENT_AT_ONCE));
        await allDone(batch.map((notice) => this.send(notice)));
      }
    } catch (error) {
      log.warn({ err: error }, 'notices could not be sent; trying again');
    }
  }

  /** A look first: a write of its own each second would cost the store more. */
  private async isDue(channel: Channel): Promise<boolean> {
    if (this.stopped) return false;
    const due = await this.deps.storage.read(findDue(channel));
    return !this.stopped && due.length > 0;
  }

  private async bury(channel: Channel): Promise<void> {
    const { storage, audit, notify } = this.deps;
    const reason = 'the channel is off';
    const buried = buryNotices(channel, reason, notify().giveUpAfterMs);
    const recorded = audit.recorded({ event: 'notice.dead', detail: { channel, reason } });
    let isBuried = (await storage.commit([], when(buried, { won: recorded, lost: [] }))).won;
    while (isBuried && !this.stopped) isBuried = (await storage.commit([], buried)) !== undefined;
  }

  private async send(notice: NoticeRow): Promise<void> {
    const { senders, tryMs = TRY_MS } = this.deps;
    let delivered: Delivered;
    try {
      if (notice.channel === 'mail' && notice.recipient === null) return await this.address(notice);
      delivered = await inTime(tryMs, (signal) => senders[notice.channel].send(notice, signal));
    } catch (error) {
      return this.failed(notice, failureOf(error));
    }
    await this.mark(notice, delivered);
  }

  private async markSent(channel: Channel): Promise<void> {
    for (const [notice, delivered] of this.unmarked) {
      if (notice.channel === channel) await this.mark(notice, delivered);
    }
  }

  /** A store that fails here does not make a failed attempt of it, which would be followed by another one. */
  private async mark(notice: NoticeRow, delivered: Delivered): Promise<void> {
    this.unmarked.set(notice, delivered);
    await this.deps.storage.commit([], dropNotice(notice));
    this.unmarked.delete(notice);
    this.deps.onResult(notice.channel, delivered);
  }

  /** One for each address of the owner, each with an outcome of its own. */
  private async address(notice: NoticeRow): Promise<void> {
    const { storage, notify } = this.deps;
    const known = await storage.read(findNoticeAddresses(notice.userId));
    // They may be asked for just now, by the request that the notice is of.
    if (known.length === 0 && notice.attempts === 1) {
      const attempt = { failure: 'no address is known', waitMs: notify().retryFirstMs };
      await storage.commit([], retryNotice(notice, attempt));
      return;
    }
    const [made, dropped] = await storage.commit([], [addressNotice(notice), dropNotice(notice)]);
    if (made === 0 && dropped !== undefined) this.deps.onResult(notice.channel, 'no_recipient');
  }

  private async failed(notice: NoticeRow, { reason, isFinal }: NotDelivered): Promise<void> {
    const { storage, audit, notify, log, onResult } = this.deps;
    const { retryFirstMs, giveUpAfterMs } = notify();
    const doublings = Math.min(notice.attempts - 1, MOST_DOUBLINGS);
    const attempt = {
      failure: foreign(reason),
      waitMs: Math.min(LONGEST_WAIT_MS, retryFirstMs * 2 ** doublings),
    };
    const { won: isDead } = await storage.commit(
      [],
      when(giveUpNotice(notice, attempt, isFinal ? -1 : giveUpAfterMs), {
        won: audit.recorded({ event: 'notice.dead', detail: deathOf(notice, attempt) }),
        lost: retryNotice(notice, attempt),
      }),
    );
    onResult(notice.channel, 'failed');
    if (!isDead) return;
    onResult(notice.channel, 'dead');
    log.warn(
      {
        event: 'notice_dead',
        channel: notice.channel,
        id: notice.id,
        what: notice.event,
        reason: foreign(reason),
      },
      'A notice was given up',
    );
    await dropInParts(storage, [dropOldDeadLetters()]);
  }
}

/** What the audit says of a dead letter. It is about no account: the owner's history has what the notice told of. */
function deathOf({ id, channel, event, userId }: NoticeRow, { failure }: FailedAttempt) {
  return { channel, notice: id, what: event, user: userId, reason: failure };
}
