import type { HomeserverAnswer } from '../homeserver/homeserver.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';
import type { Grant } from '../second_factor/grant.ts';
import type { OwnLogin } from '../second_factor/own_login.ts';
import { type UpstreamLogin, wishedDevice } from '../second_factor/upstream_login.ts';

/** What became of a second login. */
export type Again =
  | { readonly is: 'granted'; readonly grant: Grant }
  | { readonly is: 'refused'; readonly answer: HomeserverAnswer }
  /** There is no way to one: neither our registration nor a password. */
  | { readonly is: 'impossible' };

export interface SecondLoginCall {
  readonly request: ClientRequest;
  /** Whose login was granted before, in the homeserver's own words. */
  readonly userId: string;
  /** The login that the client sent, with the password that was granted. */
  readonly body: JsonObject;
}

/** The second login of R5, with what the client wishes: by our registration, else once more with the password. */
export class LoginAgain {
  constructor(private readonly deps: { readonly upstream: UpstreamLogin; readonly ownLogin: OwnLogin }) {}

  /** Whether a login of this type may go without its device at first: it can be had later. */
  canFor(type: unknown): boolean {
    return canRepeat(type) || (this.deps.ownLogin.isOn && typeof type === 'string');
  }

  /** @throws Refusal limit_exceeded, homeserver_unreachable, homeserver_slow, homeserver_unclear */
  async logIn({ request, userId, body }: SecondLoginCall): Promise<Again> {
    const own = await this.deps.ownLogin.logIn({ request, userId, body });
    if (own !== undefined) return { is: 'granted', grant: own };
    if (!canRepeat(body.type)) return { is: 'impossible' };
    const outcome = await this.deps.upstream.logIn({ request, path: request.path, body });
    if (outcome.kind === 'without_token') throw new Refusal('homeserver_unclear');
    if (outcome.kind === 'refused') return { is: 'refused', answer: outcome.answer };
    return { is: 'granted', grant: outcome.grant };
  }

  /** A login that passed before, for a user whose earlier one is gone: by our registration alone. @throws Refusal */
  asPassed(call: SecondLoginCall): Promise<Grant | undefined> {
    return this.deps.ownLogin.logIn(call);
  }

  /** Ends a login that no client gets, but not the keys of a device that its user has already (R5). */
  abandon(grant: Grant, { request, body }: Pick<SecondLoginCall, 'request' | 'body'>): Promise<void> {
    return this.deps.upstream.abandon(grant, wishedDevice(body), request.client);
  }
}

/** Whether its own credential can log in once more; a login token or JWT cannot. */
function canRepeat(type: unknown): boolean {
  return type === PASSWORD_STAGE;
}
