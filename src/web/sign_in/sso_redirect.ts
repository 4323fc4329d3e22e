import type { Homeserver } from '../../homeserver/homeserver.ts';
import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { relayAnswer } from '../../interactive/relay.ts';
import { OWN_PROVIDER } from '../../matrix/wire.ts';
import type { ProviderPage } from './provider_page.ts';

/** `GET /login/sso/redirect[/{idpId}]`: our provider's way leads to the sign-in page, the others through us. */
export class SsoRedirect {
  constructor(
    private readonly homeserver: Homeserver,
    private readonly providerPage: ProviderPage,
    /** Whether there is a sign-in page. */
    private readonly pages: boolean,
  ) {}

  /** The page itself judges the `redirectUrl`, and says what is wrong with it. @throws Refusal */
  async handle(request: ClientRequest): Promise<Answer> {
    const provider = request.params.idpId ?? OWN_PROVIDER;
    if (!this.pages) return this.relay(request);
    if (provider !== OWN_PROVIDER) return this.providerPage.lead(request, provider);
    const redirectUrl = request.query.get('redirectUrl');
    const query = redirectUrl === undefined ? '' : `?redirectUrl=${encodeURIComponent(redirectUrl)}`;
    return { status: 302, headers: { Location: `/_2fa/login${query}` }, body: Buffer.alloc(0) };
  }

  private async relay(request: ClientRequest): Promise<Answer> {
    const { path, search, client } = request;
    return relayAnswer(await this.homeserver.call({ method: 'GET', path: path + search, client }), {});
  }
}
