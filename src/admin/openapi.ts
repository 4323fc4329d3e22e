import type { JsonObject } from '../matrix/wire.ts';
import { ADMIN_PREFIX, ADMIN_ROUTES, type AdminRoute } from './routes.ts';
import { ERROR } from './shapes.ts';

/** What a request can be refused with; those that stand for any route. */
const REFUSALS: Readonly<Record<string, string>> = {
  400: 'The request is malformed, or names something that is not known.',
  401: 'The token is missing, wrong, expired or revoked.',
  403: 'The token does not have the scope, which `error` names; or the request came from a page in a browser.',
  404: 'There is no such user, notice or path.',
  405: 'There is no such method.',
  408: 'The body took too long.',
  409: 'The Idempotency-Key was used for another request.',
  413: 'The body is too large.',
  429: 'Wait for `retry_after_ms`.',
  500: 'A fault of the server.',
  503: 'The database, or the file of tokens, cannot be read.',
};

/** The description of the admin API (OpenAPI 3.1): `spec/openapi.json`, and what the server answers. */
export function openApi(): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const [id, route] of Object.entries<AdminRoute>(ADMIN_ROUTES)) {
    const path = ADMIN_PREFIX + route.path;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(id, route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Admin API of matrix-2fa-proxy',
      version: '1',
      description: 'On the listener `admin.listen` only. See docs/admin_api.md.',
    },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'm2fa_admin_…' } },
      schemas: { Error: ERROR },
    },
  };
}

function operationOf(operationId: string, route: AdminRoute): JsonObject {
  return {
    operationId,
    summary: route.about,
    ...(route.scope && { description: `Scope: \`${route.scope}\`.` }),
    parameters: parametersOf(route),
    ...(route.body && { requestBody: bodyOf(route.body) }),
    responses: {
      200: { description: 'Done.', content: jsonOf(route.answer) },
      ...Object.fromEntries(
        Object.entries(REFUSALS).map(([status, description]) => [
          status,
          { description, content: jsonOf(refOf('schemas/Error')) },
        ]),
      ),
    },
  };
}

const ID_IS = { user: 'A user id.', notice: 'The id of a notice.' };

function parametersOf({ method, path, query }: AdminRoute): JsonObject[] {
  const id = {
    name: 'id',
    in: 'path',
    required: true,
    description: ID_IS[path.startsWith('/users/') ? 'user' : 'notice'],
    schema: { type: 'string' },
  };
  const key = {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'An equal request with this key within 24 hours is carried out once and gets the same answer.',
    schema: { type: 'string', pattern: '^[!-~]{1,255}$' },
  };
  return [
    ...(path.includes('{id}') ? [id] : []),
    ...Object.entries(query).map(([name, { required, about, schema }]) => ({
      ...{ name, in: 'query', description: about, schema },
      ...(required && { required }),
    })),
    ...(method === 'GET' ? [] : [key]),
  ];
}

function bodyOf(body: JsonObject | 'file'): JsonObject {
  if (body !== 'file') return { required: true, content: jsonOf(body) };
  return { required: true, content: { 'application/octet-stream': { schema: {} } } };
}

function jsonOf(schema: JsonObject): JsonObject {
  return { 'application/json': { schema } };
}

function refOf(name: string): JsonObject {
  return { $ref: `#/components/${name}` };
}
