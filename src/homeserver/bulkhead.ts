import { networkOf } from '../http/network.ts';
import { Refusal } from '../matrix/refusals.ts';
import { SECOND } from '../system/clock.ts';
import { FairQueue } from '../system/fair_queue.ts';
import { type Dispatcher, Pool, type PoolOptions } from '../system/undici.ts';

/** How many requests may wait for a connection, in all and from one network; further ones get a 429. */
const WAITING = 1024;
const WAITING_FROM_NETWORK = 512;
const RETRY_AFTER_MS = SECOND;

/** Whose turn it is to use a connection. */
export interface BulkheadTurn {
  /** Networks are served by turns. */
  readonly ip: string;
  /** Ends the waiting; what runs ends by its own means. */
  readonly signal?: AbortSignal | undefined;
  /** How long the turn may be waited for. */
  readonly queueMs: number;
}

/**
 * Connections of their own for one kind of requests, so that a slow kind does not delay the others. Networks
 * are served by turns.
 */
export class Bulkhead {
  private readonly pool: Pool;
  private readonly queue: FairQueue;

  constructor(origin: string, options: PoolOptions & { readonly connections: number }) {
    this.pool = new Pool(origin, options);
    this.queue = new FairQueue({
      atOnce: options.connections,
      waiting: WAITING,
      waitingFromSource: WAITING_FROM_NETWORK,
      full: () => new Refusal('limit_exceeded', { limit: 'connections', retryAfterMs: RETRY_AFTER_MS }),
    });
  }

  /**
   * Exchanges something with the homeserver when it is its turn.
   * @throws Refusal limit_exceeded if too much is waiting, homeserver_slow if the turn does not come; the signal's reason
   */
  inTurn<T>({ ip, signal, queueMs }: BulkheadTurn, exchange: () => Promise<T>): Promise<T> {
    return this.queue.run({ party: networkOf(ip), signal, patience: { ms: queueMs, late } }, exchange);
  }

  /** Sends a request, for whom it is the turn. */
  dispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.pool.dispatch(request, handler);
  }

  /** Ends all connections, whatever is under way. */
  close(): Promise<void> {
    return this.pool.destroy();
  }
}

function late(): Refusal {
  return new Refusal('homeserver_slow');
}
