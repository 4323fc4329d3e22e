import type { Audit } from '../audit/audit.ts';
import { waitMs } from '../homeserver/answer_fields.ts';
import { errcodeOf } from '../homeserver/answer_refusal.ts';
import type { Homeserver, HomeserverAnswer } from '../homeserver/homeserver.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { APPSERVICE_LOGIN, type JsonObject, LOGIN_PATH } from '../matrix/wire.ts';
import type { Log } from '../system/log.ts';
import type { Grant } from './grant.ts';
import { type UpstreamLogin, wishedDevice } from './upstream_login.ts';

/** What a client may wish of a login that is made in its user's name. */
const WISHES = ['device_id', 'initial_device_display_name', 'refresh_token'] as const;

export interface OwnLoginDeps {
  readonly homeserver: Homeserver;
  readonly upstream: UpstreamLogin;
  readonly audit: Audit;
  readonly log: Log;
  /** Our registration at the homeserver; undefined where the operator has set none. */
  readonly registration: { readonly asToken: string } | undefined;
}

/** A login in the name of a user who has proven all that they owe. */
export interface OwnLoginCall {
  readonly request: ClientRequest;
  /** From our store or an answer of the homeserver, never from a client. */
  readonly userId: string;
  /** The login body of the client: only its wishes go on. */
  readonly body: JsonObject;
}

/** A device that we once logged in on. */
export interface OwnDevice {
  readonly request: ClientRequest;
  readonly userId: string;
  readonly deviceId: string;
}

/**
 * Logs users in as an application service, without their password (docs/security_model.md). It judges nothing: it is for
 * those who have passed.
 */
export class OwnLogin {
  constructor(private readonly deps: OwnLoginDeps) {}

  get isOn(): boolean {
    return this.deps.registration !== undefined;
  }

  /**
   * A login of exactly this user, on record. Undefined where there is no registration, or the homeserver does not take it:
   * the caller goes on without.
   * @throws Refusal limit_exceeded, homeserver_unreachable, homeserver_slow; homeserver_unclear for another user's login
   */
  async logIn({ request, userId, body }: OwnLoginCall): Promise<Grant | undefined> {
    const { registration, upstream } = this.deps;
    if (registration === undefined) return undefined;
    const outcome = await upstream.logIn({
      // The query of this request is not for the homeserver's login.
      request: { ...request, search: '' },
      path: LOGIN_PATH,
      body: {
        ...wishesIn(body),
        type: APPSERVICE_LOGIN,
        identifier: { type: 'm.id.user', user: userId },
      },
      token: registration.asToken,
    });
    if (outcome.kind === 'without_token') throw new Refusal('homeserver_unclear');
    if (outcome.kind === 'refused') return this.refused(outcome.answer);
    await this.putOnRecord(outcome.grant, { request, userId, body });
    return outcome.grant;
  }

  /**
   * Whether the homeserver still has a device of the user. `unknown`: it does not say.
   * @throws Refusal limit_exceeded, homeserver_unreachable, homeserver_slow
   */
  async findDevice({ request, userId, deviceId }: OwnDevice): Promise<'there' | 'gone' | 'unknown'> {
    const { registration, homeserver } = this.deps;
    if (registration === undefined) return 'unknown';
    const device = encodeURIComponent(deviceId);
    const answer = await homeserver.call({
      method: 'GET',
      // An application service says for which of its users it asks (application service API, "Identity assertion").
      path: `/_matrix/client/v3/devices/${device}?user_id=${encodeURIComponent(userId)}`,
      token: registration.asToken,
      client: request.client,
    });
    if (answer.status === 200) return 'there';
    // A web server's page in the place of the homeserver has this status, too.
    if (answer.status === 404 && errcodeOf(answer) === 'M_NOT_FOUND') return 'gone';
    this.refused(answer);
    return 'unknown';
  }

  /** Ends a login that no client gets. */
  discard(grant: Grant): Promise<void> {
    return this.deps.upstream.discard(grant);
  }

  /** @throws Refusal for what passes by itself */
  private refused(answer: HomeserverAnswer): undefined {
    if (answer.status === 429) {
      throw new Refusal('limit_exceeded', { limit: 'homeserver', retryAfterMs: waitMs(answer) });
    }
    if (answer.status >= 500) throw new Refusal('homeserver_unreachable');
    const errcode = errcodeOf(answer) ?? 'no errcode';
    this.deps.log.warn(
      { status: answer.status, errcode },
      'the homeserver does not take logins of homeserver.appservice: run doctor',
    );
    return undefined;
  }

  /** A login that is not on record, or is of another user, is given to no one. */
  private async putOnRecord(grant: Grant, { request, userId, body }: OwnLoginCall): Promise<void> {
    const { audit, upstream } = this.deps;
    try {
      if (grant.userId !== userId) throw new Refusal('homeserver_unclear');
      const { deviceId } = grant;
      await audit.record({ userId, event: 'appservice.own_login', client: request.client, deviceId });
    } catch (error) {
      await upstream.abandon(grant, wishedDevice(body), request.client);
      throw error;
    }
  }
}

function wishesIn(body: JsonObject): JsonObject {
  return Object.fromEntries(WISHES.flatMap((name) => (name in body ? [[name, body[name] ?? null]] : [])));
}
