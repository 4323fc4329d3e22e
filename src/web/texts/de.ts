import type { Texts } from './en.ts';

/** Alle Texte auf Deutsch. */
export const german: Texts = {
  shell: {
    skipToContent: 'Zum Inhalt springen',
  },
  account: {
    title: 'Zwei-Faktor-Anmeldung',
    needsScript: 'Diese Seite braucht JavaScript.',
  },
};
