import type { IncomingMessage, ServerResponse } from 'node:http';

import express, { type ErrorRequestHandler, type Request, type Response, type Router } from 'express';

import { presentedToken } from '../http/access_token.ts';
import type { Handler } from '../http/answer.ts';
import { type BodyLimits, readBody } from '../http/body.ts';
import type { BodyBudget } from '../http/body_budget.ts';
import type { ReadClientAddress } from '../http/client_address.ts';
import { type ClientRequest, PAGE_HEADERS, type PageHeader } from '../http/client_request.ts';
import { readForm } from '../http/form.ts';
import { readQuery } from '../http/query.ts';
import { headerValues } from '../http/raw_headers.ts';
import { refusalAnswer } from '../http/refusal_answer.ts';
import { sendAnswer } from '../http/send_answer.ts';
import { Refusal } from '../matrix/refusals.ts';
import { parseStrictJson } from '../matrix/strict_json.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Log } from '../system/log.ts';
import { mountedPaths, ROUTES, type Route, type RouteId, type RouteMethod } from './route_table.ts';

/** What answers each route of the table. */
export type Handlers = Readonly<Record<RouteId, Handler>>;

export interface AppOptions {
  readonly handlers: Handlers;
  readonly readClientAddress: ReadClientAddress;
  readonly log: Log;
  /** Milliseconds in which a gated body has to arrive. */
  readonly bodyTimeMs: number;
  /** What the gated bodies that are under way share. */
  readonly bodyBudget: BodyBudget;
}

/** A request on the app, as the front door hands it over: canonical target, and the route that it is for. */
export type RouteApp = (request: IncomingMessage, response: ServerResponse, routeId: RouteId) => void;

/** The Express app of the gated and own routes, built from the table. It never sees a raw target. */
export function buildApp(options: AppOptions): RouteApp {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', false);
  // A router a route: in one for all, every request would be matched against all of the table once more.
  const routers = new Map<RouteId, Router>(ROUTES.map((route) => [route.id, routerOf(route, options)]));
  const routeIds = new WeakMap<IncomingMessage, RouteId>();
  app.use((request, response, next) => {
    const routeId = routeIds.get(request);
    const router = routeId === undefined ? undefined : routers.get(routeId);
    if (router === undefined) throw new Refusal('unrecognized');
    router(request, response, next);
  });
  app.use(() => {
    throw new Refusal('unrecognized');
  });
  app.use(refuse(options.log));
  return (request, response, routeId) => {
    routeIds.set(request, routeId);
    app(request, response);
  };
}

function routerOf(route: Route, options: AppOptions): Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  for (const { path, prefix } of mountedPaths(route)) {
    router[expressVerb(route.method)](expressPath(path), (request: Request, response: Response) =>
      serve(route, prefix, request, response, options),
    );
  }
  return router;
}

function expressVerb(method: RouteMethod): 'get' | 'post' | 'put' | 'delete' {
  return method.toLowerCase() as Lowercase<RouteMethod>;
}

function expressPath(path: string): string {
  return path.replaceAll('{', ':').replaceAll('}', '');
}

async function serve(
  route: Route,
  prefix: string,
  request: Request,
  response: Response,
  options: AppOptions,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  try {
    const read = await readRequest(route, prefix, request, gone.signal, options);
    sendAnswer(response, await options.handlers[route.id](read));
  } catch (error) {
    if (gone.signal.aborted) options.log.debug({ route: route.id }, 'A client went away before its answer');
    else throw error;
  }
}

async function readRequest(
  route: Route,
  prefix: string,
  request: Request,
  signal: AbortSignal,
  options: AppOptions,
): Promise<ClientRequest> {
  const query = readQuery(rawQuery(request.url));
  const limits = { size: route.bodyLimit, timeMs: options.bodyTimeMs, budget: options.bodyBudget };
  // Before the body is waited for: a client that goes away meanwhile takes its address with it.
  const client = options.readClientAddress(request);
  return {
    method: route.method,
    path: request.path,
    prefix,
    params: request.params as Record<string, string>,
    query: query.parameters,
    search: query.search,
    assertedUser: query.assertedUser,
    token: presentedToken(request.rawHeaders, query.tokens),
    body: await readJsonBody(route, request, limits),
    client,
    signal,
    userAgent: request.headers['user-agent'],
    headers: pageHeaders(request.rawHeaders),
    ...(route.form && {
      readForm: () => readForm(request, limits),
    }),
  };
}

function pageHeaders(rawHeaders: readonly string[]): Partial<Record<PageHeader, string>> {
  const seen: Partial<Record<PageHeader, string>> = {};
  for (const name of PAGE_HEADERS) {
    const [value, ...more] = headerValues(rawHeaders, name);
    if (value !== undefined && more.length === 0) seen[name] = value;
  }
  return seen;
}

function rawQuery(url: string): string {
  const at = url.indexOf('?');
  return at === -1 ? '' : url.slice(at + 1);
}

async function readJsonBody(
  route: Route,
  request: Request,
  limits: BodyLimits,
): Promise<JsonObject | undefined> {
  if (route.bodyLimit === 0 || route.form) return undefined;
  const bytes = await readBody(request, limits);
  return bytes.length === 0 ? undefined : parseStrictJson(bytes);
}

/** Express knows an error handler by its four parameters. */
function refuse(log: Log): ErrorRequestHandler {
  return (error, _request, response, _next) => sendAnswer(response, refusalAnswer(error, log));
}
