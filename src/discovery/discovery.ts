import type { Homeserver, HomeserverAnswer } from '../homeserver/homeserver.ts';
import { relayAnswer } from '../homeserver/relay.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { ownWellKnown } from '../matrix/well_known.ts';
import { isJsonObject, type JsonObject } from '../matrix/wire.ts';
import { type OwnProvider, withOwnProvider } from './login_flows.ts';

/** The name under which clients find that this server has 2FA (spec/README.md, "Is it there?"). */
const UNSTABLE_FEATURE = 'org.matrix.2fa';

/** What the homeserver says about itself, corrected where it would lead clients round us. */
export class Discovery {
  constructor(
    private readonly homeserver: Homeserver,
    private readonly publicBaseUrl: string,
    /** Undefined where the sign-in page is switched off. */
    private readonly ownProvider: OwnProvider | undefined,
  ) {}

  /** `GET /versions`: as the homeserver answers, plus our feature. @throws Refusal */
  async versions(request: ClientRequest): Promise<Answer> {
    const answer = await this.ask(request);
    if (answer.status !== 200 || answer.json === undefined) return relayAnswer(answer, {});
    const features = isJsonObject(answer.json.unstable_features) ? answer.json.unstable_features : {};
    return {
      status: 200,
      body: { ...answer.json, unstable_features: { ...features, [UNSTABLE_FEATURE]: true } },
    };
  }

  /** `GET /.well-known/matrix/client`: our address and no OAuth (attack 101). @throws Refusal */
  async wellKnown(request: ClientRequest): Promise<Answer> {
    const answer = await this.ask(request);
    if (answer.status >= 500) return relayAnswer(answer, {});
    const document: JsonObject = answer.status === 200 && answer.json !== undefined ? answer.json : {};
    return { status: 200, body: ownWellKnown(document, this.publicBaseUrl) };
  }

  /** `GET /login`: the login types of the homeserver, and our sign-in page. @throws Refusal */
  async loginFlows(request: ClientRequest): Promise<Answer> {
    const answer = await this.ask(request);
    const flows = answer.json?.flows;
    if (this.ownProvider === undefined || answer.status !== 200 || !Array.isArray(flows)) {
      return relayAnswer(answer, {});
    }
    return { status: 200, body: { ...answer.json, flows: withOwnProvider(flows, this.ownProvider) } };
  }

  private ask(request: ClientRequest): Promise<HomeserverAnswer> {
    const { token } = request;
    return this.homeserver.call({
      method: 'GET',
      path: request.path + request.search,
      client: request.client,
      signal: request.signal,
      errand: 'essential',
      ...(token.kind === 'token' ? { token: token.token } : {}),
    });
  }
}
