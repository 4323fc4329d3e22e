import { Agent, request } from '../system/undici.ts';
import { NotDelivered } from './channel.ts';

/** Statuses of 400 to 499 after which another attempt may be taken. */
const PASSING: readonly number[] = [408, 425, 429];

/** A request to a program that takes notices. */
export interface SentRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: none. */
  readonly body?: string;
}

/** Posts to a program of the operator. No redirect is followed, and nothing of an answer is read but its status. */
export class HttpReceiver {
  /** Its own: a receiver that hangs takes no connection from anything else. */
  private readonly agent = new Agent({ connections: 16, maxHeaderSize: 16 * 1024 });

  constructor(
    /** What a failure calls it. */
    private readonly name: string,
    /** Further statuses of 400 to 499 that the operator puts right: the notice goes out then. */
    private readonly toPutRight: readonly number[] = [],
  ) {}

  /** @throws NotDelivered unless it answers 2xx */
  async take({ url, method, headers, body }: SentRequest, signal: AbortSignal): Promise<void> {
    const { statusCode, body: answer } = await request(this.agent, url, {
      ...{ method, headers, body: body ?? null },
      signal,
    });
    answer.on('error', () => undefined);
    answer.destroy();
    if (statusCode >= 200 && statusCode < 300) return;
    const mayPass = PASSING.includes(statusCode) || this.toPutRight.includes(statusCode);
    const isFinal = statusCode >= 400 && statusCode < 500 && !mayPass;
    throw new NotDelivered(`the ${this.name} answered ${statusCode}`, isFinal);
  }

  /** Ends all connections. */
  close(): Promise<void> {
    return this.agent.destroy();
  }
}
