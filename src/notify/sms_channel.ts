import type { SmsConfig } from '../config/config.ts';
import { filled, filledJson, type Placeholders } from '../config/placeholders.ts';
import type { NoticeRow } from '../storage/tables/notices.ts';
import { type ChannelSender, type Delivered, NotDelivered } from './channel.ts';
import { CONFIRM_CONTACT, type ContactConfirmation } from './contact_confirmation.ts';
import { HttpReceiver, type SentRequest } from './http_receiver.ts';
import type { RecoveryNotices } from './recovery_notices.ts';

const CONTENT_TYPES: Readonly<Record<SmsConfig['format'], string>> = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
};

/** A key that has ended, or no money left: the operator puts them right, and the message goes out then. */
const TO_PUT_RIGHT: readonly number[] = [401, 402, 403];

/** The longest number is E.164's 15 digits. No shorter one has a country's code and a subscriber's number. */
const NUMBER = /^\+[1-9][0-9]{6,14}$/;

export interface SmsChannelDeps {
  readonly config: () => SmsConfig | undefined;
  readonly confirmation: Pick<ContactConfirmation, 'textOf'>;
  readonly recovery: Pick<RecoveryNotices, 'textOf'>;
}

/** Text messages by a gateway of the operator, to the contact numbers of owners: they tell of recoveries, and of nothing else. */
export class SmsChannel implements ChannelSender {
  private readonly receiver = new HttpReceiver('gateway', TO_PUT_RIGHT);

  constructor(private readonly deps: SmsChannelDeps) {}

  async send(notice: NoticeRow, signal: AbortSignal): Promise<Delivered> {
    const { confirmation, recovery } = this.deps;
    const from = notice.event === CONFIRM_CONTACT ? confirmation : recovery;
    const addressed = await from.textOf(notice);
    if (addressed === undefined) return 'no_recipient';
    await this.text(addressed.to, addressed.text, notice.id, signal);
    return 'sent';
  }

  /** One message to one number. @throws NotDelivered */
  async text(number: string, text: string, id: string, signal: AbortSignal): Promise<void> {
    const config = this.deps.config();
    if (config === undefined) throw new NotDelivered('notify.sms is off');
    await this.receiver.take(requestFor(config, { number, text, id }), signal);
  }

  /** Ends all connections. */
  close(): Promise<void> {
    return this.receiver.close();
  }
}

/** Whether it is a phone number as E.164 writes it, and nothing else. */
export function isPhoneNumber(text: string): boolean {
  return NUMBER.test(text);
}

/** Each value stays within its place: escaped in URL and form, one string in JSON. */
function requestFor(
  { url, method, headers, format, body, secret }: SmsConfig,
  message: { readonly number: string; readonly text: string; readonly id: string },
): SentRequest {
  const digits = message.number.slice('+'.length);
  const values: Placeholders = { ...message, digits, ...(secret !== undefined && { secret }) };
  const ofBody = method === 'GET' ? {} : { 'content-type': CONTENT_TYPES[format] };
  const own = Object.entries(headers).map(([name, value]) => [name, filled(value, values)]);
  return {
    url: filled(url, values, encodeURIComponent),
    method,
    headers: { ...ofBody, ...Object.fromEntries(own) },
    ...(method !== 'GET' && {
      body:
        format === 'json'
          ? JSON.stringify(filledJson(JSON.parse(body), values))
          : filled(body, values, encodeURIComponent),
    }),
  };
}
