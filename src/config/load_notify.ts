import { parseUserId } from '../matrix/user_id.ts';
import { isJsonObject } from '../matrix/wire.ts';
import { hookUrl, lineIn, type NotifyReader, required } from './channel_values.ts';
import type { MailConfig, MatrixConfig, NotifyConfig, WebhookConfig } from './config.ts';
import { smsFrom } from './load_sms.ts';
import { type PathOfType, SETTINGS, type SettingRow, type Settings, settingAt } from './settings.ts';
import { BadValue, isLoopback, parseDuration } from './values.ts';

type NotifySettings = Settings['notify'];
type ChannelName = 'mail' | 'matrix' | 'webhook' | 'sms';

/** One mailbox, without a name before it. */
const SENDER = /^[^\s@<>"(),:;\\[\]]{1,64}@[A-Za-z0-9.-]{1,253}$/;
const HOST = /^(?:[A-Za-z0-9.-]+|[0-9A-Fa-f:.]+)$/;
const TOKEN = /^[\x21-\x7e]+$/;
/** As Standard Webhooks wants it. */
const SECRET_PREFIX = 'whsec_';
const SECRET_BYTES = { least: 24, most: 64 };
const EVENT_PATTERN = /^(?:[a-z_]+(?:\.[a-z_]+)*|(?:[a-z_]+\.)*\*)$/;

/** Who is told of changes, and how. @throws ConfigError */
export function notifyFrom(settings: NotifySettings, reader: NotifyReader): NotifyConfig {
  const durationAt = (path: PathOfType<'duration'>, written: string | number) =>
    reader.at(path.split('.'), () => parseDuration(written, settingAt(path)));
  return {
    language: settings.language,
    mail: channel('mail', 'from', reader, () => mailFrom(settings.mail, reader)),
    matrix: channel('matrix', settings.matrix.appservice ? 'appservice' : 'user_id', reader, () =>
      matrixFrom(settings.matrix, reader),
    ),
    webhook: channel('webhook', 'url', reader, () => webhookFrom(settings.webhook, reader)),
    sms: channel('sms', 'url', reader, () => smsFrom(settings.sms, reader)),
    retryFirstMs: durationAt('notify.retry_first', settings.retry_first),
    giveUpAfterMs: durationAt('notify.give_up_after', settings.give_up_after),
  };
}

/** A channel stands in the file or it is off. With a setting of it, the one that turns it on must be there. */
function channel<T>(
  name: ChannelName,
  turnsOn: string,
  { source, at }: NotifyReader,
  read: () => T,
): T | undefined {
  const { notify } = source.settings;
  const written = isJsonObject(notify) ? notify[name] : undefined;
  if (!isJsonObject(written) || !Object.entries(written).some(([key, value]) => isSet(name, key, value))) {
    return undefined;
  }
  at(['notify', name], () => {
    if (!(turnsOn in written)) throw new BadValue(`needs ${turnsOn}`);
  });
  return read();
}

/** Whether more stands there than the default, which the sample has. */
function isSet(name: ChannelName, key: string, value: unknown): boolean {
  const row: SettingRow | undefined = SETTINGS.find(({ path }) => path === `notify.${name}.${key}`);
  return row?.default === undefined || row.default !== value;
}

function mailFrom(settings: NotifySettings['mail'], { at, absolute }: NotifyReader): MailConfig {
  const { host, port, security, user, password_file: passwordFile } = settings;
  const path = (name: string) => ['notify', 'mail', name];
  const from = at(path('from'), () => {
    const written = settings.from ?? '';
    if (!SENDER.test(written)) throw new BadValue('must be one mail address such as 2fa@example.org');
    return written;
  });
  at(path('host'), () => {
    if (!HOST.test(host)) throw new BadValue('must be the name or the address of a mail server');
  });
  at(path('security'), () => {
    if (security === 'none' && !isLoopback(host)) {
      throw new BadValue('none is for a mail server on loopback only; elsewhere starttls or tls');
    }
  });
  at(path('user'), () => {
    if ((user === undefined) !== (passwordFile === undefined)) {
      throw new BadValue('user and password_file are given together, or neither is');
    }
  });
  if (user === undefined || passwordFile === undefined)
    return { from, host, port, security, credentials: undefined };
  const password = at(path('password_file'), () => lineIn(absolute(passwordFile)));
  return { from, host, port, security, credentials: { user, password } };
}

function matrixFrom(settings: NotifySettings['matrix'], reader: NotifyReader): MatrixConfig {
  return settings.appservice ? ownSender(settings, reader) : accountFrom(settings, reader);
}

/** The account that the homeserver has for our registration: an application service acts as it where it names no one else. */
function ownSender(
  { user_id: userId, access_token_file: file }: NotifySettings['matrix'],
  { at, registration }: NotifyReader,
): MatrixConfig {
  const accessToken = at(['notify', 'matrix', 'appservice'], () => {
    if (userId !== undefined || file !== undefined) {
      throw new BadValue('stands alone: its account is that of homeserver.appservice');
    }
    if (registration === undefined) throw new BadValue('needs homeserver.appservice');
    return registration.asToken;
  });
  return { userId: undefined, accessToken };
}

function accountFrom(settings: NotifySettings['matrix'], { at, absolute }: NotifyReader): MatrixConfig {
  const { user_id: userId = '', access_token_file: file } = settings;
  at(['notify', 'matrix', 'user_id'], () => {
    if (parseUserId(userId) === undefined)
      throw new BadValue('must be a full user id such as "@2fa:example.org"');
  });
  const accessToken = at(['notify', 'matrix', 'access_token_file'], () => {
    const token = lineIn(required(file, absolute));
    if (!TOKEN.test(token)) throw new BadValue('must be a file that holds an access token and nothing else');
    return token;
  });
  return { userId, accessToken };
}

function webhookFrom(settings: NotifySettings['webhook'], { at, absolute }: NotifyReader): WebhookConfig {
  const url = at(['notify', 'webhook', 'url'], () => hookUrl(settings.url ?? '').href);
  const secret = at(['notify', 'webhook', 'secret_file'], () =>
    signingSecret(lineIn(required(settings.secret_file, absolute))),
  );
  const { events = ['*'] } = settings;
  events.forEach((pattern, index) => {
    at(['notify', 'webhook', 'events', index], () => {
      if (!EVENT_PATTERN.test(pattern))
        throw new BadValue('must be an event such as totp.enabled, totp.*, or *');
    });
  });
  return { url, secret, events };
}

function signingSecret(text: string): Buffer {
  const secret = text.startsWith(SECRET_PREFIX)
    ? Buffer.from(text.slice(SECRET_PREFIX.length), 'base64')
    : undefined;
  if (secret === undefined || secret.length < SECRET_BYTES.least || secret.length > SECRET_BYTES.most) {
    throw new BadValue('must be a file with whsec_ and the base64 of 24 to 64 bytes');
  }
  return secret;
}
