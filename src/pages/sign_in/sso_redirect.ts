import type { Homeserver } from '../../homeserver/homeserver.ts';
import { relayAnswer } from '../../homeserver/relay.ts';
import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { Refusal } from '../../matrix/refusals.ts';
import {
  isJsonObject,
  LOGIN_PATH,
  OWN_PROVIDER,
  PASSWORD_STAGE,
  SSO_STAGE,
  UNNAMED_PROVIDER,
} from '../../matrix/wire.ts';
import { askedLocales } from '../texts/language.ts';
import { signInPageFor } from './addresses.ts';
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
    if (!this.pages) return this.relay(request);
    const provider = request.params.idpId ?? (await this.usualProvider(request));
    if (provider !== OWN_PROVIDER) return this.providerPage.lead(request, provider);
    const page = signInPageFor(request.query.get('redirectUrl'), askedLocales(request));
    return { status: 302, headers: { Location: page }, body: Buffer.alloc(0) };
  }

  /** For clients that name no provider: ours, unless the homeserver takes no passwords (as `GET /login` lists them). */
  private async usualProvider({ client, signal }: ClientRequest): Promise<string> {
    try {
      const { json } = await this.homeserver.call({
        method: 'GET',
        path: LOGIN_PATH,
        client,
        signal,
        errand: 'essential',
      });
      const flows = Array.isArray(json?.flows) ? json.flows.filter(isJsonObject) : [];
      const types = flows.map(({ type }) => type);
      return types.includes(SSO_STAGE) && !types.includes(PASSWORD_STAGE) ? UNNAMED_PROVIDER : OWN_PROVIDER;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // Our page is there without the homeserver, and says in words that it is away.
      return OWN_PROVIDER;
    }
  }

  private async relay(request: ClientRequest): Promise<Answer> {
    const { path, search, client, signal } = request;
    return relayAnswer(
      await this.homeserver.call({ method: 'GET', path: path + search, client, signal }),
      {},
    );
  }
}
