import { errcodeOf } from '../homeserver/answer_refusal.ts';
import type { Homeserver, HomeserverAnswer } from '../homeserver/homeserver.ts';
import type { Handler } from '../http/answer.ts';
import type { ClientAddress } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { MINUTE, type Ticks } from '../system/clock.ts';
import type { Log } from '../system/log.ts';

/** Where homeservers say that they have an OAuth of their own (client-server API v1.19, "Server metadata discovery"). */
const METADATA_PATHS = [
  '/_matrix/client/v1/auth_metadata',
  '/_matrix/client/unstable/org.matrix.msc2965/auth_metadata',
] as const;

const ASK_AGAIN_MS = 10 * MINUTE;
/** No client asks for it. */
const OURSELVES: ClientAddress = { ip: '127.0.0.1', proto: 'https', host: undefined };

/** `shut`: the homeserver has an OAuth of its own. `unknown`: it has not said yet whether it has. */
export type OauthState = 'off' | 'unknown' | 'shut' | 'open';

/**
 * Whether apps may sign in by OAuth here. Before a homeserver that has the API itself they may not: its sessions ask for
 * no second factor, and two servers with one user's sessions would be one too many. What it said last holds while it
 * does not answer.
 */
export class OauthSwitch {
  private known: Exclude<OauthState, 'off'> = 'unknown';
  private askedAt = 0;
  private underWay: Promise<void> | undefined;

  constructor(
    private readonly deps: {
      readonly homeserver: Pick<Homeserver, 'call'>;
      readonly ticks: Ticks;
      readonly log: Log;
    },
    private readonly enabled: boolean,
  ) {}

  get state(): OauthState {
    return this.enabled ? this.known : 'off';
  }

  /** Whether its paths are there at all. */
  get isServed(): boolean {
    return this.state === 'open' || this.state === 'unknown';
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  /** Asks the homeserver where that is due: at once while nothing is known, and then every ten minutes. */
  async round(): Promise<void> {
    if (!this.enabled) return;
    if (this.known !== 'unknown' && this.deps.ticks() - this.askedAt < ASK_AGAIN_MS) return;
    this.underWay ??= this.ask().finally(() => {
      this.underWay = undefined;
    });
    await this.underWay;
  }

  /** A handler that fails closed: 503 while nothing is known, and not there while it is shut. */
  gated(handle: Handler): Handler {
    return async (request) => {
      if (this.state === 'unknown') throw new Refusal('oauth_not_known');
      if (!this.isOpen) throw new Refusal('unrecognized');
      return handle(request);
    };
  }

  private async ask(): Promise<void> {
    const answers = await Promise.all(METADATA_PATHS.map((path) => this.hasAt(path)));
    if (answers.includes(true)) this.learn('shut');
    else if (answers.every((answer) => answer === false)) this.learn('open');
    else return;
    this.askedAt = this.deps.ticks();
  }

  /** Undefined where the homeserver did not say. */
  private async hasAt(path: string): Promise<boolean | undefined> {
    try {
      const answer = await this.deps.homeserver.call({
        ...{ method: 'GET', path, client: OURSELVES, errand: 'essential' },
      });
      if (answer.status >= 200 && answer.status < 300) return true;
      return saysThereIsNone(answer) ? false : undefined;
    } catch (error) {
      this.deps.log.debug({ err: error }, 'The homeserver did not say whether it has an OAuth of its own');
      return undefined;
    }
  }

  private learn(state: 'shut' | 'open'): void {
    if (this.known === state) return;
    this.known = state;
    const { log } = this.deps;
    if (state === 'open') log.info({}, 'Apps can sign in by OAuth 2.0');
    else {
      log.error(
        {},
        'The homeserver has an OAuth of its own: oauth.enabled has no effect. Switch one of the two off (docs/oauth.md)',
      );
    }
  }
}

/** A page of a web server in the place of the homeserver has these statuses, too, and says nothing of it. */
function saysThereIsNone(answer: HomeserverAnswer): boolean {
  const errcode = errcodeOf(answer);
  const isKnown = errcode === 'M_UNRECOGNIZED' || errcode === 'M_NOT_FOUND';
  return isKnown && (answer.status === 404 || answer.status === 405);
}
