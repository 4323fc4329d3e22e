import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { MailConfig } from '../config/config.ts';
import type { Clock } from '../system/clock.ts';
import { NotDelivered } from './channel.ts';
import type { Message } from './message.ts';

/** The longest answer of the mail server, in bytes. */
const LONGEST_ANSWER = 64 * 1024;

/** Failures of the login and of STARTTLS: the operator puts them right, and the mail goes out then. */
const TO_PUT_RIGHT: readonly string[] = ['EAUTH', 'ETLS'];

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
