import type { PolicyConfig, PolicyRule } from '../config/config.ts';
import type { PolicyRow } from '../storage/tables/policies.ts';
import { HOUR } from '../system/clock.ts';
import { type AppliedPolicy, applied, Members, sourcesFor } from './precedence.ts';

/** What holds for a user, and since when, in ms; null: nothing is asked of them, or they were not seen yet. */
export interface KnownPolicy {
  readonly policy: AppliedPolicy;
  readonly requiredSince: number | null;
  readonly deadlineTs: number | null;
}

/** What is on record of a user, as it was read. */
export type ReadPolicy = PolicyRow & { readonly now: number };

/** What holds for a user by what is on record: it begins no grace, and asks no homeserver. */
export function knownPolicy(config: PolicyConfig, userId: string, found: ReadPolicy): KnownPolicy {
  const policy = appliedTo(config, userId, found);
  const isRequired = policy.mode.value === 'required' && found.requiredSince !== null;
  const deadlineTs = isRequired ? deadlineOf(config, policy, found) : null;
  return { policy, requiredSince: found.requiredSince, deadlineTs };
}

/** Every key of the policy, as it holds for a user of whom this is known. */
export function appliedTo(config: PolicyConfig, userId: string, found: PolicyRow): AppliedPolicy {
  const isAdministrator = isAdministratorOf(config, userId, found);
  return applied(sourcesFor(config, { userId, isAdministrator, stored: storedRule(found) }));
}

/** When the grace of a user is over. Those who gave up 2FA, or lost it by a reset, have none. */
export function deadlineOf(
  { registrationGraceMs }: PolicyConfig,
  { grace: { value: grace } }: AppliedPolicy,
  { requiredSince, registeredAt, graceEndedAt, now }: ReadPolicy,
): number {
  const begun = requiredSince ?? now;
  const usual = grace === undefined ? begun : 'until' in grace ? grace.until : begun + grace.durationMs;
  const least = registeredAt === null ? usual : Math.max(usual, registeredAt + registrationGraceMs);
  return graceEndedAt === null ? least : Math.min(least, graceEndedAt);
}

/** Why a user cannot set a second factor up, by what the homeserver said; null if they can. */
export function exemptionIn(
  { enrolsWithoutPassword }: PolicyConfig,
  { exempt }: Pick<PolicyRow, 'exempt'>,
): PolicyRow['exempt'] {
  return exempt === 'no_password' && enrolsWithoutPassword ? null : exempt;
}

function storedRule({ mode, graceMs, graceUntil }: PolicyRow): PolicyRule {
  const grace =
    graceUntil !== null ? { until: graceUntil } : graceMs !== null ? { durationMs: graceMs } : undefined;
  return { ...(mode === null ? {} : { mode }), ...(grace === undefined ? {} : { grace }) };
}

/** One of whom the homeserver has not said anything yet counts as one. */
function isAdministratorOf(config: PolicyConfig, userId: string, { isAdministrator }: PolicyRow): boolean {
  return isNamedAdministrator(config, userId) || (config.administrators.detect && isAdministrator !== 0);
}

/** Whether the operator names this user among the administrators. */
export function isNamedAdministrator({ administrators }: PolicyConfig, userId: string): boolean {
  return Members.of(administrators.members).has(userId);
}

/** Reminders before a deadline, by the time that is left: with each the next number. */
const REMINDED_MS = [7 * 24 * HOUR, 24 * HOUR, 0];

/** How many reminders of a deadline have come by now; `OVERDUE_STAGE`: it is over. */
export function reminderStage(deadlineTs: number, now: number): number {
  return REMINDED_MS.filter((left) => deadlineTs - now <= left).length;
}

export const OVERDUE_STAGE = REMINDED_MS.length;
