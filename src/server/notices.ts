import { recoveryFacts } from '../account_recovery/facts.ts';
import { calendarsOf } from '../account_recovery/frozen_calendar.ts';
import type { Audit } from '../audit/audit.ts';
import type { Config } from '../config/config.ts';
import type { Handlers } from '../gateway/app.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import type { Handler } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Addresses } from '../notify/addresses.ts';
import type { NoticeResult } from '../notify/channel.ts';
import { ContactConfirmation } from '../notify/contact_confirmation.ts';
import { Delivery } from '../notify/delivery.ts';
import { MailChannel } from '../notify/mail_channel.ts';
import { MailServer } from '../notify/mail_server.ts';
import { MatrixChannel } from '../notify/matrix_channel.ts';
import { RecoveryNotices } from '../notify/recovery_notices.ts';
import { SmsChannel } from '../notify/sms_channel.ts';
import { VoteRequest } from '../notify/vote_request.ts';
import { WebhookChannel } from '../notify/webhook_channel.ts';
import { languageFor } from '../pages/texts/language.ts';
import type { Storage } from '../storage/storage.ts';
import { findNoticeOwner, rememberLanguage } from '../storage/tables/notice_owners.ts';
import type { Channel } from '../storage/tables/notices.ts';
import type { Clock } from '../system/clock.ts';
import { LANGUAGES, type Language } from '../system/languages.ts';
import type { Log } from '../system/log.ts';
import type { RandomSource } from '../system/random.ts';
import type { UnderWay } from '../system/under_way.ts';
import type { Vault } from '../vault/vault.ts';

export interface NoticesDeps {
  /** `notify` in it may be read again. */
  readonly config: Config;
  readonly storage: Storage;
  readonly vault: Vault;
  readonly homeserver: Homeserver;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Log;
  readonly onResult: (channel: Channel, result: NoticeResult) => void;
}

/** What sends notices, for `serve` and for `notify test`. */
export type Notices = ReturnType<typeof noticesOf>;

export function noticesOf(deps: NoticesDeps) {
  const { config, storage, clock } = deps;
  const notify = () => config.notify;
  const languageOf = async (userId: string): Promise<Language> => {
    const [owner] = await storage.read(findNoticeOwner(userId));
    return LANGUAGES.find((each) => each === owner?.language) ?? notify().language;
  };
  const addresses = new Addresses({ ...deps, isWanted: () => notify().mail !== undefined });
  const host = new URL(config.publicBaseUrl).hostname;
  const confirmation = new ContactConfirmation({ ...deps, languageOf, publicBaseUrl: config.publicBaseUrl });
  const voteRequest = new VoteRequest({ ...deps, languageOf, publicBaseUrl: config.publicBaseUrl });
  const recovery = new RecoveryNotices({
    ...deps,
    languageOf,
    language: () => notify().language,
    factsOf: recoveryFacts(storage, calendarsOf(config.accountRecovery.calendar)),
    publicBaseUrl: config.publicBaseUrl,
  });
  const mailServer = new MailServer({ config: () => notify().mail, host, clock });
  const senders = {
    mail: new MailChannel({ server: mailServer, addresses, confirmation, recovery, voteRequest, languageOf }),
    matrix: new MatrixChannel({ ...deps, config: () => notify().matrix, recovery, voteRequest, languageOf }),
    webhook: new WebhookChannel({ config: () => notify().webhook, clock }),
    sms: new SmsChannel({ config: () => notify().sms, confirmation, recovery }),
  };
  const delivery = (audit: Audit) => new Delivery({ ...deps, audit, notify, senders });
  const close = async () => {
    await Promise.all([senders.webhook.close(), senders.sms.close()]);
  };
  return { addresses, mailServer, senders, languageOf, delivery, close };
}

/** The homeserver, which is asked for the addresses of an owner as soon as it says whose a token is. */
export function noticingOwners(homeserver: Homeserver, addresses: Addresses): Homeserver {
  return {
    call: (call) => homeserver.call(call),
    whoami: async (token, asker, errand) => {
      const owner = await homeserver.whoami(token, asker, errand);
      if (!owner.isGuest) addresses.notice({ userId: owner.userId, token, client: asker.client });
      return owner;
    },
    logout: (token) => homeserver.logout(token),
    judgePassword: (judged) => homeserver.judgePassword(judged),
    isMadeByOAuth: (token, asker) => homeserver.isMadeByOAuth(token, asker),
    takesPassword: (token, asker) => homeserver.takesPassword(token, asker),
    isAdministrator: (token, userId, asker) => homeserver.isAdministrator(token, userId, asker),
    publishedKeys: (token, userId, asker) => homeserver.publishedKeys(token, userId, asker),
    deviceName: (token, deviceId, asker) => homeserver.deviceName(token, deviceId, asker),
    nameDevice: (token, deviceId, name, client) => homeserver.nameDevice(token, deviceId, name, client),
    check: () => homeserver.check(),
  };
}

export interface VisitDeps {
  readonly config: Pick<Config, 'notify'>;
  readonly storage: Pick<Storage, 'commit' | 'read'>;
  readonly requests: UnderWay;
}

/**
 * Remembers in which language an owner reads our pages, for notices. It is written after the answer is made; what
 * cannot be written is left out.
 */
export function noticingLanguages(handlers: Handlers, deps: VisitDeps): Handlers {
  const entries = Object.entries(handlers).map(([id, handler]): [string, Handler] => [
    id,
    async (request) => {
      const answer = await handler(request);
      const userId = visitorOf(request);
      if (userId !== undefined && areOwnersTold(deps)) {
        // What cannot be written now is written at the next visit.
        deps.requests.track(remember(userId, request, deps)).catch(() => undefined);
      }
      return answer;
    },
  ]);
  return Object.fromEntries(entries) as Handlers;
}

/** The owner whose browser came from one of our pages: they gave a second factor, or their access token. */
function visitorOf({ headers, client, token }: ClientRequest): string | undefined {
  if (headers['sec-fetch-site'] !== 'same-origin' || headers['accept-language'] === undefined)
    return undefined;
  const { record } = client;
  const isProven =
    token.kind === 'token' || record?.checks.some(({ result }) => result === 'accepted') === true;
  return isProven ? record?.userId : undefined;
}

function areOwnersTold({ config: { notify } }: VisitDeps): boolean {
  return notify.mail !== undefined || notify.matrix !== undefined || notify.sms !== undefined;
}

async function remember(userId: string, request: ClientRequest, { storage }: VisitDeps): Promise<void> {
  const language = languageFor(request, { languages: LANGUAGES, otherwise: 'en' });
  const [owner] = await storage.read(findNoticeOwner(userId));
  if (owner?.language !== language) await storage.commit([userId], rememberLanguage(userId, language));
}
