import type { NoticeRow } from '../storage/tables/notices.ts';

/** A notice that was given up, as operators are shown it. */
export function shownDeadLetter({ id, channel, event, userId, happenedAt, attempts, failure }: NoticeRow) {
  return { id, channel, event, user_id: userId, at: happenedAt, attempts, failure };
}
