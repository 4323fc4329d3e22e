import type { JsonObject } from '../matrix/wire.ts';
import type { SeenRecovery } from '../storage/tables/recovery_requests.ts';
import type { CalendarOf } from './frozen_calendar.ts';

/** When a request opens, as far as it can be said now; or when it did. */
export function opensAt(request: SeenRecovery, calendarOf: CalendarOf): number {
  if (request.openedAt !== null) return request.openedAt;
  return calendarOf(request).opensTs(request.now, request.waitMs - request.countedMs);
}

/** What the person with the right password is told of a request (spec/account_recovery.md). */
export function shownRecovery(request: SeenRecovery, calendarOf: CalendarOf): JsonObject {
  return {
    request_id: request.id,
    state: request.state,
    begun_ts: request.begunAt,
    opens_ts: opensAt(request, calendarOf),
    counted_ms: request.countedMs,
    wait_ms: request.waitMs,
  };
}

/** What operators see of a request, by command and over the admin API. Times are ms since the epoch; null: not yet. */
export interface ListedRecovery {
  readonly id: string;
  readonly user_id: string;
  readonly state: string;
  readonly begun_at: number;
  readonly wait_ms: number;
  readonly counted_ms: number;
  readonly vouched: boolean;
  readonly opened_at: number | null;
  readonly closes_at: number | null;
  readonly ended_at: number | null;
  readonly ended_by: string | null;
  readonly ended_who: string | null;
  readonly reason: string | null;
}

export function listedRecovery(request: SeenRecovery): ListedRecovery {
  return {
    id: request.id,
    user_id: request.userId,
    state: request.state,
    begun_at: request.begunAt,
    wait_ms: request.waitMs,
    counted_ms: request.countedMs,
    vouched: request.vouched === 1,
    opened_at: request.openedAt,
    closes_at: request.closesAt,
    ended_at: request.endedAt,
    ended_by: request.endedBy,
    ended_who: request.endedWho,
    reason: request.reason,
  };
}
