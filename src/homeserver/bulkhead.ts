import { type Dispatcher, Pool } from 'undici';
import { networkOf } from '../http/network.ts';
import { Refusal } from '../matrix/refusals.ts';
import { SECOND } from '../system/clock.ts';
import { FairQueue } from '../system/fair_queue.ts';

/** How many requests may wait for a connection, in all and from one network; further ones get a 429. */
const WAITING = 1024;
const WAITING_FROM_NETWORK = 512;
const RETRY_AFTER_MS = SECOND;

/** One request on its way through a bulkhead. */
export interface BulkheadCall {
  /** Made when its turn has come. */
  readonly request: () => Dispatcher.RequestOptions;
  /** Whose it is: networks are served by turns. */
  readonly ip: string;
  /** Ends the waiting; what runs ends by the request's own signal. */
  readonly signal: AbortSignal;
}

/**
 * Connections of their own for one kind of requests, so that a slow kind does not delay the others. Networks
 * are served by turns.
 */
export class Bulkhead {
  private readonly pool: Pool;
  private readonly queue: FairQueue;

  constructor(origin: string, options: Pool.Options & { readonly connections: number }) {
    this.pool = new Pool(origin, options);
    this.queue = new FairQueue({
      atOnce: options.connections,
      waiting: WAITING,
      waitingFromSource: WAITING_FROM_NETWORK,
      full: () => new Refusal('limit_exceeded', { retryAfterMs: RETRY_AFTER_MS }),
    });
  }

  /**
   * Sends a request when it is its turn, and hands the answer to `read`, which must read it whole.
   * @throws Refusal limit_exceeded if too much is waiting; the signal's reason; errors of undici
   */
  send<T>(call: BulkheadCall, read: (response: Dispatcher.ResponseData) => Promise<T>): Promise<T> {
    const { request, ip, signal } = call;
    return this.queue.run({ party: networkOf(ip), signal }, async () =>
      read(await this.pool.request(request())),
    );
  }

  /** Ends all connections, whatever is under way. */
  close(): Promise<void> {
    return this.pool.destroy();
  }
}
