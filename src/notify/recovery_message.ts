import type { RecipientRole } from '../storage/tables/recovery_notices.ts';
import type { Language, Wording } from '../system/languages.ts';
import { foreign, type Message, momentOf, serverOf } from './message.ts';
import {
  ENDS,
  FACTS,
  LINES,
  type RecoveryEnd,
  type RecoveryOccasion,
  type RecoverySubject,
  SUBJECTS,
} from './recovery_words.ts';

/** Events of the outbox that tell of a recovery request. */
const EVENTS = 'recovery_request.';
const ABOUT: RecoverySubject = { own: LINES.whatOwn, others: LINES.whatOthers };

/** What a notice says of a request. */
export interface RecoveryFacts {
  readonly begunTs: number;
  readonly opensTs: number;
  /** The address that it was begun from; undefined where it is not known any more. */
  readonly from?: string | undefined;
  /** How it ended; undefined while it runs. */
  readonly end?: RecoveryEnd | undefined;
}

/** To whom a notice of a request goes. */
export interface RecoveryReader {
  readonly userId: string;
  readonly role: RecipientRole;
  /** Cancels the request. */
  readonly cancelUrl: string;
}

export function isOfRecovery(event: string): boolean {
  return event.startsWith(EVENTS);
}

export function recoveryEvent(occasion: RecoveryOccasion): string {
  return `${EVENTS}${occasion}`;
}

/**
 * What a recipient reads. Its one link is the reader's own and leads to a page that asks for nothing; no message asks for
 * a password or a code.
 */
export function recoveryMessage(
  event: string,
  facts: RecoveryFacts,
  reader: RecoveryReader,
  language: Language,
): Message {
  const what = said(subjectOf(event, facts), reader, language);
  const runs = facts.end === undefined;
  const paragraphs = [
    what,
    ...(runs ? [said(ABOUT, reader, language)] : []),
    factsOf(facts, reader, language),
    ...(runs ? waysOut(reader, language) : afterEnd(facts, reader, language)),
    ...whyOf(reader, language),
    LINES.neverAsk[language],
  ];
  return {
    subject: `[${serverOf(reader.userId)}] ${what}`,
    text: `${paragraphs.join('\n\n')}\n`,
  };
}

function isOwners({ role }: RecoveryReader): boolean {
  return role === 'owner' || role === 'contact';
}

function subjectOf(event: string, { end }: RecoveryFacts): RecoverySubject {
  return end === undefined ? SUBJECTS[runningOccasion(event)] : ENDS[end];
}

/** What a notice of a request that runs tells of. */
export function runningOccasion(event: string): keyof typeof SUBJECTS {
  const occasion = event.slice(EVENTS.length);
  return isRunning(occasion) ? occasion : 'repeated';
}

function isRunning(occasion: string): occasion is keyof typeof SUBJECTS {
  return Object.hasOwn(SUBJECTS, occasion);
}

function said({ own, others }: RecoverySubject, reader: RecoveryReader, language: Language): string {
  return isOwners(reader) ? own[language] : filled(others, reader, language);
}

function filled(text: Wording, { userId }: RecoveryReader, language: Language): string {
  return text[language].replaceAll('{user}', () => foreign(userId));
}

/** Only the owner and the operator are told the address: others do not need it to ask in person. */
function factsOf(
  { begunTs, opensTs, end, from }: RecoveryFacts,
  reader: RecoveryReader,
  language: Language,
): string {
  const { userId, role } = reader;
  const isTold = from !== undefined && (isOwners(reader) || role === 'operator');
  const line = (name: keyof typeof FACTS, value: string) => `${FACTS[name][language]}: ${value}`;
  return [
    line('account', foreign(userId)),
    line('begun', momentOf(begunTs)),
    ...(isTold ? [line('from', foreign(from))] : []),
    ...(end === undefined ? [line('opens', momentOf(opensTs))] : []),
  ].join('\n');
}

function waysOut(reader: RecoveryReader, language: Language): string[] {
  const cancel = isOwners(reader) ? LINES.cancelOwn : LINES.cancelOthers;
  const link = `${cancel[language]}\n${reader.cancelUrl}`;
  return isOwners(reader) ? [link, LINES.changePassword[language]] : [link];
}

function afterEnd({ end }: RecoveryFacts, reader: RecoveryReader, language: Language): string[] {
  if (!isOwners(reader)) return [];
  return end === 'finished' ? [LINES.finishedNotYou[language]] : [LINES.changePassword[language]];
}

const WHY: Partial<Record<RecipientRole, Wording>> = {
  operator: LINES.whyOperator,
  voter: LINES.whyVoter,
  room_admin: LINES.whyRoomAdmin,
  contact: LINES.whyContact,
};

function whyOf(reader: RecoveryReader, language: Language): string[] {
  const why = WHY[reader.role];
  return why === undefined ? [] : [filled(why, reader, language)];
}
