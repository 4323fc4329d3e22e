import { createHmac } from 'node:crypto';
import type { WebhookConfig } from '../config/config.ts';
import type { NoticeRow } from '../storage/tables/notices.ts';
import { type Clock, SECOND } from '../system/clock.ts';
import { type ChannelSender, type Delivered, NotDelivered } from './channel.ts';
import { HttpReceiver } from './http_receiver.ts';

/** Notices to the operator's own program, signed as https://www.standardwebhooks.com/ says. */
export class WebhookChannel implements ChannelSender {
  private readonly receiver = new HttpReceiver('receiver');

  constructor(
    private readonly deps: { readonly config: () => WebhookConfig | undefined; readonly clock: Clock },
  ) {}

  async send(notice: NoticeRow, signal: AbortSignal): Promise<Delivered> {
    const config = this.deps.config();
    if (config === undefined) throw new NotDelivered('notify.webhook is off');
    const body = bodyOf(notice);
    const headers = { 'content-type': 'application/json', ...this.signed(config, notice.id, body) };
    await this.receiver.take({ url: config.url, method: 'POST', headers, body }, signal);
    return 'sent';
  }

  /** Ends all connections. */
  close(): Promise<void> {
    return this.receiver.close();
  }

  private signed({ secret }: WebhookConfig, id: string, body: string): Record<string, string> {
    const timestamp = String(Math.floor(this.deps.clock.now() / SECOND));
    const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
    return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
  }
}

function bodyOf({ id, event, happenedAt, userId, actor, detail }: NoticeRow): string {
  return JSON.stringify({
    id,
    event,
    at: happenedAt,
    user_id: userId === '' ? null : userId,
    actor,
    detail: JSON.parse(detail),
  });
}
