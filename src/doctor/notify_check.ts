import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { MatrixConfig } from '../config/config.ts';
import { HomeserverClient } from '../homeserver/homeserver_client.ts';
import { failureOf, inTime } from '../notify/channel.ts';
import { MailServer } from '../notify/mail_server.ts';
import { MatrixChannel } from '../notify/matrix_channel.ts';
import type { Storage } from '../storage/storage.ts';
import { listDeadLetters } from '../storage/tables/notices.ts';
import { SECOND } from '../system/clock.ts';
import { silentLog } from '../system/log.ts';
import { type Finding, fail, type InsideCheck, listed, ok, skipped, warn } from './check.ts';
import type { Installation } from './installation.ts';

const TRY_MS = 10 * SECOND;

export const notifyCheck: InsideCheck = {
  id: 'notify',
  about: 'notices can be delivered',
  outside: false,
  run: async (installation) => {
    const { mail, matrix, webhook, sms } = installation.config.notify;
    const channels = Object.entries({ mail, matrix, webhook, sms });
    const on = channels.flatMap(([name, config]) => (config ? [name] : []));
    if (on.length === 0) return skipped('it is off: users are not notified of changes');
    const tried = [
      ...(mail ? ['greeted the mail server'] : []),
      ...(matrix ? [`asked the homeserver whose the token of ${sourceOf(matrix)} is`] : []),
      ...(sms ? ['connected to the gateway for text messages'] : []),
      'counted dead letters',
    ];
    return (
      (await mailFault(installation, tried)) ??
      (await matrixFault(installation, tried)) ??
      (await smsFault(installation, tried)) ??
      (await deadLetters(installation, tried)) ??
      ok(tried, `on: ${listed(on)}; "notify test" sends one`)
    );
  },
};

/** What is sent here is for no one by name. */
const NO_RECIPIENTS = { messageOf: async () => undefined };

async function mailFault({ config, parts }: Installation, tried: string[]): Promise<Finding | undefined> {
  const { mail } = config.notify;
  if (mail === undefined) return undefined;
  const { hostname } = new URL(config.publicBaseUrl);
  const server = new MailServer({ config: () => mail, host: hostname, clock: parts.clock });
  const failure = await inTime(TRY_MS, (signal) => server.greet(signal)).then(() => undefined, failureOf);
  if (failure === undefined) return undefined;
  const { host, port } = mail;
  return fail(
    tried,
    `the mail server at ${host}, port ${port}: ${failure.reason}`,
    'start it, or correct notify.mail',
  );
}

async function matrixFault(installation: Installation, tried: string[]): Promise<Finding | undefined> {
  const { config, parts } = installation;
  const { matrix } = config.notify;
  if (matrix === undefined || !(await installation.homeserverAnswers())) return undefined;
  const homeserver = new HomeserverClient({
    url: config.homeserver.url,
    random: parts.random,
    log: silentLog,
  });
  const sender = new MatrixChannel({
    ...{ config: () => matrix, homeserver, storage: NOT_ASKED, random: parts.random },
    voteRequest: { messageOf: async () => undefined },
    recovery: NO_RECIPIENTS,
    languageOf: async () => config.notify.language,
  });
  try {
    const owner = await inTime(TRY_MS, (signal) => sender.whoami(signal)).catch(failureOf);
    const found = owner instanceof Error ? owner.message : 'it is the token of another account';
    if (matrix.userId === undefined) {
      const isKnown = typeof owner === 'string';
      return isKnown ? undefined : fail(tried, `notify.matrix.appservice has no account: ${found}`, INSTALL);
    }
    if (owner === matrix.userId) return undefined;
    return fail(
      tried,
      `notify.matrix.access_token_file does not open ${matrix.userId}: ${found}`,
      'log in as that account, and put the token into the file',
    );
  } finally {
    await homeserver.close();
  }
}

/** Only whether it can be reached: a message would cost money. */
async function smsFault({ config }: Installation, tried: string[]): Promise<Finding | undefined> {
  const { sms } = config.notify;
  if (sms === undefined) return undefined;
  const { origin } = new URL(sms.url);
  const why = await whyNotReached(origin);
  if (why === undefined) return undefined;
  return fail(tried, `the gateway for text messages at ${origin}: ${why}`, 'correct notify.sms.url');
}

/** Connects, with a certificate that is right, and sends nothing. What went wrong; undefined: nothing. */
function whyNotReached(origin: string): Promise<string | undefined> {
  const { protocol, hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[|\]$/g, '');
  const isTls = protocol === 'https:';
  const where = { host, port: Number(port || (isTls ? 443 : 80)) };
  const socket = isTls
    ? connectTls({ ...where, ...(isIP(host) === 0 && { servername: host }) })
    : connect(where);
  return new Promise((resolve) => {
    const settle = (why?: string): void => {
      socket.destroy();
      resolve(why);
    };
    socket.setTimeout(TRY_MS, () => settle('no answer'));
    socket.once('error', ({ code, message }: NodeJS.ErrnoException) => settle(code ?? message));
    socket.once(isTls ? 'secureConnect' : 'connect', () => settle());
  });
}

const INSTALL = 'make the file of homeserver.appservice known to the homeserver';

function sourceOf({ userId }: MatrixConfig): string {
  return userId === undefined ? 'homeserver.appservice' : 'notify.matrix.access_token_file';
}

/** Asking whose a token is needs no store. */
const NOT_ASKED: Pick<Storage, 'commit' | 'read'> = {
  commit: () => Promise.reject(new Error('not asked')),
  read: () => Promise.reject(new Error('not asked')),
};

async function deadLetters(installation: Installation, tried: string[]): Promise<Finding | undefined> {
  const storage = await installation.database.storage();
  const letters = (await storage?.read(listDeadLetters())) ?? [];
  if (letters.length === 0) return undefined;
  const channels = [...new Set(letters.map(({ channel }) => channel))];
  return warn(
    tried,
    `${letters.length} given up by ${listed(channels)}`,
    'see why with "notify dead-letters"; send them with --retry all, or drop them',
  );
}
