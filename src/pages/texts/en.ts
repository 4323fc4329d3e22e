import type { NamedEvent } from '../../audit/events.ts';

/**
 * Texts of pages that do not take theirs from `pages/texts/en/pages.ts` yet; a text goes when its page has changed over.
 * `{name}` is a place that `fill` fills; `{ one, other }` is chosen by a number.
 */
export const english = {
  account: {
    history: {
      /** Those of factors stand in the folder of each. */
      events: {
        'factor.refused': 'Wrong code',
        'throttle.wait': 'Too many wrong codes',
        'throttle.shut': 'Too many wrong codes: no more are looked at from there',
        'login.completed': 'Signed in with a second factor',
        'login.enrolled': 'Two-factor authentication set up during a sign-in',
        'login.held_ended': 'Sign-in ended before the second factor: someone knew the password',
        'guard.passed': 'Protected action confirmed',
        'appservice.login': 'Signed in by an application service',
        'appservice.own_login': 'Device made for the sign-in',
        'operator.reset': 'Two-factor authentication reset by the operator',
        'operator.restore': 'The operator restored a backup of the second factors',
        'operator.unlock': 'Unlocked by the operator',
        'operator.emergency_code': 'The operator gave out an emergency code',
        'emergency_code.used': 'Emergency code of the operator used',
        'operator.imported':
          'Two-factor authentication turned on by the operator, with your authenticator of before',
        'device_password.created': 'Device password created',
        'device_password.first_used': 'Device password used for the first time',
        'device_password.used': 'Signed in with a device password',
        'device_password.renamed': 'Device password renamed',
        'device_password.revoked': 'Device password revoked',
        'device_password.ended':
          'Device password ended: its device was signed out, or the password was changed',
        'device_password.refused': 'Sign-in with a device password refused',
        'recovery_request.begun': 'Account recovery begun',
        'recovery_request.told': 'Reminder of the account recovery sent',
        'recovery_request.voted': 'Vote on the account recovery',
        'recovery_request.cancelled': 'Account recovery cancelled',
        'recovery_request.approved': 'Account recovery approved by an administrator',
        'recovery_request.denied': 'Account recovery refused by an administrator',
        'recovery_request.opened': 'Account recovery can be finished now',
        'recovery_request.finished': 'Account recovered: there is a new authenticator',
        'recovery_request.expired': 'Account recovery expired',
        'recovery_contacts.changed': 'Contacts for account recovery changed',
        'recovery_contacts.removed': 'Contacts for account recovery removed',
        'recovery_contacts.confirmed': 'Contact address for account recovery confirmed',
        'oauth.authorized': 'Access given to an app',
        'oauth.denied': 'Access refused to an app',
        'oauth.session_started': 'App signed in',
        'oauth.session_ended': 'App signed out',
        'oauth.code_reused': 'Sign-in code of an app used a second time: app signed out',
        'oauth.refresh_reused': 'Old refresh token of an app used: app signed out',
        'oauth.revoked_by_other': 'App signed out by another app',
        'policy.required': 'Two-factor authentication is required from now on',
        'policy.overdue': 'The time to set up two-factor authentication is over',
        'policy.changed': 'The operator changed what is asked of this account',
      } satisfies Record<NamedEvent, string>,
    },
  },
};

/** The texts of one language: the same keys in all of them. */
export type Texts = typeof english;
