import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { HomeserverClient } from '../homeserver/homeserver_client.ts';
import { isMailAddress } from '../notify/addresses.ts';
import { failureOf, inTime } from '../notify/channel.ts';
import { messageOf } from '../notify/message.ts';
import { TEST } from '../notify/owner_events.ts';
import { isPhoneNumber } from '../notify/sms_channel.ts';
import { type Notices, noticesOf } from '../server/notices.ts';
import type { Storage } from '../storage/storage.ts';
import type { NoticeRow } from '../storage/tables/notices.ts';
import { SECOND } from '../system/clock.ts';
import { silentLog } from '../system/log.ts';
import { randomId } from '../system/random.ts';
import { readKeys } from '../vault/key_source.ts';
import { SealingVault } from '../vault/sealing_vault.ts';
import { CommandFailed, UsageError } from './failures.ts';
import { configFrom, configOption, requireUserId } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';

const TRY_MS = 10 * SECOND;

interface TestOptions {
  readonly config?: string;
  readonly user?: string;
  readonly mail?: string;
  readonly webhook?: boolean;
  readonly sms?: string;
}

/** One notice to be sent now, and to whom, in words. */
interface Trial {
  readonly to: string;
  send(signal: AbortSignal): Promise<unknown>;
}

/** `notify test`: sends one notice now, past the outbox, and says what became of it. */
export function notifyTestCommand(surroundings: Surroundings): Command {
  return new Command('test')
    .description('send a test notice now')
    .option('--user <user-id>', 'on each channel on which this user is told')
    .option('--mail <address>', 'by mail to this address')
    .option('--webhook', 'to the webhook')
    .option('--sms <number>', 'as a text message to this number')
    .addOption(configOption())
    .action((options: TestOptions) => test(options, surroundings));
}

async function test(options: TestOptions, surroundings: Surroundings): Promise<void> {
  const { user, mail, webhook, sms } = options;
  if ([user, mail, webhook, sms].filter((each) => each !== undefined).length !== 1) {
    throw new UsageError('say one of --user, --mail, --webhook and --sms');
  }
  if (user !== undefined) requireUserId(user);
  if (mail !== undefined && !isMailAddress(mail)) throw new UsageError(`"${mail}" is not a mail address`);
  if (sms !== undefined && !isPhoneNumber(sms)) {
    throw new UsageError(`"${sms}" is not a phone number such as +4915112345678`);
  }
  const config = configFrom(options.config, surroundings);
  await withStore(config, surroundings, (storage) =>
    withNotices(config, storage, surroundings, async (notices) => {
      const trials = await trialsOf(options, config, notices, surroundings);
      let failed = 0;
      for (const { to, send } of trials) {
        const failure = await inTime(TRY_MS, send).then(() => undefined, failureOf);
        if (failure === undefined) surroundings.out(`sent to ${to}`);
        else surroundings.err(`not sent to ${to}: ${failure.reason}`);
        failed += failure === undefined ? 0 : 1;
      }
      if (failed > 0) throw new CommandFailed(`${failed} of ${trials.length} could not be sent`);
    }),
  );
}

/** @throws CommandFailed if there is nothing to send */
async function trialsOf(
  { user, mail, webhook, sms }: TestOptions,
  { notify, publicBaseUrl }: Config,
  notices: Notices,
  { random, clock }: Surroundings,
): Promise<Trial[]> {
  const { mailServer, senders, addresses, languageOf } = notices;
  const id = randomId(random);
  const userId = user ?? `@test:${new URL(publicBaseUrl).hostname}`;
  const told = { ...NOTHING, userId, happenedAt: clock.now() };
  const message = messageOf(told, await languageOf(userId));
  const requireOn = (name: 'mail' | 'webhook' | 'sms') => {
    if (notify[name] === undefined) throw new CommandFailed(`notify.${name} is off`);
  };
  if (message === undefined) return [];
  const byMail = (address: string, n: number): Trial => ({
    to: address,
    send: (signal) => mailServer.mail(address, message, `${id}.${n}`, signal),
  });
  if (mail !== undefined) {
    requireOn('mail');
    return [byMail(mail, 0)];
  }
  if (webhook === true) {
    requireOn('webhook');
    const notice: NoticeRow = { ...told, id, channel: 'webhook', recipient: null, madeAt: told.happenedAt };
    return [{ to: 'the webhook', send: (signal) => senders.webhook.send(notice, signal) }];
  }
  if (sms !== undefined) {
    requireOn('sms');
    return [{ to: sms, send: (signal) => senders.sms.text(sms, message.subject, id, signal) }];
  }
  const mails = notify.mail === undefined ? [] : (await addresses.of(userId)).map(byMail);
  const inRoom: Trial = { to: userId, send: (signal) => senders.matrix.message(userId, message, id, signal) };
  const trials = [...mails, ...(notify.matrix === undefined ? [] : [inRoom])];
  if (trials.length === 0) throw new CommandFailed(`${userId} is told on no channel: no address is known`);
  return trials;
}

const NOTHING = {
  ...{
    event: TEST,
    actor: 'operator',
    address: null,
    deviceId: null,
    detail: '{}',
    attempts: 1,
    failure: null,
  },
};

async function withNotices(
  config: Config,
  storage: Storage,
  { clock, random }: Surroundings,
  work: (notices: Notices) => Promise<void>,
): Promise<void> {
  const log = silentLog;
  const vault = new SealingVault(await readKeys(config.keys.source), random);
  const homeserver = new HomeserverClient({ url: config.homeserver.url, random, log });
  const deps = { config, storage, vault, homeserver, clock, random, log, onResult: () => undefined };
  const notices = noticesOf(deps);
  try {
    await work(notices);
  } finally {
    await notices.close();
    await homeserver.close();
  }
}
