import type { EventTexts } from '../description.ts';

export const TOTP_STAGE = 'm.login.2fa.totp';

/** What `auth` holds besides `type` and `session`. */
export const TOTP_AUTH = {
  token: {
    description: 'The code, as text: leading zeros count. Without one nothing is judged.',
    type: ['string', 'null'],
  },
};

/** What happened, for its owner. */
export const TOTP_EVENTS = {
  enabled: {
    en: 'Two-factor authentication turned on',
    de: 'Zwei-Faktor-Authentifizierung eingeschaltet',
  },
  added: { en: 'Authenticator added', de: 'Authenticator hinzugefügt' },
  removed: { en: 'Authenticator removed', de: 'Authenticator entfernt' },
  renamed: { en: 'Authenticator renamed', de: 'Authenticator umbenannt' },
  disabled: {
    en: 'Two-factor authentication turned off',
    de: 'Zwei-Faktor-Authentifizierung ausgeschaltet',
  },
  used: { en: 'Code accepted', de: 'Code angenommen' },
} as const satisfies EventTexts;

/** What a request is about. */
export const TOTP_DEEDS = {
  setUp: { en: 'set up an authenticator app', de: 'eine Authenticator-App einrichten' },
  remove: {
    en: 'remove an authenticator app, or turn two-factor authentication off',
    de: 'eine Authenticator-App entfernen oder die Zwei-Faktor-Anmeldung ausschalten',
  },
};
