import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { MailConfig } from '../config/config.ts';
import type { NoticeRow } from '../storage/tables/notices.ts';
import type { Clock } from '../system/clock.ts';
import type { Language } from '../system/languages.ts';
import type { Addresses } from './addresses.ts';
import { type ChannelSender, type Delivered, NotDelivered } from './channel.ts';
import { type AddressedMessage, CONFIRM_CONTACT, type ContactConfirmation } from './contact_confirmation.ts';
import { type Message, messageOf } from './message.ts';
import { isToRecipient, type RecoveryNotices } from './recovery_notices.ts';
import { ASK_VOTER, type VoteRequest } from './vote_request.ts';

/** Of one answer of the mail server, in bytes. */
const LONGEST_ANSWER = 64 * 1024;

/** Failures of the login and of STARTTLS: the operator puts them right, and the mail goes out then. */
const TO_PUT_RIGHT: readonly string[] = ['EAUTH', 'ETLS'];

export interface MailChannelDeps {
  readonly config: () => MailConfig | undefined;
  readonly addresses: Pick<Addresses, 'open'>;
  readonly confirmation: Pick<ContactConfirmation, 'messageOf'>;
  readonly voteRequest: Pick<VoteRequest, 'messageOf'>;
  readonly recovery: Pick<RecoveryNotices, 'messageOf'>;
  readonly languageOf: (userId: string) => Promise<Language>;
  /** What stands behind the id of a message (`Message-ID: <id@host>`). */
  readonly host: string;
  readonly clock: Clock;
}

/** Notices by mail: one to each address, over a connection of its own. */
export class MailChannel implements ChannelSender {
  constructor(private readonly deps: MailChannelDeps) {}

  /** Loads what sends mail: at the start where mail is on, so that no mail waits for it. */
  async load(): Promise<void> {
    if (this.deps.config() !== undefined) await mailLibrary();
  }

  async send(notice: NoticeRow, signal: AbortSignal): Promise<Delivered> {
    const addressed = await this.addressed(notice);
    if (addressed === undefined) return 'no_recipient';
    await this.mail(addressed.to, addressed.message, notice.id, signal);
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

  /** Whether the mail server answers and takes the login. @throws NotDelivered */
  greet(signal: AbortSignal): Promise<void> {
    return this.connected(signal, async (connection, config) => {
      await logIn(connection, config);
      connection.quit();
    });
  }

  /** One mail to one address. @throws NotDelivered */
  mail(to: string, message: Message, id: string, signal: AbortSignal): Promise<void> {
    return this.connected(signal, async (connection, config) => {
      const text = await this.composed(config, { to, id }, message);
      await logIn(connection, config);
      await answered((done) => connection.send({ from: config.from, to: [to] }, text, done));
      connection.quit();
    });
  }

  /** Does something over a connection of its own. @throws NotDelivered */
  private async connected(
    signal: AbortSignal,
    work: (connection: SMTPConnection, config: MailConfig) => Promise<void>,
  ): Promise<void> {
    const config = this.deps.config();
    if (config === undefined) throw new NotDelivered('notify.mail is off');
    const { Connection } = await mailLibrary();
    signal.throwIfAborted();
    const connection = new Connection(connectionOptions(config, this.deps.host));
    const broken = new Promise<never>((_resolve, reject) => {
      // It stays: an error without a listener would end the process.
      connection.on('error', (error) => reject(refusalOf(error)));
      connection.once('end', () => reject(new NotDelivered('the connection was closed')));
    });
    broken.catch(() => undefined);
    const close = () => connection.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      await Promise.race([work(connection, config), broken]);
    } finally {
      signal.removeEventListener('abort', close);
      connection.close();
    }
  }

  private async composed(
    { from }: MailConfig,
    { to, id }: { readonly to: string; readonly id: string },
    { subject, text }: Message,
  ): Promise<Buffer> {
    const { Composer } = await mailLibrary();
    const mail = new Composer({
      ...{ from, to, subject, text, messageId: `<${id}@${this.deps.host}>` },
      date: new Date(this.deps.clock.now()),
      headers: { 'Auto-Submitted': 'auto-generated' },
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    return mail.compile().build();
  }
}

/** Loaded where mail is on only: it takes memory. */
async function mailLibrary() {
  const { default: Composer } = await import('nodemailer/lib/mail-composer');
  const { default: Connection } = await import('nodemailer/lib/smtp-connection');
  return { Composer, Connection };
}

async function logIn(connection: SMTPConnection, { credentials }: MailConfig): Promise<void> {
  await answered((done) => connection.connect(done));
  if (credentials === undefined) return;
  const { user, password: pass } = credentials;
  await answered((done) => connection.login({ credentials: { user, pass } }, done));
}

/** Waits for one step. @throws NotDelivered */
function answered(step: (done: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    step((error) => (error ? reject(refusalOf(error)) : resolve()));
  });
}

/** A 5xx is final where it is about the mail. The server's words are left out. */
function refusalOf(error: Error): NotDelivered {
  const { code, responseCode } = error as Error & { code?: string; responseCode?: number };
  if (responseCode === undefined) return new NotDelivered(code ?? 'the mail server does not answer');
  const isFinal = responseCode >= 500 && responseCode < 600 && !TO_PUT_RIGHT.includes(code ?? '');
  return new NotDelivered(`the mail server answered ${responseCode}`, isFinal);
}

function connectionOptions({ host, port, security }: MailConfig, name: string) {
  return {
    ...{ host, port, name },
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    maxResponseSize: LONGEST_ANSWER,
    socketCloseTimeout: 0,
    logger: false,
  };
}
