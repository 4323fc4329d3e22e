import type { Storage } from '../storage/storage.ts';
import type { NoticeRow } from '../storage/tables/notices.ts';
import {
  findRecipient,
  type RecipientRole,
  type RecoveryRecipient,
} from '../storage/tables/recovery_notices.ts';
import type { Language } from '../system/languages.ts';
import type { Vault } from '../vault/vault.ts';
import type { AddressedMessage, AddressedText } from './contact_confirmation.ts';
import {
  isOfRecovery,
  type RecoveryFacts,
  type RecoveryReader,
  recoveryMessage,
} from './recovery_message.ts';
import { recoveryText } from './recovery_text.ts';

/** The page behind a cancel link. */
export const CANCEL_PAGE = '/_2fa/recover/cancel';

/** What is sealed in the row of a recipient. */
export interface SealedRecipient {
  readonly address: string;
  /** The token of the cancel link. */
  readonly token: string;
}

interface ToldRecipient {
  readonly to: string;
  readonly facts: RecoveryFacts;
  readonly reader: RecoveryReader;
  readonly language: Language;
}

export interface RecoveryNoticesDeps {
  readonly storage: Pick<Storage, 'read'>;
  readonly vault: Vault;
  readonly languageOf: (userId: string) => Promise<Language>;
  /** What is spoken where nothing is known of the reader. */
  readonly language: () => Language;
  /** Where a request stands now. */
  readonly factsOf: (requestId: string) => Promise<RecoveryFacts | undefined>;
  /** What browsers see. */
  readonly publicBaseUrl: string;
}

/** Notices of recovery requests: each goes to one recipient, who stands in the frozen list of the request. */
export class RecoveryNotices {
  constructor(private readonly deps: RecoveryNoticesDeps) {}

  /** Undefined where the recipient is not there any more. @throws SealBroken */
  async messageOf(notice: NoticeRow): Promise<AddressedMessage | undefined> {
    const told = await this.toldBy(notice);
    if (told === undefined) return undefined;
    const { to, facts, reader, language } = told;
    return { to, message: recoveryMessage(notice.event, facts, reader, language) };
  }

  /** The same as a text message. @throws SealBroken */
  async textOf(notice: NoticeRow): Promise<AddressedText | undefined> {
    const told = await this.toldBy(notice);
    if (told === undefined) return undefined;
    const { to, facts, reader, language } = told;
    return { to, text: recoveryText(notice.event, facts, reader, language) };
  }

  private async toldBy({ userId, recipient }: NoticeRow): Promise<ToldRecipient | undefined> {
    const { storage, vault, publicBaseUrl } = this.deps;
    const [found] = await storage.read(findRecipient(recipient ?? ''));
    const facts = found && (await this.deps.factsOf(found.requestId));
    if (found === undefined || facts === undefined) return undefined;
    const { address, token } = openRecipient(vault, found);
    const cancelUrl = `${publicBaseUrl}${CANCEL_PAGE}?t=${token}`;
    const language = await this.languageTo(found.role, { owner: userId, address });
    return { to: address, facts, reader: { userId, role: found.role, cancelUrl }, language };
  }

  private languageTo(
    role: RecipientRole,
    { owner, address }: { readonly owner: string; readonly address: string },
  ): Promise<Language> {
    if (role === 'owner' || role === 'contact') return this.deps.languageOf(owner);
    return address.startsWith('@') ? this.deps.languageOf(address) : Promise.resolve(this.deps.language());
  }
}

/** Whether a notice goes to a person of the list, and not to the owner of the account. */
export function isToRecipient({ event }: Pick<NoticeRow, 'event'>): boolean {
  return isOfRecovery(event);
}

/** Names a row in what is sealed for it. */
type RecipientName = Pick<RecoveryRecipient, 'id' | 'userId'>;

export function sealRecipient(vault: Vault, row: RecipientName, recipient: SealedRecipient): Buffer {
  return vault.seal(JSON.stringify(recipient), identityOf(row));
}

/** @throws SealBroken */
export function openRecipient(
  vault: Vault,
  row: RecipientName & Pick<RecoveryRecipient, 'sealedAddress'>,
): SealedRecipient {
  return JSON.parse(vault.open(row.sealedAddress, identityOf(row)).toString('utf8')) as SealedRecipient;
}

function identityOf({ id, userId }: RecipientName): string {
  return `recovery-notice:${id}:${userId}`;
}
