import type { ClientAddress } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { SECOND, systemTicks, type Ticks } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { RandomSource } from '../system/random.ts';
import { isAdministrator } from './administrator.ts';
import { Bulkhead } from './bulkhead.ts';
import { deviceName, nameDevice } from './device_name.ts';
import { refusedHere, sentRequest, tlsNameOf, WholeAnswer } from './exchange.ts';
import type {
  Asker,
  CallHomeserver,
  Errand,
  Homeserver,
  HomeserverAnswer,
  HomeserverCall,
  JudgedPassword,
  PasswordJudgement,
  PublishedKeys,
  TokenOwner,
} from './homeserver.ts';
import { failureIn, failureOf, type HomeserverWatch, nameOf } from './homeserver_watch.ts';
import { isMadeByOAuth, judgePassword, takesPassword } from './judge_password.ts';
import { LATE_AFTER_ALL_MS, LateAnswers } from './late_answers.ts';
import { logout } from './logout.ts';
import { publishedKeys } from './published_keys.ts';
import { transportRefusal } from './transport_refusal.ts';
import { whoami } from './whoami.ts';

const LARGEST_ANSWER = 1024 * 1024;
/** Connections of each kind of requests; readiness checks have their own, so that a busy server counts as ready. */
const CONNECTIONS = { sign_in: 128, other: 128, essential: 32, check: 2 } as const;
const SENDABLE_TOKEN = /^[\x21-\x7e]+$/;

/** The client of requests that no client asked for: logging out a hold at its end, the readiness check. */
const OURSELVES: ClientAddress = { ip: '127.0.0.1', proto: 'https', host: undefined };

export interface HomeserverClientOptions {
  /** Scheme, host and port of the homeserver; a path in it is not used. */
  readonly url: string;
  readonly random: RandomSource;
  readonly log: Log;
  readonly ticks?: Ticks;
  readonly watch?: HomeserverWatch;
  /** Milliseconds until a connection, TLS included, must stand; also the limit of `check`. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds until an answer must have been read whole. */
  readonly answerTimeoutMs?: number;
}

/**
 * Talks to the homeserver over kept-alive connections: our own serialisation and no headers but ours (R2), no
 * redirects followed, nothing tried twice.
 */
export class HomeserverClient implements Homeserver {
  private readonly bulkheads: Readonly<Record<keyof typeof CONNECTIONS, Bulkhead>>;
  private readonly lateAnswers: LateAnswers;
  private readonly tlsName: string | undefined;
  private readonly random: RandomSource;
  private readonly log: Log;
  private readonly ticks: Ticks;
  private readonly watch: HomeserverWatch | undefined;
  private readonly connectTimeoutMs: number;
  private readonly answerTimeoutMs: number;

