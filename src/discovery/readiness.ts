import type { Homeserver } from '../homeserver/homeserver.ts';
import type { Answer } from '../http/answer.ts';
import { PASSED } from '../matrix/outcome.ts';
import type { Storage } from '../storage/storage.ts';

/** Whether each of the two answers. */
export interface PartsThere {
  readonly store: boolean;
  readonly homeserver: boolean;
}

/** `/_2fa/health` and `/_2fa/ready`, for supervisors and load balancers. */
export class Readiness {
  private underWay: Promise<PartsThere> | undefined;

  constructor(
    private readonly storage: Storage,
    private readonly homeserver: Homeserver,
  ) {}

  /** The process is alive. */
  health(): Answer {
    return { status: 200, body: { status: 'ok' } };
  }

  /** Whether store and homeserver answer: 503 if one does not, with which. */
  async ready(): Promise<Answer> {
    const { store, homeserver } = await this.parts();
    const isReady = store && homeserver;
    return {
      status: isReady ? 200 : 503,
      body: { status: isReady ? 'ok' : 'unavailable', store: word(store), homeserver: word(homeserver) },
      outcome: isReady ? PASSED : { is: 'failed', reason: store ? 'homeserver_down' : 'store' },
    };
  }

  /** Which of the two answer. */
  parts(): Promise<PartsThere> {
    // A check writes to the store, and anyone may ask: requests at the same time share one.
    this.underWay ??= this.check().finally(() => {
      this.underWay = undefined;
    });
    return this.underWay;
  }

  private async check(): Promise<PartsThere> {
    const [store, homeserver] = await Promise.all([
      answers(this.storage.check()),
      answers(this.homeserver.check()),
    ]);
    return { store, homeserver };
  }
}

async function answers(check: Promise<void>): Promise<boolean> {
  try {
    await check;
    return true;
  } catch {
    return false;
  }
}

function word(isThere: boolean): string {
  return isThere ? 'ok' : 'unavailable';
}
