/**
 * What the audit knows to have happened, but for what happens to factors: a row each. The pages have a text for each
 * (`history.events`), or the texts do not compile.
 */
export const EVENTS = [
  /** A wrong or spent code, or another second factor that was not accepted. */
  'factor.refused',
  /** Too many wrong codes: the next attempts are not looked at for a while. */
  'throttle.wait',
  'throttle.shut',
  /** A sign-in with a second factor came through. */
  'login.completed',
  /** A login that waited for its second factor ended without it. */
  'login.held_ended',
  /** A guarded request was let through after its second factor. */
  'guard.passed',
  /** An application service that the operator listed logged in. */
  'appservice.login',
  /** The operator removed every factor of a user. */
  'operator.reset',
  /** The operator put a backup of the database in its place. */
  'operator.restore',
  /** The operator ended a user's waits. */
  'operator.unlock',
  /** The operator gave out a code for one use. */
  'operator.emergency_code',
  /** Such a code was accepted. */
  'emergency_code.used',
  /** The operator took over authenticators of a user from another program. */
  'operator.imported',
  /** A token for the admin API was made or taken back; or a request with a wrong one, or one too narrow, was refused. */
  'admin.token_created',
  'admin.token_revoked',
  'admin.refused',
] as const;

export type NamedEvent = (typeof EVENTS)[number];

/** What happened to a factor: its kind, and a word that its folder has texts for (`Factor.events`). */
export type FactorEvent = `${string}.${FactorDeed}`;
export type FactorDeed =
  /** The first primary authenticator was confirmed: 2FA is on. */
  | 'enabled'
  /** A further authenticator was confirmed. */
  | 'added'
  /** One of several authenticators was removed. */
  | 'removed'
  | 'renamed'
  /** The last primary authenticator was removed: 2FA is off. */
  | 'disabled'
  /** Accepted. */
  | 'used'
  | 'regenerated'
  | 'deleted';

export type AuditEvent = NamedEvent | FactorEvent;

/**
 * What can happen without a second factor, as often as someone with only a password or a token likes. Of each only
 * the newest stay, for each user: nothing less than a factor makes the record grow without an end.
 */
const UNPROVEN: readonly NamedEvent[] = [
  'factor.refused',
  'throttle.wait',
  'login.held_ended',
  'admin.refused',
];
const UNPROVEN_DEED: FactorDeed = 'renamed';

/** @param kinds of the factors whose authenticators have names */
export function unprovenEvents(kinds: readonly string[]): AuditEvent[] {
  return [...UNPROVEN, ...kinds.map((kind): FactorEvent => `${kind}.${UNPROVEN_DEED}`)];
}

export function isUnproven(event: string): boolean {
  return UNPROVEN.some((each) => each === event) || event.endsWith(`.${UNPROVEN_DEED}`);
}