  constructor(options: HomeserverClientOptions) {
    this.random = options.random;
    this.log = options.log;
    this.ticks = options.ticks ?? systemTicks;
    this.watch = options.watch;
    this.connectTimeoutMs = options.connectTimeoutMs ?? 5 * SECOND;
    this.answerTimeoutMs = options.answerTimeoutMs ?? 60 * SECOND;
    this.lateAnswers = new LateAnswers(this.answerTimeoutMs, this.log);
    this.tlsName = tlsNameOf(options.url);
    const bulkhead = (connections: number) =>
      new Bulkhead(new URL(options.url).origin, {
        connections,
        connect: { timeout: this.connectTimeoutMs },
        maxResponseSize: LARGEST_ANSWER,
        // One deadline over the whole request replaces these two.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
    this.bulkheads = {
      sign_in: bulkhead(CONNECTIONS.sign_in),
      other: bulkhead(CONNECTIONS.other),
      essential: bulkhead(CONNECTIONS.essential),
      check: bulkhead(CONNECTIONS.check),
    };
  }

  /**
   * One request, answered whole.
   *
   * @throws Refusal homeserver_unreachable, homeserver_slow or homeserver_unclear (over 1 MiB, compressed,
   *   not HTTP); unknown_token if the token has characters that no header may carry; the signal's reason if
   *   it was aborted.
   */
  async call(call: HomeserverCall): Promise<HomeserverAnswer> {
    const refused = refusedHere(call.body);
    if (refused !== undefined) return refused;
    const bulkhead = this.bulkheads[call.errand ?? 'other'];
    const timeMs = this.answerTimeoutMs;
    const { whenLate } = call;
    if (whenLate === undefined) return this.ask(call, bulkhead, { queueMs: timeMs, answerMs: timeMs });
    const times = { queueMs: timeMs, answerMs: LATE_AFTER_ALL_MS };
    return this.lateAnswers.inTime((sent) => this.ask(call, bulkhead, times, sent), whenLate);
  }

  whoami(token: string, asker: Asker, errand?: Errand): Promise<TokenOwner> {
    const call: CallHomeserver = (asked) => this.call(errand === undefined ? asked : { ...asked, errand });
    return whoami(call, token, asker);
  }

  logout(token: string): Promise<void> {
    return logout((call) => this.call({ ...call, errand: 'essential' }), token, OURSELVES);
  }

  judgePassword(judged: JudgedPassword): Promise<PasswordJudgement> {
    return judgePassword((call) => this.call(call), this.random, this.log, judged);
  }

  isMadeByOAuth(token: string, asker: Asker): Promise<boolean> {
    return isMadeByOAuth((call) => this.call(call), this.random, token, asker);
  }

  takesPassword(token: string, asker: Asker): Promise<boolean> {
    return takesPassword((call) => this.call(call), this.random, token, asker);
  }

  isAdministrator(token: string, userId: string, asker: Asker): Promise<boolean | undefined> {
    return isAdministrator((call) => this.call(call), { token, userId }, asker);
  }

  publishedKeys(token: string, userId: string, asker: Asker): Promise<PublishedKeys> {
    return publishedKeys((call) => this.call(call), token, userId, asker);
  }

  nameDevice(token: string, deviceId: string, name: string, client: ClientAddress): Promise<boolean> {
    return nameDevice((call) => this.call(call), { token, deviceId, name, client });
  }

  deviceName(token: string, deviceId: string, asker: Asker): Promise<string | undefined> {
    return deviceName((call) => this.call(call), { token, deviceId }, asker);
  }

  async check(): Promise<void> {
    const versions: HomeserverCall = {
      method: 'GET',
      path: '/_matrix/client/versions',
      client: OURSELVES,
    };
    const times = { queueMs: this.connectTimeoutMs, answerMs: this.connectTimeoutMs };
    const answer = await this.ask(versions, this.bulkheads.check, times);
    // A web server in between answers 502 or 503 for a homeserver that is down.
    if (answer.status >= 500) throw new Refusal('homeserver_unreachable');
  }

  /**
   * Refuses all who wait for a login or a change of their account, and resolves once what the homeserver does all the same
   * is ended, or on record.
   */
  endLogins(): Promise<void> {
    return this.lateAnswers.close();
  }

  /** Ends all connections; requests under way are refused as unreachable. */
  async close(): Promise<void> {
    await Promise.all(Object.values(this.bulkheads).map((bulkhead) => bulkhead.close()));
  }

  private async ask(
    call: HomeserverCall,
    bulkhead: Bulkhead,
    times: { readonly queueMs: number; readonly answerMs: number },
    sent?: () => void,
  ): Promise<HomeserverAnswer> {
    if (call.token !== undefined && !SENDABLE_TOKEN.test(call.token)) throw new Refusal('unknown_token');
    const begun = this.ticks();
    const turn = { ip: call.client.ip, signal: call.signal, queueMs: times.queueMs };
    try {
      const answer = await bulkhead.inTurn(turn, () => {
        sent?.();
        return this.exchange(call, bulkhead, times.answerMs);
      });
      return this.answered(call, answer, this.ticks() - begun);
    } catch (error) {
      throw this.failed(call, error);
    } finally {
      call.client.record?.waited(this.ticks() - begun);
    }
  }

  private answered(call: HomeserverCall, answer: HomeserverAnswer, ms: number): HomeserverAnswer {
    const failure = failureOf(answer.status);
    this.watch?.answered(nameOf(call), ms);
    if (failure !== undefined) this.watch?.failed(nameOf(call), failure);
    return answer;
  }

  private failed(call: HomeserverCall, error: unknown): unknown {
    const failure = failureIn(error);
    if (failure !== undefined) this.watch?.failed(nameOf(call), failure, error);
    return error;
  }

  private async exchange(
    call: HomeserverCall,
    bulkhead: Bulkhead,
    answerMs: number,
  ): Promise<HomeserverAnswer> {
    const { signal } = call;
    signal?.throwIfAborted();
    const answer = new WholeAnswer();
    const deadline = setTimeout(() => answer.stop(new Refusal('homeserver_slow')), answerMs);
    const followClient = () => answer.stop(signal?.reason);
    signal?.addEventListener('abort', followClient, { once: true });
    try {
      bulkhead.dispatch(sentRequest(call, this.tlsName), answer);
      return await answer.whole;
    } catch (error) {
      throw signal?.aborted ? signal.reason : transportRefusal(error);
    } finally {
      clearTimeout(deadline);
      signal?.removeEventListener('abort', followClient);
    }
  }
}
