import type { PolicyConfig } from '../config/config.ts';
import type { PolicyMode } from '../config/settings.ts';
import type { PolicyRow } from '../storage/tables/policies.ts';
import { deadlineOf, exemptionIn, isNamedAdministrator, knownPolicy } from './known_policy.ts';

export const STANDINGS = [
  'passes',
  'owes_factor',
  'in_grace',
  'owes_enrolment',
  'cannot_enrol',
  'may_not_enrol',
] as const;

/** What is asked of a user, as lists show it. Times in ms. */
export interface ListedPolicy {
  readonly policy: PolicyMode;
  /** `database`, `users`, `administrators`, `group:<name>` or `default`. */
  readonly policy_source: string;
  /** When the grace is over; null where nothing is asked, or it has not begun. */
  readonly deadline_ts: number | null;
  /** Null if it is not known: the homeserver has not said. */
  readonly administrator: boolean | null;
  readonly standing: (typeof STANDINGS)[number];
}

/** What is known of a user. */
export interface ListedSubject {
  readonly userId: string;
  readonly enabled: boolean;
  /** Undefined: nothing. */
  readonly row: PolicyRow | undefined;
}

const NOTHING_KNOWN: PolicyRow = {
  mode: null,
  graceMs: null,
  graceUntil: null,
  isAdministrator: null,
  exempt: null,
  registeredAt: null,
  requiredSince: null,
  graceEndedAt: null,
};

/** What is asked of a user by what is on record: it begins no grace, and asks no homeserver. */
export function listedPolicy(
  config: PolicyConfig,
  { userId, enabled, row = NOTHING_KNOWN }: ListedSubject,
  now: number,
): ListedPolicy {
  const { policy, deadlineTs } = knownPolicy(config, userId, { ...row, now });
  const { mode } = policy;
  const shown = {
    policy: mode.value ?? 'optional',
    policy_source: mode.source,
    deadline_ts: enabled ? null : deadlineTs,
    administrator: isNamedAdministrator(config, userId) || wordOf(row),
  };
  if (enabled) return { ...shown, standing: 'owes_factor' };
  if (mode.value === 'forbidden') return { ...shown, standing: 'may_not_enrol' };
  if (mode.value !== 'required') return { ...shown, standing: 'passes' };
  const isInGrace = now < (deadlineTs ?? deadlineOf(config, policy, { ...row, now }));
  if (isInGrace) return { ...shown, standing: 'in_grace' };
  return { ...shown, standing: exemptionIn(config, row) === null ? 'owes_enrolment' : 'cannot_enrol' };
}

/** The homeserver's last word; null if there was none. */
function wordOf({ isAdministrator }: PolicyRow): boolean | null {
  return isAdministrator === null ? null : isAdministrator === 1;
}
