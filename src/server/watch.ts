import { STATUS_CODES } from 'node:http';
import type { FinishedRequest } from '../gateway/request_log.ts';
import type { HomeserverWatch } from '../homeserver/homeserver_watch.ts';
import type { NoticeResult } from '../notify/channel.ts';
import type { EndedHold } from '../storage/tables/holds.ts';
import type { Channel } from '../storage/tables/notices.ts';
import type { StoreWatch } from '../storage/watched_driver.ts';
import type { Ticks } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { programVersion } from '../system/version.ts';
import type { Metrics } from './metrics.ts';

/** What this process sees of itself: the events of its log, and what is counted of them (docs/watch.md). */
export class Watch {
  private readonly isUp = { store: true, homeserver: true };

  constructor(
    private readonly deps: {
      readonly log: Log;
      readonly ticks: Ticks;
      /** Undefined where no one asks for them. */
      readonly metrics: Metrics | undefined;
    },
  ) {}

  /** @param beside the other listeners; undefined where there is none */
  listening(url: string, beside: Readonly<Record<'metrics' | 'admin', string | undefined>>): void {
    const fields = { event: 'listening', at: url, ...beside, version: programVersion() };
    this.deps.log.info(fields, 'It listens');
  }

  stopping(): void {
    this.deps.log.info({ event: 'stopping' }, 'It takes no further requests');
  }

  /** Hears of requests on gated and own routes. */
  finished(request: FinishedRequest): void {
    const { metrics } = this.deps;
    metrics?.finished(request);
    if (request.record.hasTakenHold) metrics?.count('holds_ended_total', { how: 'released' });
  }

  /** Hears of held logins that no one gets. One that ended before its time was ended. */
  holdEnded({ createdAt, expiresAt }: EndedHold, ttlMs: number): void {
    const how = expiresAt - createdAt < ttlMs ? 'ended' : 'expired';
    this.deps.metrics?.count('holds_ended_total', { how });
  }

  /** Hears of requests that were passed on. */
  passed(status: number): void {
    // Only statuses that have a name: a homeserver could make up any.
    const isKnown = STATUS_CODES[status] !== undefined;
    const label = isKnown ? String(status) : `${Math.floor(status / 100)}xx`;
    this.deps.metrics?.count('passed_total', { status: label });
  }

  /** Hears what becomes of notices. */
  noticed(channel: Channel, result: NoticeResult): void {
    this.deps.metrics?.count('notices_total', { channel, result });
  }

  /** A unit of work is run again. */
  retried(cause: string): void {
    this.deps.metrics?.count('store_retries_total', { cause });
  }

  get store(): StoreWatch {
    const { metrics, ticks, log } = this.deps;
    return {
      ticks,
      answered: (operation, ms) => {
        metrics?.took('store_seconds', operation, ms);
        this.is('store', true, undefined);
      },
      failed: (error) => {
        metrics?.count('store_failures_total', {});
        this.is('store', false, error.cause);
      },
      recorded: ({ event, userId, actor, address, deviceId, requestId, detail }) => {
        metrics?.count('audit_entries_total', { event });
        log.info(
          {
            event: 'audit',
            what: event,
            actor,
            address,
            user_id: userId === '' ? null : userId,
            device_id: deviceId,
            request_id: requestId,
            detail,
          },
          'On record',
        );
      },
    };
  }

  get homeserver(): HomeserverWatch {
    const { metrics } = this.deps;
    return {
      answered: (call, ms) => {
        metrics?.took('homeserver_seconds', call, ms);
        this.is('homeserver', true, undefined);
      },
      failed: (call, reason, cause) => {
        metrics?.count('homeserver_failures_total', { call, reason });
        if (reason === 'down') this.is('homeserver', false, cause);
      },
    };
  }

  /** One line when it goes, one when it is back. */
  private is(part: 'store' | 'homeserver', up: boolean, cause: unknown): void {
    if (this.isUp[part] === up) return;
    this.isUp[part] = up;
    if (up) this.deps.log.info({ event: `${part}_up` }, `The ${part} answers again`);
    else this.deps.log.error({ event: `${part}_down`, err: cause }, `The ${part} does not answer`);
  }
}
