import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { MailConfig } from '../config/config.ts';
import type { Clock } from '../system/clock.ts';
import { NotDelivered } from './channel.ts';
import type { Message } from './message.ts';

/** The longest answer of the mail server, in bytes. */
const LONGEST_ANSWER = 64 * 1024;

/**
 * The steps that are about the mail: its recipient and its text. A refusal at any other one is about the server, the
 * login or the sender: the operator puts that right, and the mail goes out then.
 */
const OF_THE_MAIL: readonly string[] = ['RCPT TO', 'DATA'];
/** Mailbox and transaction (RFC 5321, 4.2.3). 530 asks for a login, and 500 to 504 do not know the command. */
const REFUSED_FOR_GOOD = /^55\d/;
/**
 * A rule of the server (RFC 3463, "X.7.XXX"). Servers tell only when they hear of the recipient that they take nothing from
 * this sender or network, or hand on nothing without a login.
 */
const BY_RULE = /^\d{3}[ -]5\.7\./;

/** The operator's mail server: each mail goes over a connection of its own. */
export class MailServer {
  constructor(
    private readonly deps: {
      readonly config: () => MailConfig | undefined;
      /** What stands behind the id of a message (`Message-ID: <id@host>`). */
      readonly host: string;
      readonly clock: Clock;
    },
  ) {}

  /** Loads what sends mail: at the start where mail is on, so that no mail waits for it. */
  async load(): Promise<void> {
    if (this.deps.config() !== undefined) await mailLibrary();
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

/** What a failure of nodemailer says of the step that failed. */
interface FailedStep extends Error {
  readonly code?: string;
  readonly command?: string;
  readonly responseCode?: number;
  readonly response?: string;
}

/** The server's words are left out. */
function refusalOf(error: FailedStep): NotDelivered {
  const { code, responseCode } = error;
  if (responseCode === undefined) return new NotDelivered(code ?? 'the mail server does not answer');
  return new NotDelivered(`the mail server answered ${responseCode}`, isForGood(error));
}

function isForGood({ command = '', responseCode, response = '' }: FailedStep): boolean {
  if (!OF_THE_MAIL.includes(command) || !REFUSED_FOR_GOOD.test(String(responseCode))) return false;
  return command === 'DATA' || !BY_RULE.test(response);
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
