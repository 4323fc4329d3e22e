import type { Storage } from '../storage/storage.ts';
import type { NoticeRow } from '../storage/tables/notices.ts';
import { findConfirmable, type RecoveryContactsRow } from '../storage/tables/recovery_contacts.ts';
import type { Language, Wording } from '../system/languages.ts';
import type { Vault } from '../vault/vault.ts';
import { foreign, type Message, serverOf } from './message.ts';

/** The notice that asks whether a contact address is its owner's. */
export const CONFIRM_CONTACT = 'recovery_contacts.confirm';
/** The page behind its link. */
export const CONFIRM_PAGE = '/_2fa/recover/contact';

/** What is sealed of a contact address: with it the secret of the link that confirms it, as the message is sent later. */
export interface SealedContact {
  readonly address: string;
  readonly token: string;
}

export function sealContact(userId: string, contact: SealedContact, vault: Pick<Vault, 'seal'>): Buffer {
  return vault.seal(JSON.stringify(contact), identityOf(userId));
}

/** Undefined where there is no address. @throws SealBroken */
export function openContact(
  { userId, sealedContact }: Pick<RecoveryContactsRow, 'userId' | 'sealedContact'>,
  vault: Pick<Vault, 'open'>,
): SealedContact | undefined {
  if (sealedContact === null) return undefined;
  return JSON.parse(vault.open(sealedContact, identityOf(userId)).toString('utf8'));
}

function identityOf(userId: string): string {
  return `recovery-contact:${userId}`;
}

const WORDS = {
  subject: { en: 'Confirm your contact address', de: 'Bestätige deine Kontaktadresse' },
  what: {
    en: 'This address was entered as the contact address for the recovery of the account {user}. It gets notices of that only.',
    de: 'Diese Adresse wurde als Kontaktadresse für die Wiederherstellung des Kontos {user} eingetragen. Sie bekommt nur Nachrichten darüber.',
  },
  link: {
    en: 'If that is right, confirm it within a day. The page asks for no password and no code:',
    de: 'Wenn das stimmt, bestätige sie innerhalb eines Tages. Die Seite fragt nach keinem Passwort und keinem Code:',
  },
  otherwise: {
    en: 'If not, do nothing: then no further mail comes.',
    de: 'Wenn nicht, tu nichts: Dann kommt keine weitere Mail.',
  },
  inShort: {
    en: 'Is this your number for account recovery? Confirm it within a day:',
    de: 'Deine Nummer für Kontowiederherstellung? Binnen 24 h bestätigen:',
  },
} as const satisfies Record<string, Wording>;

/** A message, and to which address it goes. */
export interface AddressedMessage {
  readonly to: string;
  readonly message: Message;
}

export interface ContactConfirmationDeps {
  readonly storage: Pick<Storage, 'read'>;
  readonly vault: Pick<Vault, 'open'>;
  readonly languageOf: (userId: string) => Promise<Language>;
  readonly publicBaseUrl: string;
}

/** A text message, and to which number it goes. */
export interface AddressedText {
  readonly to: string;
  readonly text: string;
}

/** Makes the message with the link that confirms a contact address: a mail, or a text message. */
export class ContactConfirmation {
  constructor(private readonly deps: ContactConfirmationDeps) {}

  /**
   * Undefined where another address, or none, was set by now, it is confirmed, or the time of its link is over.
   * @throws SealBroken
   */
  async messageOf(notice: NoticeRow): Promise<AddressedMessage | undefined> {
    const asked = await this.askedBy(notice);
    if (asked === undefined) return undefined;
    const { userId, to, url, language } = asked;
    const { subject, what, link, otherwise } = WORDS;
    const paragraphs = [
      what[language].replace('{user}', () => foreign(userId)),
      `${link[language]}\n${url}`,
      otherwise[language],
    ];
    return {
      to,
      message: {
        subject: `[${serverOf(userId)}] ${subject[language]}`,
        text: `${paragraphs.join('\n\n')}\n`,
      },
    };
  }

  /** The same as a text message, which names no account: its owner chose that name. @throws SealBroken */
  async textOf(notice: NoticeRow): Promise<AddressedText | undefined> {
    const asked = await this.askedBy(notice);
    if (asked === undefined) return undefined;
    const { userId, to, url, language } = asked;
    return { to, text: `${serverOf(userId)}: ${WORDS.inShort[language]} ${url}` };
  }

  private async askedBy({ userId, recipient }: NoticeRow) {
    const { storage, vault, languageOf, publicBaseUrl } = this.deps;
    const [row] = await storage.read(findConfirmable(recipient ?? ''));
    const contact = row && openContact(row, vault);
    if (contact === undefined) return undefined;
    const url = `${publicBaseUrl}${CONFIRM_PAGE}?t=${contact.token}`;
    return { userId, to: contact.address, url, language: await languageOf(userId) };
  }
}
