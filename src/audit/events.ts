/** Who does what the audit tells of; an operator's name follows. */
export type ActorKind = 'user' | 'operator' | 'admin' | 'homeserver' | 'system';

/**
 * What can happen to an account, and who does it, but for what happens to factors: a row each. The pages have a text
 * for each (`history.events`), or the texts do not compile.
 */
const ACCOUNT_EVENTS = {
  /** A wrong or spent code, or another second factor that was not accepted. */
  'factor.refused': 'user',
  /** Too many wrong codes: the next attempts are not looked at for a while. */
  'throttle.wait': 'system',
  'throttle.shut': 'system',
  /** A sign-in with a second factor came through. */
  'login.completed': 'user',
  /** A first factor was set up during a sign-in, by its password alone. */
  'login.enrolled': 'user',
  /** A login that waited for its second factor ended without it. */
  'login.held_ended': 'system',
  /** A guarded request was let through after its second factor. */
  'guard.passed': 'user',
  /** An application service that the operator listed logged in: a part of the homeserver. */
  'appservice.login': 'homeserver',
  /** This proxy logged a user in as an application service, after their second factor. */
  'appservice.own_login': 'system',
  /** The operator removed every factor of a user. */
  'operator.reset': 'operator',
  /** The operator put a backup of the database in its place. */
  'operator.restore': 'operator',
  /** The operator ended a user's waits. */
  'operator.unlock': 'operator',
  /** The operator gave out a code for one use. */
  'operator.emergency_code': 'operator',
  /** Such a code was accepted. */
  'emergency_code.used': 'user',
  /** A device password was made, opened its login for the first time, or again (once an hour), got another name. */
  'device_password.created': 'user',
  'device_password.first_used': 'user',
  'device_password.used': 'user',
  'device_password.renamed': 'user',
  /** Its owner ended it. */
  'device_password.revoked': 'user',
  /** It ended with something else: its device was removed, the password changed. */
  'device_password.ended': 'system',
  /** It was right and opened nothing: by another name, with a code behind it, forbidden or expired. */
  'device_password.refused': 'user',
  /** The recovery of an account was begun, by its password; all were told that it runs; a voter voted on it. */
  'recovery_request.begun': 'user',
  'recovery_request.told': 'system',
  'recovery_request.voted': 'user',
  /** It was ended: by a link, on a page, by a sign-in, by a voter, or as a device was used. */
  'recovery_request.cancelled': 'user',
  /** The operator opened it, or ended it. */
  'recovery_request.approved': 'operator',
  'recovery_request.denied': 'operator',
  /** Its wait is over; it was made use of; or it was not, in time. */
  'recovery_request.opened': 'system',
  'recovery_request.finished': 'user',
  'recovery_request.expired': 'system',
  /** What the owner had set for the recovery of their account was changed, or removed. */
  'recovery_contacts.changed': 'user',
  'recovery_contacts.removed': 'user',
  /** The link in the mail to its contact address was followed. */
  'recovery_contacts.confirmed': 'user',
  /** An app was allowed to sign in by OAuth, or was not; its session began, and ended. */
  'oauth.authorized': 'user',
  'oauth.denied': 'user',
  'oauth.session_started': 'user',
  'oauth.session_ended': 'system',
  /** A code, or a refresh token, came once more after its time: the session ended, as two have had it. */
  'oauth.code_reused': 'system',
  'oauth.refresh_reused': 'system',
  /** A session was ended by one of its tokens, which another app than its own had. */
  'oauth.revoked_by_other': 'system',
  /** The operator took over authenticators of a user from another program. */
  'operator.imported': 'operator',
  /** The user was first seen under the requirement to set up a second factor, or is reminded of it. */
  'policy.required': 'system',
  /** The time in which the user had to set one up is over. */
  'policy.overdue': 'system',
  /** The operator changed by command what is asked of the user. */
  'policy.changed': 'operator',
} as const satisfies Record<string, ActorKind>;

/** What is about no account. */
const OWN_EVENTS = {
  'serve.started': 'system',
  'serve.stopped': 'system',
  /** A token for the admin API was made or taken back; or a request with a wrong one, or one too narrow, was refused. */
  'admin.token_created': 'operator',
  'admin.token_revoked': 'operator',
  'admin.refused': 'admin',
  /** A notice was given up; the operator had such notices sent again, or dropped them. */
  'notice.dead': 'system',
  'notice.retried': 'operator',
  'notice.dropped': 'operator',
} as const satisfies Record<string, ActorKind>;

export type NamedEvent = keyof typeof ACCOUNT_EVENTS;
export type OwnEvent = keyof typeof OWN_EVENTS;

const ACTORS: Readonly<Record<string, ActorKind>> = { ...ACCOUNT_EVENTS, ...OWN_EVENTS };

/** Who does it: what happens to a factor is its user's doing. */
export function actorOf(event: AuditEvent): ActorKind {
  return ACTORS[event] ?? 'user';
}

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
  /** The counter of an authenticator went back: there may be a copy of its key. */
  | 'counter_back'
  | 'regenerated'
  | 'deleted';

export type AuditEvent = NamedEvent | OwnEvent | FactorEvent;

/**
 * What can happen without a second factor, as often as someone with only a password or a token likes. Of each only
 * the newest stay, for each user: nothing less than a factor makes the record grow without an end (`pruning.ts`).
 */
export const UNPROVEN_EVENTS: readonly NamedEvent[] = [
  'factor.refused',
  'throttle.wait',
  'login.held_ended',
  'device_password.refused',
  'device_password.renamed',
];
/** The same for what is about no account. */
export const UNPROVEN_OWN_EVENTS: readonly OwnEvent[] = ['admin.refused', 'notice.dead'];
export const UNPROVEN_DEED: FactorDeed = 'renamed';

export function isUnproven(event: AuditEvent): boolean {
  const known: readonly string[] = [...UNPROVEN_EVENTS, ...UNPROVEN_OWN_EVENTS];
  return known.includes(event) || event.endsWith(`.${UNPROVEN_DEED}`);
}

/** @param kinds of the factors whose authenticators have names */
export function unprovenEvents(kinds: readonly string[]): AuditEvent[] {
  return [...UNPROVEN_EVENTS, ...kinds.map((kind): FactorEvent => `${kind}.${UNPROVEN_DEED}`)];
}
