import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import type { WebhookConfig } from '../config/config.ts';
import type { NoticeRow } from '../storage/tables/notices.ts';
import { type Clock, SECOND } from '../system/clock.ts';
import { type ChannelSender, type Delivered, NotDelivered } from './channel.ts';

/** Statuses of 400 to 499 after which another attempt may be taken. */
const PASSING: readonly number[] = [408, 425, 429];

/**
 * Notices to the operator's own program, signed as https://www.standardwebhooks.com/ says. No redirect is followed, and
 * nothing of an answer is read but its status.
 */
export class WebhookChannel implements ChannelSender {
  /** Its own: a receiver that hangs takes no connection from anything else. */
  private readonly agent = new Agent({ connections: 16, maxHeaderSize: 16 * 1024 });

  constructor(
    private readonly deps: { readonly config: () => WebhookConfig | undefined; readonly clock: Clock },
  ) {}

  async send(notice: NoticeRow, signal: AbortSignal): Promise<Delivered> {
    const config = this.deps.config();
    if (config === undefined) throw new NotDelivered('notify.webhook is off');
    const body = bodyOf(notice);
    const { statusCode, body: answer } = await request(config.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...this.signed(config, notice.id, body) },
      body,
      signal,
      dispatcher: this.agent,
    });
    answer.on('error', () => undefined);
    answer.destroy();
    if (statusCode >= 200 && statusCode < 300) return 'sent';
    const isFinal = statusCode >= 400 && statusCode < 500 && !PASSING.includes(statusCode);
    throw new NotDelivered(`the receiver answered ${statusCode}`, isFinal);
  }

  /** Ends all connections. */
  close(): Promise<void> {
    return this.agent.destroy();
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
