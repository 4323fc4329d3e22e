import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { JsonObject } from '../../src/matrix/wire.ts';
import type { AppOptions, TestApp } from '../support/app.ts';
import { call, type HttpAnswer, type HttpCall } from '../support/http.ts';
import { operate } from '../support/operate.ts';

export const ADMIN = '/_2fa/admin/v1';
export const GROUNDS = { reason: 'phone lost', verified_by: 'Ada, passport seen' };

export const WITH_ADMIN: AppOptions = {
  users: [{ name: 'bob', password: 'bob password' }],
  config: 'admin: { listen: "127.0.0.1:0", tokens_file: admin_tokens.json }',
};

interface Operation {
  readonly responses: Readonly<Record<string, { content: { 'application/json': { schema: JsonObject } } }>>;
}

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: JsonObject;
}

export const description: Description = JSON.parse(readFileSync('spec/openapi.json', 'utf8'));

/** Makes a token by the command. */
export async function newToken(
  app: TestApp,
  name: string,
  scope: string,
  ...more: string[]
): Promise<string> {
  const made = await operate(app, 'admin', 'token', 'create', name, '--scope', scope, ...more);
  if (made.code !== 0) throw new Error(made.err);
  // What was read is taken for a second.
  app.clock.advance(1000);
  return made.out;
}

/** Sends a request to the admin API. */
export function ask(app: TestApp, what: HttpCall): Promise<HttpAnswer> {
  return call(app.proxy.adminUrl ?? '', what);
}

const ajv = new Ajv2020({ strict: false });

/** What is wrong with an answer, by the description of its operation; undefined if nothing is. */
export function misfit(path: string, method: string, { status, json }: HttpAnswer): string | undefined {
  const { components } = description;
  const response = description.paths[path]?.[method.toLowerCase()]?.responses[status];
  if (response === undefined) return `${method} ${path} has no answer ${status}`;
  const check = ajv.compile({ ...response.content['application/json'].schema, components });
  return check(json) ? undefined : `${method} ${path} ${status}: ${ajv.errorsText(check.errors)}`;
}

/** How a refusal looks, whatever was asked for. */
export function isRefusal({ status, json }: HttpAnswer): boolean {
  const check = ajv.compile(description.components.schemas as JsonObject);
  return status >= 400 && status < 500 && check(json) && typeof json.errcode === 'string';
}
