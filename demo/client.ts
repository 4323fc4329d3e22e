import { isJsonObject, type JsonObject } from '../src/matrix/wire.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly body: JsonObject;
}

export interface ApiCall {
  /** By default GET, or POST where there is a body. */
  readonly method?: string;
  readonly path: string;
  readonly body?: JsonObject;
  readonly token?: string | undefined;
}

/** One request of a Matrix client, below `/_matrix/client/`. */
export async function ask(url: string, what: ApiCall): Promise<ApiAnswer> {
  const answer = await fetch(`${url}/_matrix/client/${what.path}`, {
    method: what.method ?? (what.body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(what.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(what.token === undefined ? {} : { authorization: `Bearer ${what.token}` }),
    },
    ...(what.body === undefined ? {} : { body: JSON.stringify(what.body) }),
  });
  const body: unknown = await answer.json().catch(() => ({}));
  return { status: answer.status, body: isJsonObject(body) ? body : {} };
}

/** The body of a password login. */
export function passwordLogin(user: string, password: string, more: JsonObject = {}): JsonObject {
  return { type: 'm.login.password', identifier: { type: 'm.id.user', user }, password, ...more };
}

/** A text in an answer, or an empty one. */
export function textIn(answer: ApiAnswer, key: string): string {
  const value = answer.body[key];
  return typeof value === 'string' ? value : '';
}
