import type { Answer, Handler } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { StoreUnavailable } from '../storage/errors.ts';
import type { Driver } from '../storage/statement.ts';
import { findProbe } from '../storage/tables/probes.ts';
import { SECOND } from '../system/clock.ts';
import type { Pause } from '../system/pause.ts';
import { hashToken } from '../system/token_hash.ts';

/** The header with which `doctor` asks whether a request reaches us. */
export const PROBE_HEADER = 'x-m2fa-probe';

/** What a nonce looks like: nothing else is looked up. */
const NONCE = /^[\w-]{22,64}$/;

/** As late as `doctor` asks for an answer, in seconds. */
const LATEST = 120;

/**
 * Requests by which `doctor` finds out which way requests take: with a nonce that counts now, every own or gated route
 * says who answers and whom it sees, and does nothing else. Without one the header means nothing.
 */
export class Probes {
  constructor(
    private readonly deps: {
      readonly storage: Pick<Driver, 'read'>;
      /** Names this process. */
      readonly process: string;
      readonly pause: Pause;
    },
  ) {}

  /** The handler of a route as it is for requests without a probe. */
  beforeHandler(handler: Handler): Handler {
    return async (request) => {
      if (request.headers[PROBE_HEADER] === undefined || !(await this.isLive(request)))
        return handler(request);
      return this.answer(request);
    };
  }

  /** `GET /_2fa/probe?wait=S`: answers after so many seconds. @throws Refusal unrecognized without a nonce that counts */
  async late(request: ClientRequest): Promise<Answer> {
    if (!(await this.isLive(request))) throw new Refusal('unrecognized');
    const wait = request.query.get('wait') ?? '0';
    if (!/^\d{1,3}$/.test(wait) || Number(wait) > LATEST) throw new Refusal('invalid_param');
    await this.deps.pause(Number(wait) * SECOND);
    return this.answer(request);
  }

  private answer({ client }: ClientRequest): Answer {
    return {
      status: 200,
      body: {
        process: this.deps.process,
        address: client.ip,
        proto: client.proto,
        host: client.host ?? '',
      },
    };
  }

  private async isLive({ headers }: ClientRequest): Promise<boolean> {
    const nonce = headers[PROBE_HEADER];
    if (nonce === undefined || !NONCE.test(nonce)) return false;
    try {
      return (await this.deps.storage.read(findProbe(hashToken(nonce)))).length > 0;
    } catch (error) {
      // Whether the route needs the store is for its handler to find out.
      if (error instanceof StoreUnavailable) return false;
      throw error;
    }
  }
}
