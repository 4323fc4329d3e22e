import type { RecoveryRequest, SeenRecovery } from '../storage/tables/recovery_requests.ts';
import type { CalendarOf } from './frozen_calendar.ts';
import { opensAt } from './status.ts';

/** Where a request stands, for those who may see it. Times are ms since the epoch. */
export interface RecoveryStanding extends Pick<RecoveryRequest, 'id' | 'userId' | 'state'> {
  readonly begunTs: number;
  readonly opensTs: number;
  /** Until when it can be finished, once it is open. */
  readonly closesTs: number | undefined;
  readonly endedTs: number | undefined;
}

export function standingOf(request: SeenRecovery, calendarOf: CalendarOf): RecoveryStanding {
  const { id, userId, state, begunAt, closesAt, endedAt } = request;
  return {
    ...{ id, userId, state },
    begunTs: begunAt,
    opensTs: opensAt(request, calendarOf),
    closesTs: closesAt ?? undefined,
    endedTs: endedAt ?? undefined,
  };
}
