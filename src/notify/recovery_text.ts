import type { Language, Wording } from '../system/languages.ts';
import { serverOf } from './message.ts';
import { type RecoveryFacts, type RecoveryReader, runningOccasion } from './recovery_message.ts';
import type { RecoveryEnd, RecoveryOccasion } from './recovery_words.ts';

/** Shorter than the subjects of mails: with its link each fits into one message of 160 letters (3GPP TS 23.038). */
const RUNNING: Readonly<Record<Exclude<RecoveryOccasion, 'used' | 'ended'>, Wording>> = {
  begun: {
    en: 'Recovery of your account was started.',
    de: 'Wiederherstellung deines Kontos begonnen.',
  },
  repeated: {
    en: 'Recovery of your account is under way.',
    de: 'Wiederherstellung deines Kontos läuft.',
  },
  tomorrow: {
    en: 'Recovery of your account opens within a day.',
    de: 'Dein Konto ist in einem Tag wiederherstellbar.',
  },
  opened: {
    en: 'Recovery of your account is possible now.',
    de: 'Dein Konto kann jetzt wiederhergestellt werden.',
  },
};

const ENDED: Readonly<Record<RecoveryEnd, Wording>> = {
  cancelled: {
    en: 'Recovery of your account was cancelled. If you did not start it, change your password.',
    de: 'Die Wiederherstellung deines Kontos wurde abgebrochen. Hast du sie nicht begonnen, ändere dein Passwort.',
  },
  refused: {
    en: 'Recovery of your account was refused.',
    de: 'Die Wiederherstellung deines Kontos wurde abgelehnt.',
  },
  finished: {
    en: 'Your account was recovered. If this was not you, tell the operator of your server at once.',
    de: 'Dein Konto wurde wiederhergestellt. Warst du das nicht, sag sofort dem Betreiber deines Servers Bescheid.',
  },
  expired: {
    en: 'Recovery of your account expired: nothing was changed.',
    de: 'Die Wiederherstellung deines Kontos ist verfallen: Es wurde nichts geändert.',
  },
};

const CANCEL: Wording = { en: 'Not you? Stop it:', de: 'Nicht du? Abbrechen:' };

/**
 * What stands in a text message: one line, with the link of the reader that cancels, while there is something to cancel.
 * It names no account: its owner chose that name, and it may look like an address or a number.
 */
export function recoveryText(
  event: string,
  { end }: RecoveryFacts,
  { userId, cancelUrl }: RecoveryReader,
  language: Language,
): string {
  const server = serverOf(userId);
  if (end !== undefined) return `${server}: ${ENDED[end][language]}`;
  const occasion = runningOccasion(event);
  // Of a device in use only operators are told.
  const what = RUNNING[occasion === 'used' ? 'repeated' : occasion];
  return `${server}: ${what[language]} ${CANCEL[language]} ${cancelUrl}`;
}
