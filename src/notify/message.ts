import { parseUserId } from '../matrix/user_id.ts';
import type { NoticeRow } from '../storage/tables/notices.ts';
import type { Language, Wording } from '../system/languages.ts';
import { adviceOn, toldText } from './owner_events.ts';

/**
 * A notice as its reader gets it. Neither part holds a code or a secret, nor a link but those of
 * `contact_confirmation.ts`, `recovery_message.ts` and `vote_request.ts`.
 */
export interface Message {
  readonly subject: string;
  readonly text: string;
}

const LONGEST_FOREIGN = 80;
/** Controls, invisible format characters, separators and halves of pairs (as in `system/one_line.ts`). */
const NOT_SHOWN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** What may make a link of a text in a mail or chat program. */
const NOT_IN_A_NAME = /[^\p{L}\p{N} _+=-]/gu;
const SERVER_NAME = /^[A-Za-z0-9.:[\]-]{1,255}$/;

const WORDS = {
  account: { en: 'Account', de: 'Konto' },
  when: { en: 'When', de: 'Wann' },
  address: { en: 'Address', de: 'Adresse' },
  device: { en: 'Device', de: 'Gerät' },
  notYou: {
    en: 'If this was not you: sign out devices that you do not know, change your password, and tell the operator of your server.',
    de: 'Wenn du das nicht warst: Melde Geräte ab, die du nicht kennst, ändere dein Passwort, und sag dem Betreiber deines Servers Bescheid.',
  },
  neverAsk: {
    en: 'We never ask for a password or a code in a message.',
    de: 'Wir fragen nie in einer Nachricht nach einem Passwort oder Code.',
  },
} as const satisfies Record<string, Wording>;

/** The message of a notice. Undefined where owners are told nothing of its event. */
export function messageOf(
  notice: Pick<NoticeRow, 'event' | 'userId' | 'address' | 'deviceId' | 'detail' | 'happenedAt'>,
  language: Language,
): Message | undefined {
  const text = toldText(notice.event)?.[language];
  if (text === undefined) return undefined;
  const what = textWith(text, notice.detail);
  const advice = adviceOn(notice.event)?.[language];
  const line = (name: keyof typeof WORDS, value: string | null) =>
    value === null ? [] : [`${WORDS[name][language]}: ${value}`];
  const facts = [
    ...line('account', foreign(notice.userId)),
    ...line('when', momentOf(notice.happenedAt)),
    ...line('address', notice.address === null ? null : foreign(notice.address)),
    ...line('device', notice.deviceId === null ? null : nameOf(notice.deviceId)),
  ];
  const { notYou, neverAsk } = WORDS;
  return {
    subject: `[${serverOf(notice.userId)}] ${what}`,
    text: [
      what,
      '',
      ...(advice === undefined ? [] : [advice, '']),
      ...facts,
      '',
      notYou[language],
      '',
      neverAsk[language],
      '',
    ].join('\n'),
  };
}

/** Text that others chose: one line of 80 characters at most, which commands and turns nothing. */
export function foreign(text: string): string {
  const shown = [...text.replace(NOT_SHOWN, '\u00b7')];
  return shown.length <= LONGEST_FOREIGN
    ? shown.join('')
    : `${shown.slice(0, LONGEST_FOREIGN - 1).join('')}…`;
}

/** A device's id, which its client chose: it makes no link. */
function nameOf(text: string): string {
  return foreign(text).replace(NOT_IN_A_NAME, '\u00b7');
}

/** The name of the server of an account, for subjects. */
export function serverOf(userId: string): string {
  const { server = '' } = parseUserId(userId) ?? {};
  return SERVER_NAME.test(server) ? server : 'Matrix';
}

/** Fills in what the entry says: how many codes are left, and until when something is asked. */
function textWith(text: string, detail: string): string {
  const { remaining, deadline_ts }: { remaining?: unknown; deadline_ts?: unknown } = JSON.parse(detail);
  return text
    .replace('{n}', typeof remaining === 'number' ? String(remaining) : '?')
    .replace('{date}', typeof deadline_ts === 'number' ? momentOf(deadline_ts) : '?');
}

/** A time, to the minute. */
export function momentOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
