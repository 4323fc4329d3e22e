import type { NoticeRow } from '../storage/tables/notices.ts';
import type { Language } from '../system/languages.ts';
import type { Addresses } from './addresses.ts';
import type { ChannelSender, Delivered } from './channel.ts';
import { type AddressedMessage, CONFIRM_CONTACT, type ContactConfirmation } from './contact_confirmation.ts';
import type { MailServer } from './mail_server.ts';
import { messageOf } from './message.ts';
import { isToRecipient, type RecoveryNotices } from './recovery_notices.ts';
import { ASK_VOTER, type VoteRequest } from './vote_request.ts';

export interface MailChannelDeps {
  readonly server: Pick<MailServer, 'mail'>;
  readonly addresses: Pick<Addresses, 'open'>;
  readonly confirmation: Pick<ContactConfirmation, 'messageOf'>;
  readonly voteRequest: Pick<VoteRequest, 'messageOf'>;
  readonly recovery: Pick<RecoveryNotices, 'messageOf'>;
  readonly languageOf: (userId: string) => Promise<Language>;
}

/** Notices by mail: one to each address. */
export class MailChannel implements ChannelSender {
  constructor(private readonly deps: MailChannelDeps) {}

  async send(notice: NoticeRow, signal: AbortSignal): Promise<Delivered> {
    const addressed = await this.addressed(notice);
    if (addressed === undefined) return 'no_recipient';
    await this.deps.server.mail(addressed.to, addressed.message, notice.id, signal);
    return 'sent';
  }

  private addressed(notice: NoticeRow): Promise<AddressedMessage | undefined> {
    const { confirmation, recovery } = this.deps;
    if (notice.event === CONFIRM_CONTACT) return confirmation.messageOf(notice);
    return isToRecipient(notice) ? recovery.messageOf(notice) : this.toOwner(notice);
  }

  private async toOwner(notice: NoticeRow): Promise<AddressedMessage | undefined> {
    const to = await this.deps.addresses.open(notice.recipient ?? '');
    const message =
      notice.event === ASK_VOTER
        ? await this.deps.voteRequest.messageOf(notice)
        : messageOf(notice, await this.deps.languageOf(notice.userId));
    return to === undefined || message === undefined ? undefined : { to, message };
  }
}
