import { dropSome } from '../dropping.ts';
import { ask, type Decision, decide, type Effect, effect, type Query } from '../statement.ts';

export const CHANNELS = ['mail', 'matrix', 'webhook', 'sms'] as const;

/** The ways on which notices go out. */
export type Channel = (typeof CHANNELS)[number];

/** So many wait at most; what happens while so many wait is told to no one. */
const MOST_WAITING = 100_000;
/** How many dead letters are kept: the newest. */
const DEAD_KEPT = 10_000;
/** A time further ahead than this was written while a clock was wrong, in ms. */
const FURTHEST_DUE = 7_200_000;

/** What is told: an entry of the audit. */
export interface ToldEvent {
  readonly event: string;
  readonly userId: string;
  readonly actor: string;
  readonly address: string | null;
  readonly deviceId: string | null;
  readonly detail: Readonly<Record<string, string | number | boolean>>;
  readonly happenedAt: number;
}

export interface NoticeRow extends Omit<ToldEvent, 'detail'> {
  /** The same at each attempt, so that a receiver can tell that it has it already. */
  readonly id: string;
  readonly channel: Channel;
  /** As JSON. */
  readonly detail: string;
  /** The id of a mail address, or what the event says; null for a mail while it is not known to which it goes. */
  readonly recipient: string | null;
  readonly madeAt: number;
  /**
   * How often it was begun to be sent, this time included: a process that has read another number has lost its lease.
   */
  readonly attempts: number;
  /** Why the last attempt failed. */
  readonly failure: string | null;
}

const WRITTEN = 'id, channel, event, user_id, actor, address, device_id, detail, happened_at';
const READ = `id, channel, event, user_id AS "userId", actor, address, device_id AS "deviceId", detail,
  happened_at AS "happenedAt", recipient, made_at AS "madeAt", attempts, failure`;
const WAITS = 'due_at IS NOT NULL';

/**
 * Puts a notice into the outbox, in the unit of what it tells of.
 *
 * @param recipient whom it goes to, where that is not the user of whom it tells
 */
export function addNotice(
  id: string,
  channel: Channel,
  { detail, ...told }: ToldEvent,
  recipient: string | null = null,
): Effect {
  return effect(
    `INSERT INTO notices (${WRITTEN}, made_at, due_at, recipient)
     SELECT :id, :channel, :event, :userId, :actor, CAST(:address AS TEXT), CAST(:deviceId AS TEXT), :detail,
       :happenedAt, :now, :now, CAST(:recipient AS TEXT)
     WHERE (SELECT count(*) FROM notices WHERE ${WAITS}) < :mostWaiting`,
    { id, channel, ...told, recipient, detail: JSON.stringify(detail), mostWaiting: MOST_WAITING },
  );
}

/**
 * Leases notices of a channel that are due, and counts the attempt. In PostgreSQL two processes at once take different
 * ones. After `leaseMs` they are due again, if the process has not said what became of them.
 */
export function leaseNotices(channel: Channel, leaseMs: number, limit: number): Query<NoticeRow> {
  const due = `SELECT id FROM notices WHERE channel = :channel AND ${WAITS}
    AND (due_at <= :now OR due_at > :now + ${FURTHEST_DUE}) ORDER BY due_at LIMIT :limit`;
  const leasing = (which: string) =>
    `UPDATE notices SET due_at = :now + :leaseMs, attempts = attempts + 1 WHERE id IN (${which}) RETURNING ${READ}`;
  return ask(
    { sqlite: leasing(due), postgres: leasing(`${due} FOR UPDATE SKIP LOCKED`) },
    { channel, leaseMs, limit },
  );
}

/** Whether something of a channel is due: a look that writes nothing. */
export function findDue(channel: Channel): Query<object> {
  return ask(
    `SELECT 1 AS found FROM notices WHERE channel = :channel AND ${WAITS}
       AND (due_at <= :now OR due_at > :now + ${FURTHEST_DUE}) LIMIT 1`,
    { channel },
  );
}

/** It was sent, or there is no one to send it to. Lost if the lease was. */
export function dropNotice({ id, attempts }: Pick<NoticeRow, 'id' | 'attempts'>): Decision<object> {
  return decide(`DELETE FROM notices WHERE id = :id AND attempts = :attempts AND ${WAITS}`, { id, attempts });
}

