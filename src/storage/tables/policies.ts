import {
  ask,
  type Decision,
  decide,
  type Effect,
  effect,
  listOf,
  madeOnce,
  type Query,
} from '../statement.ts';
import { currentVersion, nameAccount } from './accounts.ts';

/** What is known of a user for the operator's policy. Times are ms since the epoch. */
export interface PolicyRow {
  /** Set by command; null: what the configuration says. */
  readonly mode: 'optional' | 'required' | 'forbidden' | null;
  /** Set by command: so long, or until then. */
  readonly graceMs: number | null;
  readonly graceUntil: number | null;
  /** The homeserver's last word: 1 or 0; null if there was none. */
  readonly isAdministrator: number | null;
  /** Why they cannot set up a second factor, as far as was seen last. */
  readonly exempt: 'guest' | 'no_password' | null;
  /** When they registered through us. */
  readonly registeredAt: number | null;
  /** When they were first seen under the requirement. */
  readonly requiredSince: number | null;
  /** Since when they have no grace any more: they turned 2FA off, or it was reset. */
  readonly graceEndedAt: number | null;
}

/** The same with the account as it is now. */
export interface FoundPolicy extends PolicyRow {
  readonly version: number;
  readonly now: number;
}

const COLUMNS = `mode, grace_ms AS "graceMs", grace_until AS "graceUntil", is_administrator AS "isAdministrator", exempt,
       registered_at AS "registeredAt", required_since AS "requiredSince", grace_ended_at AS "graceEndedAt"`;

/** Always one row, also for users of whom nothing is known. */
export function findPolicy(userId: string): Query<FoundPolicy> {
  return ask(FIND, { userId });
}

const FIND = `SELECT ${currentVersion(':userId')} AS version, CAST(:now AS BIGINT) AS now, ${COLUMNS}
  FROM (SELECT 1 AS one) AS always LEFT JOIN policies ON policies.user_id = :userId`;

/** The users of whom something is known, from one id to another, both included. */
export function listPolicies(from: string, to: string): Query<PolicyRow & { readonly userId: string }> {
  return ask(
    `SELECT user_id AS "userId", ${COLUMNS} FROM policies WHERE user_id >= :from AND user_id <= :to ORDER BY user_id`,
    { from, to },
  );
}

/** One row if a second factor is asked of anyone by command. */
export function findAnyRequired(): Query<object> {
  return ask(`SELECT 1 AS found FROM policies WHERE mode = 'required' LIMIT 1`);
}

/**
 * The users with one of these names who have a second factor, or of whom one is asked by command. One statement, so that
 * the time of a refused login does not tell them apart (attack 147), which looks at no one of another name.
 */
export function listMayOwe(foldedNames: readonly string[]): Query<{ readonly userId: string }> {
  const { names, values } = listOf('name', foldedNames);
  return ask(mayOweText(names), values);
}

const mayOweText = madeOnce((names: string) => {
  const named = `SELECT user_id AS "userId" FROM accounts WHERE folded_localpart IN (${names})`;
  return `${named} AND EXISTS (SELECT 1 FROM authenticators WHERE authenticators.user_id = accounts.user_id)
     UNION ALL ${named} AND EXISTS
       (SELECT 1 FROM policies WHERE policies.user_id = accounts.user_id AND mode = 'required')`;
});

/** What an operator sets for a user, and the name under which a sign-in may mean them: `listMayOwe` finds them by it. */
interface PolicyToSet extends Pick<PolicyRow, 'mode' | 'graceMs' | 'graceUntil'> {
  readonly foldedLocalpart: string;
}

/** Sets what the operator says of a user by command; a grace begins at the next sight of them then. */
export function setPolicy(
  userId: string,
  { mode, graceMs, graceUntil, foldedLocalpart }: PolicyToSet,
  restartGrace: boolean,
): readonly Effect[] {
  const name = nameAccount(userId, foldedLocalpart);
  const set = effect(
    `INSERT INTO policies (user_id, mode, grace_ms, grace_until) VALUES (:userId, :mode, :graceMs, :graceUntil)
     ON CONFLICT (user_id) DO UPDATE SET
       mode = excluded.mode, grace_ms = excluded.grace_ms, grace_until = excluded.grace_until`,
    { userId, mode, graceMs, graceUntil },
  );
  const restart = effect(
    'UPDATE policies SET required_since = NULL, grace_ended_at = NULL WHERE user_id = :userId',
    { userId },
  );
  return restartGrace ? [name, set, restart] : [name, set];
}

