import type { ClientRequest } from '../http/client_request.ts';
import { findPath, findRoute } from '../http/route_index.ts';
import { type GuardedEndpoint, guardedEndpoints } from '../http/routes.ts';
import { type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import type { FallbackStanding, GuardedPage } from './guarded_page.ts';
import { GuardedRequest, type GuardedRequestDeps } from './guarded_request.ts';
import type { PasswordSessions } from './password_sessions.ts';

/**
 * Guarded requests of accounts without a password: after the second factor the homeserver's own single sign-on says who
 * it is, in a session of the homeserver's (R6). Our page asks for that session as a client would, by a password
 * (spec/guarded_endpoints.md), and leads the browser to the homeserver's page.
 */
export class HomeserverSignOn {
  constructor(
    private readonly deps: {
      readonly page: GuardedPage;
      readonly guard: GuardedRequestDeps;
      readonly passwordSessions: PasswordSessions;
      readonly random: RandomSource;
    },
  ) {}

  /** Whether it comes next in a session that wants a password by its flows. It changes nothing. */
  async isNext(request: ClientRequest, standing: FallbackStanding): Promise<boolean> {
    const { session, missing, provenUser } = standing;
    if (missing !== 'password' || provenUser === undefined || session.token === undefined) return false;
    if (endpointOf(standing)?.judge !== 'request') return false;
    return !(await this.deps.passwordSessions.takesPassword(session.token, request));
  }

  /**
   * Asks the homeserver what it wants of this account, and keeps its session. False if it wants nothing that its page
   * could ask for.
   * @throws Refusal
   */
  async begin(request: ClientRequest, standing: FallbackStanding): Promise<boolean> {
    const endpoint = endpointOf(standing);
    if (endpoint === undefined || !(await this.isNext(request, standing))) return false;
    const { id, binding, token } = standing.session;
    if (token === undefined) return false;
    // It is no one's password: an account that has just got one does not pass by it.
    const auth = { type: PASSWORD_STAGE, session: id, password: randomId(this.deps.random) };
    const asked = requestOf(request, binding.target, token, { auth });
    await new GuardedRequest(this.deps.guard, endpoint, asked).handle();
    return (await this.deps.page.homeserverSession(id)) !== undefined;
  }
}

function endpointOf({ session }: FallbackStanding): GuardedEndpoint | undefined {
  const route = findRoute(session.binding.target)?.id;
  return guardedEndpoints().find((endpoint) => endpoint.route === route);
}

/** The request that a session was opened for, under its access token. */
function requestOf(
  { client, signal }: ClientRequest,
  target: string,
  token: string,
  body: JsonObject,
): ClientRequest {
  const [method = '', address = ''] = target.split(' ');
  const [path = '', ...query] = address.split('?');
  const params = (findPath(path)?.rawParams ?? []).map(([name, raw]) => [name, decodeURIComponent(raw)]);
  return {
    ...{ method, path, client, signal, body },
    search: query.length === 0 ? '' : `?${query.join('?')}`,
    params: Object.fromEntries(params),
    token: { kind: 'token', token },
    query: new Map(),
    assertedUser: undefined,
    headers: {},
  };
}
