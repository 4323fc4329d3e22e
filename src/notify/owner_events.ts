import type { Wording } from '../system/languages.ts';

/** What an owner is told, in the language of the owner: the subject, which is the first line of the text too. */
const TOLD_BY_DEED: Readonly<Record<string, Wording>> = {
  enabled: {
    en: 'Two-factor authentication was turned on',
    de: 'Zwei-Faktor-Authentifizierung wurde eingeschaltet',
  },
  disabled: {
    en: 'Two-factor authentication was turned off',
    de: 'Zwei-Faktor-Authentifizierung wurde ausgeschaltet',
  },
  added: { en: 'An authenticator was added', de: 'Ein Authenticator wurde hinzugefügt' },
  removed: { en: 'An authenticator was removed', de: 'Ein Authenticator wurde entfernt' },
  counter_back: {
    en: 'One of your security keys may have been copied',
    de: 'Einer deiner Sicherheitsschlüssel wurde vielleicht kopiert',
  },
};

const SET_UP_UNTIL: Wording = {
  en: 'Set up two-factor authentication until {date}',
  de: 'Richte die Zwei-Faktor-Authentifizierung bis {date} ein',
};

const TOLD: Readonly<Record<string, Wording>> = {
  'policy.required': SET_UP_UNTIL,
  'policy.overdue': SET_UP_UNTIL,
  'recovery.regenerated': {
    en: 'Your recovery codes were replaced',
    de: 'Deine Wiederherstellungscodes wurden ersetzt',
  },
  'recovery.deleted': {
    en: 'Your recovery codes were deleted',
    de: 'Deine Wiederherstellungscodes wurden gelöscht',
  },
  'recovery.used': {
    en: 'A recovery code was used ({n} left)',
    de: 'Ein Wiederherstellungscode wurde verwendet (noch {n} übrig)',
  },
  'device_password.created': {
    en: 'A device password was created',
    de: 'Ein Gerätepasswort wurde erstellt',
  },
  'device_password.first_used': {
    en: 'A device password was used for the first time',
    de: 'Ein Gerätepasswort wurde zum ersten Mal verwendet',
  },
  'recovery_contacts.changed': {
    en: 'What you set for the recovery of your account was changed',
    de: 'Was du für die Wiederherstellung deines Kontos eingestellt hast, wurde geändert',
  },
  'recovery_contacts.removed': {
    en: 'What you set for the recovery of your account was removed',
    de: 'Was du für die Wiederherstellung deines Kontos eingestellt hast, wurde entfernt',
  },
  'oauth.code_reused': {
    en: 'An app was signed out: its sign-in code was used a second time',
    de: 'Eine App wurde abgemeldet: Ihr Anmeldecode wurde ein zweites Mal verwendet',
  },
  'oauth.refresh_reused': {
    en: 'An app was signed out: someone used an old token of it',
    de: 'Eine App wurde abgemeldet: Jemand hat ein altes Token von ihr verwendet',
  },
  'oauth.revoked_by_other': {
    en: 'An app was signed out by another app',
    de: 'Eine App wurde von einer anderen App abgemeldet',
  },
  'emergency_code.used': {
    en: 'A code that the operator issued was used',
    de: 'Ein Code, den der Betreiber ausgestellt hat, wurde verwendet',
  },
  'operator.emergency_code': {
    en: 'The operator issued a code for your two-factor authentication',
    de: 'Der Betreiber hat einen Code für deine Zwei-Faktor-Authentifizierung ausgestellt',
  },
  'operator.imported': {
    en: 'The operator set up your two-factor authentication',
    de: 'Der Betreiber hat deine Zwei-Faktor-Authentifizierung eingerichtet',
  },
  'operator.reset': {
    en: 'The operator reset your two-factor authentication',
    de: 'Der Betreiber hat deine Zwei-Faktor-Authentifizierung zurückgesetzt',
  },
};

/** What owners can do, where the subject asks something of them. */
const ADVICE: Readonly<Record<string, Wording>> = {
  'policy.required': {
    en: 'Open the account page of your server, sign in, and set it up there. After that time your next sign-in asks you to set it up first.',
    de: 'Öffne die Kontoseite deines Servers, melde dich an und richte sie dort ein. Danach musst du sie bei der nächsten Anmeldung einrichten, bevor es weitergeht.',
  },
  'policy.overdue': {
    en: 'That time is over: your next sign-in asks you to set it up first.',
    de: 'Diese Zeit ist um: Bei deiner nächsten Anmeldung musst du sie zuerst einrichten.',
  },
};

/** What owners are told of wrong codes: not each of them, but that a counter waits. */
export const FAILURES = 'failures';
const FAILURES_TEXT: Wording = { en: 'Wrong codes were entered', de: 'Falsche Codes wurden eingegeben' };

/** Events of the audit that may mean that a counter waits now. */
const FAILURE_EVENTS: readonly string[] = ['factor.refused', 'throttle.wait', 'throttle.shut'];

/** What `notify test` sends. */
export const TEST = 'test';
const TEST_TEXT: Wording = { en: 'This is a test', de: 'Dies ist ein Test' };

export function meansFailures(event: string): boolean {
  return FAILURE_EVENTS.includes(event);
}

/** What an owner can do then; undefined where the text says all. */
export function adviceOn(event: string): Wording | undefined {
  return ADVICE[event];
}

/** The text that an owner gets of an event; undefined where they are told nothing. */
export function toldText(event: string): Wording | undefined {
  if (event === FAILURES) return FAILURES_TEXT;
  if (event === TEST) return TEST_TEXT;
  const [, deed = ''] = event.split('.');
  return TOLD[event] ?? (Object.hasOwn(TOLD_BY_DEED, deed) ? TOLD_BY_DEED[deed] : undefined);
}
