import type { EventTexts } from '../description.ts';

/** The longest credential id that the standard allows has 1023 bytes. */
const CREDENTIAL_ID = { type: 'string', pattern: '^[A-Za-z0-9_-]+$', maxLength: 1364 };
const BASE64URL = { type: 'string', pattern: '^[A-Za-z0-9_-]+$', maxLength: 8192 };

/** What `auth` holds besides `type` and `session`: what a browser makes of the answer of an authenticator (`toJSON`). */
export const WEBAUTHN_AUTH = {
  credential: {
    description: 'The answer of the authenticator. Without one nothing is judged.',
    type: ['object', 'null'],
    required: ['id', 'rawId', 'type', 'response'],
    properties: {
      id: CREDENTIAL_ID,
      rawId: CREDENTIAL_ID,
      type: { const: 'public-key' },
      response: {
        type: 'object',
        required: ['clientDataJSON', 'authenticatorData', 'signature'],
        properties: {
          clientDataJSON: BASE64URL,
          authenticatorData: BASE64URL,
          signature: BASE64URL,
          userHandle: { ...BASE64URL, type: ['string', 'null'] },
        },
      },
    },
  },
};

/** Whatever the reason: which of them it is tells an attacker how far they are (attack 87). */
export const NOT_ACCEPTED = 'This passkey or security key was not accepted.';

/** What happened, for its owner. */
export const WEBAUTHN_EVENTS = {
  enabled: {
    en: 'Two-factor authentication turned on',
    de: 'Zwei-Faktor-Authentifizierung eingeschaltet',
  },
  added: { en: 'Passkey added', de: 'Passkey hinzugefügt' },
  removed: { en: 'Passkey removed', de: 'Passkey entfernt' },
  renamed: { en: 'Passkey renamed', de: 'Passkey umbenannt' },
  disabled: {
    en: 'Two-factor authentication turned off',
    de: 'Zwei-Faktor-Authentifizierung ausgeschaltet',
  },
  used: { en: 'Passkey accepted', de: 'Passkey angenommen' },
  counter_back: {
    en: 'Passkey refused: it may have been copied',
    de: 'Passkey abgelehnt: Er wurde vielleicht kopiert',
  },
} as const satisfies EventTexts;

/** What a request is about. */
export const WEBAUTHN_DEEDS = {
  setUp: {
    en: 'set up a passkey or security key',
    de: 'einen Passkey oder Sicherheitsschlüssel einrichten',
  },
  remove: {
    en: 'remove a passkey or security key, or turn two-factor authentication off',
    de: 'einen Passkey oder Sicherheitsschlüssel entfernen oder die Zwei-Faktor-Anmeldung ausschalten',
  },
};
