import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { ErrorRequestHandler, Router as ExpressRouter, Request, Response } from 'express';
import { presentedToken } from '../http/access_token.ts';
import type { Handler } from '../http/answer.ts';
import { type BodyBudget, type BodyLimits, readBody } from '../http/body.ts';
import {
  type ClientAddress,
  type ClientRequest,
  PAGE_HEADERS,
  type PageHeader,
} from '../http/client_request.ts';
import { contentType, readForm } from '../http/form.ts';
import { headerValues } from '../http/headers.ts';
import { readQuery } from '../http/query.ts';
import { refusalAnswer } from '../http/refusal_answer.ts';
import type { Route, RouteId } from '../http/routes.ts';
import { sendAnswer } from '../http/send_answer.ts';
import { Refusal } from '../matrix/refusals.ts';
import { parseStrictJson } from '../matrix/strict_json.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Log } from '../system/log.ts';
import type { RouteMatch } from './classify.ts';
import type { RequestLog } from './request_log.ts';

/** The router of Express alone (package.json names its exact version): an application of it loads three times as much. */
const ofExpress = createRequire(createRequire(import.meta.url).resolve('express'));
const Router = ofExpress('router') as typeof ExpressRouter;

/** What answers each route of the table. */
export type Handlers = Readonly<Record<RouteId, Handler>>;

export interface AppOptions {
  readonly handlers: Handlers;
  readonly requestLog: RequestLog;
  readonly log: Log;
  /** Milliseconds in which a gated body has to arrive. */
  readonly bodyTimeMs: number;
  /** What the gated bodies that are under way share. */
  readonly bodyBudget: BodyBudget;
}

/** A request on the app, as the front door hands it over: canonical target, and what `classify` has found. */
export type RouteApp = (request: IncomingMessage, response: ServerResponse, match: RouteMatch) => void;

/**
 * The Express router of the gated and own routes. `classify` has the route: Express routes nothing and decodes nothing.
 * An Express application would give each request and response another prototype, which makes all that Node does with
 * them afterwards slow.
 */
export function buildApp(options: AppOptions): RouteApp {
  const router = Router();
  const matches = new WeakMap<IncomingMessage, RouteMatch>();
  router.use((request, response) => {
    const match = matches.get(request);
    if (match === undefined) throw new Refusal('unrecognized');
    return serve(match, request, response, options);
  });
  router.use(refuse(options.log));
  return (request, response, match) => {
    matches.set(request, match);
    router(request as Request, response as Response, NOTHING_FOLLOWS);
  };
}

async function serve(
  match: RouteMatch,
  request: Request,
  response: Response,
  options: AppOptions,
): Promise<void> {
  const { log, requestLog } = options;
  const gone = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  const begun = requestLog.begin(request, match.route);
  try {
    const read = await readRequest(match, request, begun.client, gone.signal, options);
    const answer = await options.handlers[match.route.id](read);
    requestLog.finish(begun, answer, response);
  } catch (error) {
    // What was judged is noted, or hanging up would hide it.
    if (gone.signal.aborted && !(error instanceof Refusal))
      log.debug({ route: match.route.id }, 'A client went away before its answer');
    else requestLog.finish(begun, refusalAnswer(error, log, begun.record), response);
  }
}

async function readRequest(
  { route, path, params, rawQuery }: RouteMatch,
  request: Request,
  client: ClientAddress,
  signal: AbortSignal,
  options: AppOptions,
): Promise<ClientRequest> {
  const query = readQuery(rawQuery, route.queryLimit);
  const limits = { size: route.bodyLimit, timeMs: options.bodyTimeMs, budget: options.bodyBudget };
  return {
    method: route.method,
    path,
    params,
    query: query.parameters,
    search: query.search,
    assertedUser: query.assertedUser,
    token: presentedToken(request.rawHeaders, query.tokens),
    body: await readJsonBody(route, request, limits),
    client,
    signal,
    headers: pageHeaders(request.rawHeaders),
    ...(route.form && {
      readForm: () => readForm(request, limits),
    }),
    ...(route.raw && {
      raw: {
        query: rawQuery,
        contentType: contentType(request.rawHeaders),
        readBody: () => readBody(request, limits),
      },
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

async function readJsonBody(
  route: Route,
  request: Request,
  limits: BodyLimits,
): Promise<JsonObject | undefined> {
  if (route.bodyLimit === 0 || route.form || route.raw) return undefined;
  const bytes = await readBody(request, limits);
  return bytes.length === 0 ? undefined : parseStrictJson(bytes);
}

/** The error handler answers, and passes nothing on. */
const NOTHING_FOLLOWS = (): void => undefined;

/** Express knows an error handler by its four parameters. */
function refuse(log: Log): ErrorRequestHandler {
  return (error, _request, response, _next) => sendAnswer(response, refusalAnswer(error, log));
}
