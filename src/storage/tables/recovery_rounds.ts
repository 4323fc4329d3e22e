import { type Decision, decide, type Effect, effect, type Query } from '../statement.ts';
import { findRecoveries, type RecoveryRequest, RUNS, type SeenRecovery } from './recovery_requests.ts';

/* What the clock of requests reads and writes. */

type Seen = Pick<RecoveryRequest, 'id' | 'countedMs' | 'countedAt' | 'toldAt'>;

/** Those that run though their users have no second factor any more. */
export function listPointless(): Query<SeenRecovery> {
  return findRecoveries(
    `${RUNS} AND NOT EXISTS (SELECT 1 FROM authenticators WHERE authenticators.user_id = recovery_requests.user_id)`,
    {},
  );
}

/** Those that ended within so long, the newest end last. */
export function listEndedSince(sinceMs: number): Query<SeenRecovery> {
  return findRecoveries('ended_at > :now - :sinceMs ORDER BY ended_at', { sinceMs });
}

/** The next of those that run, by id. */
export function nextRunning(afterId: string, limit: number): Query<SeenRecovery> {
  return findRecoveries(`id > :afterId AND ${RUNS} ORDER BY id LIMIT :limit`, { afterId, limit });
}

/**
 * Counts so much time. Lost if another process has counted since it was read, or it does not wait any more: what two
 * processes see of the same time is counted once.
 */
export function countTime({ id, countedMs, countedAt }: Seen, stepMs: number): Decision<object> {
  return decide(
    `UPDATE recovery_requests SET counted_ms = counted_ms + :stepMs, counted_at = :now
     WHERE id = :id AND state = 'waiting' AND counted_ms = :countedMs AND counted_at = :countedAt`,
    { id, countedMs, countedAt, stepMs },
  );
}

/** It can be finished from now on, for so long. Lost unless its time is counted. */
export function openRecovery(id: string, windowMs: number): Decision<object> {
  return decide(
    `UPDATE recovery_requests SET state = 'open', opened_at = :now, closes_at = :now + :windowMs
     WHERE id = :id AND state = 'waiting' AND counted_ms >= wait_ms`,
    { id, windowMs },
  );
}

/** It was not finished in time. */
export function expireRecovery(id: string): Decision<object> {
  return decide(
    "UPDATE recovery_requests SET state = 'expired', ended_at = :now WHERE id = :id AND state = 'open' AND closes_at <= :now",
    { id },
  );
}

/** All are told again that it runs: won once each time. */
export function takeRepeated({ id, toldAt }: Seen): Decision<object> {
  return decide(
    "UPDATE recovery_requests SET told_at = :now WHERE id = :id AND state = 'waiting' AND told_at = :toldAt",
    { id, toldAt },
  );
}

/** All are told that it opens soon: won once. */
export function takeToldSoon(id: string): Decision<object> {
  return decide(
    "UPDATE recovery_requests SET told_soon_at = :now, told_at = :now WHERE id = :id AND state = 'waiting' AND told_soon_at IS NULL",
    { id },
  );
}

/** The operators are told that a device is used: won once. */
export function takeUseTold(id: string): Decision<object> {
  return decide(
    "UPDATE recovery_requests SET use_told_at = :now WHERE id = :id AND state = 'waiting' AND use_told_at IS NULL",
    { id },
  );
}

/** Addresses are kept no longer than messages could still tell of them. */
export function dropAddressesOfEnded(keptMs: number): Effect {
  return effect(
    'UPDATE recovery_requests SET begun_from = NULL WHERE ended_at <= :now - :keptMs AND begun_from IS NOT NULL',
    { keptMs },
  );
}

/** Requests that ended so long ago count for nothing any more. */
export function dropOldRecoveries(keptMs: number): readonly Effect[] {
  const old = 'SELECT id FROM recovery_requests WHERE ended_at <= :now - :keptMs';
  return [
    effect(`DELETE FROM recovery_votes WHERE request_id IN (${old})`, { keptMs }),
    effect(`DELETE FROM recovery_notices WHERE request_id IN (${old})`, { keptMs }),
    effect('DELETE FROM recovery_requests WHERE ended_at <= :now - :keptMs', { keptMs }),
  ];
}