/** A mail for each address of its user, in place of the one that names none. */
export function addressNotice({ id, attempts }: Pick<NoticeRow, 'id' | 'attempts'>): Effect {
  return effect(
    `INSERT INTO notices (${WRITTEN}, made_at, due_at, recipient)
     SELECT notices.id || '.' || notice_addresses.id, channel, event, notices.user_id, actor, address, device_id,
       detail, happened_at, made_at, :now, notice_addresses.id
     FROM notices JOIN notice_addresses ON notice_addresses.user_id = notices.user_id
     WHERE notices.id = :id AND notices.attempts = :attempts AND notices.${WAITS}`,
    { id, attempts },
  );
}

/** An attempt that failed. */
export interface FailedAttempt {
  readonly failure: string;
  /** How long until the next one. */
  readonly waitMs: number;
}

/** The notice waits for its next attempt. Lost if the lease was. */
export function retryNotice(
  { id, attempts }: Pick<NoticeRow, 'id' | 'attempts'>,
  { failure, waitMs }: FailedAttempt,
): Decision<object> {
  return decide(
    `UPDATE notices SET failure = :failure, due_at = :now + :waitMs
     WHERE id = :id AND attempts = :attempts AND ${WAITS}`,
    { id, attempts, failure, waitMs },
  );
}

/** The notice becomes a dead letter, if its next attempt were too late. Lost if the lease was. */
export function giveUpNotice(
  { id, attempts }: Pick<NoticeRow, 'id' | 'attempts'>,
  { failure, waitMs }: FailedAttempt,
  giveUpAfterMs: number,
): Decision<object> {
  return decide(
    `UPDATE notices SET failure = :failure, due_at = NULL
     WHERE id = :id AND attempts = :attempts AND ${WAITS} AND :now + :waitMs > made_at + :giveUpAfterMs`,
    { id, attempts, failure, waitMs, giveUpAfterMs },
  );
}

/** So many become dead letters in one commit. */
export const BURIED_AT_ONCE = 500;

/**
 * What was due for longer than it is tried, for a channel that is off, becomes a dead letter: some of them, the longest
 * due first. Lost where there is none.
 */
export function buryNotices(channel: Channel, failure: string, giveUpAfterMs: number): Decision<object> {
  const some = `SELECT id FROM notices WHERE channel = :channel AND ${WAITS} AND due_at < :now - :giveUpAfterMs
    ORDER BY due_at LIMIT ${BURIED_AT_ONCE}`;
  const burying = (which: string) =>
    `UPDATE notices SET due_at = NULL, failure = :failure WHERE id IN (${which})`;
  return decide(
    { sqlite: burying(some), postgres: burying(`${some} FOR UPDATE SKIP LOCKED`) },
    { channel, failure, giveUpAfterMs },
  );
}

export function dropOldDeadLetters(): Effect {
  return dropSome(
    'notices',
    `due_at IS NULL AND made_at <= (
       SELECT made_at FROM notices WHERE due_at IS NULL ORDER BY made_at DESC LIMIT 1 OFFSET ${DEAD_KEPT})`,
  );
}

/** The newest first. */
export function listDeadLetters(): Query<NoticeRow> {
  return ask(`SELECT ${READ} FROM notices WHERE due_at IS NULL ORDER BY made_at DESC, id`);
}

const CHOSEN = 'due_at IS NULL AND (CAST(:id AS TEXT) IS NULL OR id = CAST(:id AS TEXT))';

/** How many dead letters there are; with an id, whether that one is there. */
export function countDeadLetters(id: string | null): Query<{ readonly count: number }> {
  return ask(`SELECT count(*) AS count FROM notices WHERE ${CHOSEN}`, { id });
}

/** Sends dead letters once more, with the whole time to be tried; all of them without an id. Lost if there is none. */
export function reviveDeadLetters(id: string | null): Decision<object> {
  return decide(`UPDATE notices SET due_at = :now, made_at = :now, attempts = 0 WHERE ${CHOSEN}`, { id });
}

export function dropDeadLetters(id: string | null): Decision<object> {
  return decide(`DELETE FROM notices WHERE ${CHOSEN}`, { id });
}

export function countWaiting(): Query<{ readonly channel: Channel; readonly count: number }> {
  return ask(`SELECT channel, count(*) AS count FROM notices WHERE ${WAITS} GROUP BY channel`);
}
