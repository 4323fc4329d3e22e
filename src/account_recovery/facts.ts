import type { RecoveryFacts } from '../notify/recovery_message.ts';
import type { Storage } from '../storage/storage.ts';
import { findRecovery } from '../storage/tables/recovery_requests.ts';
import type { CalendarOf } from './frozen_calendar.ts';
import { standingOf } from './standing.ts';

/**
 * What notices say of a request, as it stands when they are sent: a notice that waited long does not tell outdated
 * times.
 */
export function recoveryFacts(storage: Pick<Storage, 'read'>, calendarOf: CalendarOf) {
  return async (requestId: string): Promise<RecoveryFacts | undefined> => {
    const [request] = await storage.read(findRecovery(requestId));
    if (request === undefined) return undefined;
    const { state, begunTs, opensTs } = standingOf(request, calendarOf);
    const end = state === 'waiting' || state === 'open' ? undefined : state;
    return { begunTs, opensTs, end, from: request.begunFrom ?? undefined };
  };
}
