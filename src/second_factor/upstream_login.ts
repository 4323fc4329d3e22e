import type { Homeserver, HomeserverAnswer } from '../homeserver/homeserver.ts';
import type { ClientAddress, ClientRequest } from '../http/client_request.ts';
import type { AddressLimit } from '../limits/attempt_limit.ts';
import { Refusal } from '../matrix/refusals.ts';
import { NUL } from '../matrix/user_id.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Log } from '../system/log.ts';
import { type Grant, readGrant, readStrayGrant } from './grant.ts';
import type { HeldLogins } from './held_logins.ts';

/** A login that the homeserver granted. */
export interface GrantedLogin {
  readonly kind: 'granted';
  /** Its owner is known, in the homeserver's own words (R1). */
  readonly grant: Grant;
}

/** What became of a login at the homeserver. */
export type LoginOutcome =
  | GrantedLogin
  /** A 200 without a token, as `inhibit_login` asks for. Only at registration. */
  | { readonly kind: 'without_token'; readonly body: JsonObject }
  /** Any other answer of the homeserver: a refusal, a challenge, a limit. */
  | { readonly kind: 'refused'; readonly answer: HomeserverAnswer };

/** One login or registration at the homeserver, for the client of `request`. */
export interface LoginCall {
  readonly request: ClientRequest;
  readonly path: string;
  readonly body: JsonObject;
  /** Only for application services: no other request to the login takes its token along. */
  readonly token?: string | undefined;
}

/** Logs in at the homeserver and reads the answer the way the gate needs it. */
export class UpstreamLogin {
  constructor(
    private readonly deps: {
      readonly homeserver: Homeserver;
      readonly holds: Pick<HeldLogins, 'keepEnded'>;
      readonly addressLimit: AddressLimit;
      readonly log: Log;
    },
  ) {}

  /**
   * An attempt whose credential is not proven yet: it counts for the limit on its address, unless it succeeds.
   * @throws Refusal limit_exceeded; homeserver_unclear for a 200 of unknown shape (R1), homeserver_unreachable,
   *   homeserver_slow
   */
  attempt(call: LoginCall): Promise<LoginOutcome> {
    const hasSucceeded = (outcome: LoginOutcome) =>
      outcome.kind !== 'refused' || outcome.answer.status >= 500;
    return this.deps.addressLimit.attempt(call.request.client, () => this.logIn(call), hasSucceeded);
  }

  /**
   * One that no limit counts: for a listed application service, or a sign-in that was granted already.
   * @throws Refusal as `attempt`, but for limits
   */
  async logIn(call: LoginCall): Promise<LoginOutcome> {
    const answer = await this.deps.homeserver.call({
      method: 'POST',
      path: call.path + call.request.search,
      body: call.body,
      client: call.request.client,
      errand: 'sign_in',
      whenLate: (late) => this.endLate(call, late),
      ...(call.token === undefined ? {} : { token: call.token }),
    });
    return this.read(call, answer);
  }

  private async read(call: LoginCall, answer: HomeserverAnswer): Promise<LoginOutcome> {
    if (answer.status !== 200) return { kind: 'refused', answer };
    const { json: body } = answer;
    if (body !== undefined && isWithoutToken(body)) return { kind: 'without_token', body };
    const grant = readGrant(answer);
    if (grant !== undefined) {
      const { client } = call.request;
      const owned = await this.withOwner(grant, client);
      client.record?.isOf(owned.userId, null);
      return { kind: 'granted', grant: owned };
    }
    // It may be a login all the same: no client gets it, so it is logged out.
    const stray = readStrayGrant(answer);
    if (stray !== undefined) await this.discard(stray);
    throw new Refusal('homeserver_unclear');
  }

  /** No client waits for this grant any more: it ends, but not the keys of a device that it shares (R5, attack 164). */
  private async endLate(call: LoginCall, answer: HomeserverAnswer): Promise<void> {
    const outcome = await this.read(call, answer);
    if (outcome.kind !== 'granted') return;
    await this.abandon(outcome.grant, wishedDevice(call.body), call.request.client);
  }

  /** An answer without `user_id`: the token itself says whose it is; if it cannot, it must not live (attack 34). */
  private async withOwner(grant: Grant, client: ClientAddress): Promise<Grant> {
    if (grant.userId !== '') return grant;
    try {
      return grant.ownedBy(await grant.askOwner(this.deps.homeserver, { client }));
    } catch (error) {
      await this.discard(grant);
      throw new Refusal('homeserver_unclear', { cause: error });
    }
  }

  /** Ends a grant that no client gets and that is not held, but not the keys of a device that it shares (R5). */
  async abandon(grant: Grant, chosenDevice: string | undefined, client: ClientAddress): Promise<void> {
    if ((await grant.endOn(chosenDevice, this.deps.homeserver, client)) === 'logout')
      await this.discard(grant);
  }

  /** Logs out a granted login that no client gets. What cannot be logged out now is left to the sweep (R10). */
  async discard(grant: Grant): Promise<void> {
    try {
      await grant.logOut(this.deps.homeserver);
    } catch (error) {
      this.deps.log.warn({ err: error }, 'a login that no client gets could not be logged out yet');
      await this.leaveToSweep(grant);
    }
  }

  private async leaveToSweep(grant: Grant): Promise<void> {
    try {
      await this.deps.holds.keepEnded(grant);
    } catch (error) {
      this.deps.log.error(
        { err: error },
        'a login that no client gets stays: neither homeserver nor store was there',
      );
    }
  }
}

function isWithoutToken(body: JsonObject): boolean {
  if (typeof body.user_id !== 'string') return false;
  return Object.keys(body).every((key) => KNOWN_TOKENLESS_KEYS.has(key));
}

const KNOWN_TOKENLESS_KEYS = new Set(['user_id', 'home_server', 'well_known', 'device_id']);

/**
 * The device that a login or registration asks for; an empty one counts as absent. One with a NUL is not asked for: what
 * was granted on it could not be put on record.
 * @throws Refusal bad_json
 */
export function wishedDevice(body: JsonObject): string | undefined {
  const deviceId = body.device_id;
  if (deviceId === undefined || deviceId === null || deviceId === '') return undefined;
  if (typeof deviceId !== 'string') throw new Refusal('bad_json', { text: '`device_id` must be a string.' });
  if (deviceId.includes(NUL)) throw new Refusal('bad_json', { text: '`device_id` must not have a NUL.' });
  return deviceId;
}
