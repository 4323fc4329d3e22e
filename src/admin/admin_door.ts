import type { IncomingMessage } from 'node:http';
import type { Audit } from '../audit/audit.ts';
import type { Answer } from '../http/answer.ts';
import { BodyBudget } from '../http/body.ts';
import { networkOf } from '../http/network.ts';
import { refusalAnswer } from '../http/refusal_answer.ts';
import type { RequestRecord } from '../http/request_record.ts';
import { RateLimit } from '../limits/rate_limit.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { Storage } from '../storage/storage.ts';
import { type Clock, MINUTE, SECOND } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { KeyFileError } from '../vault/key_file_error.ts';
import type { AdminHandler, AdminHandlers, AdminRequest } from './handlers.ts';
import type { Once } from './once.ts';
import { bytesOf, headerOf, idempotencyKeyOf, idIn, jsonIn, queryOf } from './read_request.ts';
import { type AdminRouteId, type MatchedRoute, routesOf } from './routes.ts';
import type { AdminToken, AdminTokens } from './token_file.ts';

/** Requests with one token. */
const PER_TOKEN = { perSecond: 10, burstCount: 50 };
/** Wrong tokens from one address. */
const WRONG_TOKENS = { perSecond: 10 / (MINUTE / SECOND), burstCount: 10 };
/** All bodies that are under way. */
const BODY_BYTES = 32 * 1024 * 1024;

export interface AdminDoorDeps {
  readonly tokens: AdminTokens;
  readonly handlers: AdminHandlers;
  readonly once: Once;
  readonly audit: Audit;
  readonly storage: Pick<Storage, 'commit'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What is known of a request for its line in the log; the door notes what it learns. */
export interface AskedAdmin {
  readonly client: { readonly ip: string; readonly record: RequestRecord };
  route?: AdminRouteId;
  /** The name of the token. */
  token?: string;
}

/** The admin API: says who may do what; the handlers do it. */
export class AdminDoor {
  private readonly perToken: RateLimit;
  private readonly wrongTokens: RateLimit;
  private readonly budget = new BodyBudget(BODY_BYTES);

  constructor(private readonly deps: AdminDoorDeps) {
    this.perToken = new RateLimit(PER_TOKEN, deps.clock, 'admin_token');
    this.wrongTokens = new RateLimit(WRONG_TOKENS, deps.clock, 'admin_address');
  }

  /** Never throws. No other origin may read the answer. */
  async answer(request: IncomingMessage, asking: AskedAdmin): Promise<Answer> {
    try {
      return { ...(await this.carryOut(request, asking)), sameOrigin: true };
    } catch (error) {
      return { ...refusalAnswer(unreadable(error), this.deps.log), sameOrigin: true };
    }
  }

  private async carryOut(request: IncomingMessage, asking: AskedAdmin): Promise<Answer> {
    refusePages(request);
    const token = await this.requireToken(request, asking);
    asking.token = token.name;
    this.perToken.take(token.name);
    const [path = '', search = ''] = (request.url ?? '').split(/\?(.*)/s, 2);
    const { id, route, segment, handler } = requireRoute(this.deps.handlers, path, request.method);
    asking.route = id;
    if (route.scope !== undefined && !token.scopes.includes(route.scope)) {
      await this.recordRefusal(asking, { why: 'scope', token: token.name, route: id });
      throw new Refusal('forbidden', { text: `This takes a token with the scope ${route.scope}.` });
    }
    const idInPath = segment === undefined ? '' : idIn(segment, route);
    if (route.path.startsWith('/users/{id}')) asking.client.record.isOf(idInPath, null);
    const query = queryOf(search, route);
    const key = route.method === 'GET' ? undefined : idempotencyKeyOf(request);
    const bytes = await bytesOf(request, route, this.budget);
    const body = jsonIn(bytes, route);
    const act = async (kept: AdminRequest['kept']): Promise<Answer> => {
      const asked = { by: `admin:${token.name}`, id: idInPath, query, body, bytes, kept };
      return { status: 200, body: await handler(asked) };
    };
    if (key === undefined) return act(() => []);
    const asked = [route.method, path, search, bytes];
    return this.deps.once.do({ token: token.name, key, asked }, act);
  }

  /**
   * A right token passes however many wrong ones came from its address.
   * @throws Refusal missing_token, unknown_token, limit_exceeded; KeyFileError
   */
  private async requireToken(request: IncomingMessage, asking: AskedAdmin): Promise<AdminToken> {
    const header = headerOf(request, 'authorization');
    const text = /^Bearer +([\x21-\x7e]{1,256})$/i.exec(header ?? '')?.[1];
    if (header === undefined) throw new Refusal('missing_token');
    const token = text === undefined ? undefined : this.deps.tokens.find(text);
    if (token !== undefined) return token;
    this.wrongTokens.take(networkOf(asking.client.ip));
    await this.recordRefusal(asking, { why: 'token' });
    throw new Refusal('unknown_token');
  }

  /** It is about no user. */
  private async recordRefusal(
    { client }: AskedAdmin,
    detail: Readonly<Record<string, string>>,
  ): Promise<void> {
    const entry = { event: 'admin.refused', client, detail } as const;
    await this.deps.storage.commit([], this.deps.audit.recorded(entry));
  }
}

/** A page must not act here through a browser that can reach this listener. @throws Refusal forbidden */
function refusePages(request: IncomingMessage): void {
  if (request.headers.origin !== undefined)
    throw new Refusal('forbidden', { text: 'This is not for pages in browsers.' });
}

/** A route that is off counts as missing. @throws Refusal unrecognized, method_not_allowed */
function requireRoute(
  handlers: AdminHandlers,
  path: string,
  method: string | undefined,
): MatchedRoute & { readonly handler: AdminHandler } {
  const routes = routesOf(path).flatMap((matched) => {
    const handler = handlers[matched.id];
    return handler === undefined ? [] : [{ ...matched, handler }];
  });
  if (routes.length === 0) throw new Refusal('unrecognized');
  const found = routes.find(({ route }) => route.method === method);
  if (found === undefined) throw new Refusal('method_not_allowed');
  return found;
}

/** A file of tokens that cannot be read lets no one in, and says so. */
function unreadable(error: unknown): unknown {
  return error instanceof KeyFileError ? new Refusal('store_unavailable', { cause: error }) : error;
}
