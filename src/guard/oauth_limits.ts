import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type JsonObject, OAUTH_STAGE } from '../matrix/wire.ts';
import type { OAuthSessions } from '../second_factor/oauth_sessions.ts';
import { presentedAuth } from '../uia/presented_auth.ts';

/** Where the page of the one stage stands (client-server API, "Fallback"). */
const PAGE = '/_matrix/client/v3/auth/m.oauth/fallback/web';

/**
 * What sessions of OAuth clients may not do: they know no password, so what asks for a proof is done on the account page
 * (client-server API, "OAuth 2.0 API", "Account management"). Cross-signing keys alone are replaced by a stage of their own.
 */
export class OAuthLimits {
  constructor(
    private readonly deps: {
      readonly sessions: Pick<OAuthSessions, 'ofToken'>;
      readonly accountUrl: string;
      readonly publicBaseUrl: string;
    },
  ) {}

  async isOAuth(token: string): Promise<boolean> {
    return (await this.deps.sessions.ofToken(token)) !== undefined;
  }

  /** Before anything is asked of the homeserver. @throws Refusal oauth_account_page */
  async refuse({ token }: ClientRequest): Promise<void> {
    if (token.kind !== 'token' || !(await this.isOAuth(token.token))) return;
    const text = `This app signed in by OAuth and cannot do this. Do it on your account page: ${this.deps.accountUrl}`;
    throw new Refusal('oauth_account_page', { text });
  }

  /**
   * The body of an upload with nothing but the session in its `auth`: what proves it is given on the page.
   * @throws Refusal stage_not_offered
   */
  bodyOf(body: JsonObject): JsonObject {
    const auth = presentedAuth(body);
    if (auth === undefined) return body;
    if (auth.type !== undefined && auth.type !== OAUTH_STAGE) throw new Refusal('stage_not_offered');
    if (auth.session === undefined)
      throw new Refusal('missing_param', { text: '`auth.session` is missing.' });
    return { ...body, auth: { session: auth.session } };
  }

  /** A challenge as such a client gets it: one stage, with the address of its page. */
  challengeOf(answer: Answer): Answer {
    if (answer.status !== 401 || Buffer.isBuffer(answer.body)) return answer;
    const { session, flows: _flows, params: _params, completed: _completed, ...error } = answer.body;
    if (typeof session !== 'string') return answer;
    const url = `${this.deps.publicBaseUrl}${PAGE}?session=${encodeURIComponent(session)}`;
    const body = {
      ...error,
      session,
      flows: [{ stages: [OAUTH_STAGE] }],
      params: { [OAUTH_STAGE]: { url } },
      completed: [],
    };
    return { ...answer, body };
  }
}
