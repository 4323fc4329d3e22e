import type { EventTexts } from '../description.ts';

/** What `auth` holds besides `type` and `session`. */
export const RECOVERY_AUTH = {
  token: {
    description: 'The code; case, dashes and blanks do not matter. Without one nothing is judged.',
    type: ['string', 'null'],
  },
};

/** What happened, for its owner. */
export const RECOVERY_EVENTS = {
  used: { en: 'Recovery code used', de: 'Wiederherstellungscode benutzt' },
  regenerated: { en: 'New recovery codes created', de: 'Neue Wiederherstellungscodes erstellt' },
  deleted: { en: 'Recovery codes deleted', de: 'Wiederherstellungscodes gelöscht' },
} as const satisfies EventTexts;
