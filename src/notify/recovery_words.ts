import type { Wording } from '../system/languages.ts';

/** When those whom a recovery request tells hear of it. */
export type RecoveryOccasion = 'begun' | 'repeated' | 'tomorrow' | 'used' | 'opened' | 'ended';
/** How it ended. */
export type RecoveryEnd = 'cancelled' | 'refused' | 'finished' | 'expired';

/**
 * The subject, to the owner of the account and to others. It names no account, as text of others must not get into a
 * header.
 */
export interface RecoverySubject {
  readonly own: Wording;
  readonly others: Wording;
}

export const SUBJECTS: Readonly<Record<Exclude<RecoveryOccasion, 'ended'>, RecoverySubject>> = {
  begun: {
    own: {
      en: 'Recovery of your account was started',
      de: 'Die Wiederherstellung deines Kontos wurde begonnen',
    },
    others: {
      en: 'Recovery of an account was started',
      de: 'Die Wiederherstellung eines Kontos wurde begonnen',
    },
  },
  repeated: {
    own: { en: 'Recovery of your account is under way', de: 'Die Wiederherstellung deines Kontos läuft' },
    others: { en: 'Recovery of an account is under way', de: 'Die Wiederherstellung eines Kontos läuft' },
  },
  tomorrow: {
    own: {
      en: 'Recovery of your account opens within a day',
      de: 'Die Wiederherstellung deines Kontos ist in weniger als einem Tag möglich',
    },
    others: {
      en: 'Recovery of an account opens within a day',
      de: 'Die Wiederherstellung eines Kontos ist in weniger als einem Tag möglich',
    },
  },
  used: {
    own: {
      en: 'A device was used while your account is being recovered',
      de: 'Ein Gerät wurde verwendet, während dein Konto wiederhergestellt wird',
    },
    others: {
      en: 'A device was used while an account is being recovered',
      de: 'Ein Gerät wurde verwendet, während ein Konto wiederhergestellt wird',
    },
  },
  opened: {
    own: {
      en: 'Recovery of your account is possible now',
      de: 'Die Wiederherstellung deines Kontos ist jetzt möglich',
    },
    others: {
      en: 'Recovery of an account is possible now',
      de: 'Die Wiederherstellung eines Kontos ist jetzt möglich',
    },
  },
};

export const ENDS: Readonly<Record<RecoveryEnd, RecoverySubject>> = {
  cancelled: {
    own: {
      en: 'Recovery of your account was cancelled',
      de: 'Die Wiederherstellung deines Kontos wurde abgebrochen',
    },
    others: {
      en: 'Recovery of an account was cancelled',
      de: 'Die Wiederherstellung eines Kontos wurde abgebrochen',
    },
  },
  refused: {
    own: {
      en: 'Recovery of your account was refused',
      de: 'Die Wiederherstellung deines Kontos wurde abgelehnt',
    },
    others: {
      en: 'Recovery of an account was refused',
      de: 'Die Wiederherstellung eines Kontos wurde abgelehnt',
    },
  },
  finished: {
    own: {
      en: 'Your account was recovered: it has a new authenticator',
      de: 'Dein Konto wurde wiederhergestellt: Es hat einen neuen Authenticator',
    },
    others: {
      en: 'An account was recovered: it has a new authenticator',
      de: 'Ein Konto wurde wiederhergestellt: Es hat einen neuen Authenticator',
    },
  },
  expired: {
    own: {
      en: 'Recovery of your account expired: nothing was changed',
      de: 'Die Wiederherstellung deines Kontos ist verfallen: Es wurde nichts geändert',
    },
    others: {
      en: 'Recovery of an account expired: nothing was changed',
      de: 'Die Wiederherstellung eines Kontos ist verfallen: Es wurde nichts geändert',
    },
  },
};

/** What it is about, and what its reader can do. */
export const LINES = {
  whatOwn: {
    en: 'Someone who knows your password says that they have lost your phone and your recovery codes. Unless this is cancelled, they can set up a new authenticator for your account when the time below has come. Your other devices are signed out then.',
    de: 'Jemand, der dein Passwort kennt, gibt an, dein Telefon und deine Wiederherstellungscodes verloren zu haben. Wird das nicht abgebrochen, kann diese Person ab dem Zeitpunkt unten einen neuen Authenticator für dein Konto einrichten. Deine anderen Geräte werden dann abgemeldet.',
  },
  whatOthers: {
    en: 'Someone who knows the password of {user} says that they have lost the phone and the recovery codes of that account. Unless this is cancelled, they can set up a new authenticator for it when the time below has come.',
    de: 'Jemand, der das Passwort von {user} kennt, gibt an, Telefon und Wiederherstellungscodes dieses Kontos verloren zu haben. Wird das nicht abgebrochen, kann diese Person ab dem Zeitpunkt unten einen neuen Authenticator dafür einrichten.',
  },
  whyOperator: {
    en: 'You get this message because you are named in account_recovery.operators. "matrix-2fa-proxy recovery show" says more.',
    de: 'Du bekommst diese Nachricht, weil du in account_recovery.operators stehst. Mehr sagt "matrix-2fa-proxy recovery show".',
  },
  whyVoter: {
    en: 'You get this message because {user} has named you as someone whom they trust. Ask them in person or by telephone, not over Matrix, whether it was them.',
    de: 'Du bekommst diese Nachricht, weil {user} dich als Vertrauensperson benannt hat. Frage persönlich oder am Telefon nach, nicht über Matrix, ob die Person das selbst war.',
  },
  whyRoomAdmin: {
    en: 'You get this message because you administer a room together with {user}. If you can, ask them in person or by telephone whether it was them.',
    de: 'Du bekommst diese Nachricht, weil du gemeinsam mit {user} einen Raum verwaltest. Frage wenn möglich persönlich oder am Telefon nach, ob die Person das selbst war.',
  },
  whyContact: {
    en: 'You get this message because this address was named as the contact for such notices.',
    de: 'Du bekommst diese Nachricht, weil diese Adresse als Kontakt für solche Benachrichtigungen angegeben wurde.',
  },
  cancelOwn: {
    en: 'If this was not you, cancel it. The link opens a page with one button; it asks for no password and no code:',
    de: 'Wenn du das nicht warst, brich es ab. Der Link öffnet eine Seite mit einem Knopf; sie fragt weder nach Passwort noch nach Code:',
  },
  cancelOthers: {
    en: 'If you think that it was someone else, cancel it. The link opens a page with one button; it asks for no password and no code:',
    de: 'Wenn du meinst, dass es jemand anderes war, brich es ab. Der Link öffnet eine Seite mit einem Knopf; sie fragt weder nach Passwort noch nach Code:',
  },
  changePassword: {
    en: 'Then change your password at your server: the one who started this knows it.',
    de: 'Ändere danach dein Passwort auf deinem Server: Wer das begonnen hat, kennt es.',
  },
  finishedNotYou: {
    en: 'If this was not you, tell the operator of your server at once.',
    de: 'Wenn du das nicht warst, sag sofort dem Betreiber deines Servers Bescheid.',
  },
  neverAsk: {
    en: 'We never ask for a password or a code in a message.',
    de: 'Wir fragen nie in einer Nachricht nach einem Passwort oder Code.',
  },
} as const satisfies Record<string, Wording>;

/** Names of the facts. */
export const FACTS = {
  account: { en: 'Account', de: 'Konto' },
  begun: { en: 'Started', de: 'Begonnen' },
  from: { en: 'Address', de: 'Adresse' },
  opens: { en: 'Possible from', de: 'Möglich ab' },
} as const satisfies Record<string, Wording>;
