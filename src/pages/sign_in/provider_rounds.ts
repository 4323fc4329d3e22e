import type { Homeserver } from '../../homeserver/homeserver.ts';
import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { UNNAMED_PROVIDER } from '../../matrix/wire.ts';
import type { FormTokens } from '../forms/form_tokens.ts';
import { askedLocales } from '../texts/language.ts';
import type { ProviderState, ProviderStates } from './provider_states.ts';

/** Sends browsers through the homeserver's own single sign-on and knows them again when they come back. */
export class ProviderRounds {
  constructor(
    private readonly deps: {
      readonly homeserver: Homeserver;
      readonly states: ProviderStates;
      readonly formTokens: FormTokens;
      /** The origin that browsers see. */
      readonly publicBaseUrl: string;
    },
  ) {}

  /** The first round, to learn who it is. @throws Refusal unrecognized if there is no such provider */
  begin(request: ClientRequest, provider: string, redirectUrl: string): Promise<Answer> {
    const { binding: browser, headers } = this.deps.formTokens.browserOf(request);
    return this.send(request, provider, { round: 1, provider, redirectUrl, browser }, headers);
  }

  /** The second round, for a login token that the client can use; silent where the provider's session stands. */
  again(request: ClientRequest, provider: string, signInId: string): Promise<Answer> {
    const { binding: browser, headers } = this.deps.formTokens.browserOf(request);
    return this.send(request, provider, { round: 2, signInId, browser }, headers);
  }

  /** One round for a fallback page, to learn who it is. @throws Refusal unrecognized if there is no such provider */
  approve(
    request: ClientRequest,
    provider: string,
    about: { readonly sessionId: string; readonly bodyDigest: string | null },
  ): Promise<Answer> {
    const { binding: browser, headers } = this.deps.formTokens.browserOf(request);
    return this.send(request, provider, { round: 'approval', ...about, browser }, headers);
  }

  /** The state of a browser that comes back; undefined if it is not the one that was sent. */
  stateOf(request: ClientRequest): ProviderState | undefined {
    const state = this.deps.states.open(request.query.get('state') ?? '');
    return state !== undefined && this.deps.formTokens.isBrowser(request, state.browser) ? state : undefined;
  }

  private async send(
    request: ClientRequest,
    provider: string,
    state: ProviderState,
    headers: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    const asked = askedLocales(request);
    const locales = asked === undefined ? '' : `&ui_locales=${encodeURIComponent(asked)}`;
    const back = `${this.deps.publicBaseUrl}/_2fa/login/provider?state=${this.deps.states.seal(state)}${locales}`;
    const id = provider === UNNAMED_PROVIDER ? '' : `/${encodeURIComponent(provider)}`;
    const answer = await this.deps.homeserver.call({
      method: 'GET',
      path: `/_matrix/client/v3/login/sso/redirect${id}?redirectUrl=${encodeURIComponent(back)}`,
      client: request.client,
      signal: request.signal,
    });
    const { location, 'set-cookie': cookies = [] } = answer.headers;
    if (answer.status >= 400 && answer.status < 500) throw new Refusal('unrecognized');
    if (answer.status < 300 || typeof location !== 'string') throw new Refusal('homeserver_unclear');
    return {
      status: 303,
      headers: {
        Location: location,
        'Referrer-Policy': 'no-referrer',
        'Content-Type': 'text/plain',
        'Set-Cookie': [cookies, headers['Set-Cookie'] ?? []].flat(),
      },
      sameOrigin: true,
      body: Buffer.alloc(0),
    };
  }
}