/** Which reminder a user was told last, and of which deadline: of another one they are told again. */
export interface ToldPolicy {
  readonly stage: number;
  readonly deadlineTs: number;
}

/**
 * The grace of a user begins: won once, by the request that sees them first under the requirement.
 * @param since the time of the database at that sight, so that the deadline that is told is the one that counts
 */
export function beginGrace(userId: string, since: number, told: ToldPolicy): Decision<object> {
  return decide(
    `INSERT INTO policies (user_id, required_since, told_stage, told_deadline)
     VALUES (:userId, :since, :stage, :deadlineTs)
     ON CONFLICT (user_id) DO UPDATE SET
       required_since = excluded.required_since, told_stage = excluded.told_stage, told_deadline = excluded.told_deadline
     WHERE policies.required_since IS NULL`,
    { userId, since, ...told },
  );
}

/** One who is under the requirement, could set up a second factor, and has not. */
export interface RemindableRow extends PolicyRow {
  readonly userId: string;
  readonly toldStage: number | null;
  readonly toldDeadline: number | null;
  readonly now: number;
}

/** A user who has had a second factor, and lost it, has no grace, and is not reminded of its end. */
const REMINDABLE = `required_since IS NOT NULL AND grace_ended_at IS NULL AND exempt IS NULL
  AND NOT EXISTS (SELECT 1 FROM authenticators WHERE authenticators.user_id = policies.user_id)`;

/** The next ones who may have to be reminded, by id. */
export function listRemindable(afterId: string, limit: number): Query<RemindableRow> {
  return ask(
    `SELECT user_id AS "userId", told_stage AS "toldStage", told_deadline AS "toldDeadline",
       CAST(:now AS BIGINT) AS now, ${COLUMNS}
     FROM policies WHERE user_id > :afterId AND ${REMINDABLE} ORDER BY user_id LIMIT :limit`,
    { afterId, limit },
  );
}

/** A reminder is told: won once, and only while all that it was decided by stands as it was read. */
export function takeReminder(read: RemindableRow, told: ToldPolicy): Decision<object> {
  return decide(
    `UPDATE policies SET told_stage = :stage, told_deadline = :deadlineTs
     WHERE user_id = :userId AND ${REMINDABLE} AND required_since = :requiredSince
       AND mode IS NOT DISTINCT FROM :mode AND grace_ms IS NOT DISTINCT FROM :graceMs
       AND grace_until IS NOT DISTINCT FROM :graceUntil AND is_administrator IS NOT DISTINCT FROM :isAdministrator
       AND registered_at IS NOT DISTINCT FROM :registeredAt AND told_stage IS NOT DISTINCT FROM :toldStage
       AND told_deadline IS NOT DISTINCT FROM :toldDeadline`,
    { ...read, ...told },
  );
}

/** A user who has no authenticator left has no grace any more. */
export function endGraceWithoutFactor(userId: string): Effect {
  return effect(
    `INSERT INTO policies (user_id, grace_ended_at) SELECT :userId, CAST(:now AS BIGINT)
       WHERE NOT EXISTS (SELECT 1 FROM authenticators WHERE user_id = :userId)
     ON CONFLICT (user_id) DO UPDATE SET
       grace_ended_at = coalesce(policies.grace_ended_at, excluded.grace_ended_at)`,
    { userId },
  );
}

/** A new account; one of whom something is known is not new. */
export function rememberRegistration(userId: string): Effect {
  return effect(
    `INSERT INTO policies (user_id, registered_at) VALUES (:userId, :now) ON CONFLICT (user_id) DO NOTHING`,
    { userId },
  );
}

export function rememberAdministrator(userId: string, isAdministrator: boolean): Effect {
  return effect(
    `INSERT INTO policies (user_id, is_administrator) VALUES (:userId, :is)
     ON CONFLICT (user_id) DO UPDATE SET is_administrator = excluded.is_administrator`,
    { userId, is: isAdministrator ? 1 : 0 },
  );
}

export function rememberExemption(userId: string, exempt: PolicyRow['exempt']): Effect {
  return effect(
    `INSERT INTO policies (user_id, exempt) VALUES (:userId, :exempt)
     ON CONFLICT (user_id) DO UPDATE SET exempt = excluded.exempt`,
    { userId, exempt },
  );
}
