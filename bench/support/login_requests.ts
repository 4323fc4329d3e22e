import { Agent, request } from 'undici';
import type { JsonObject } from '../../src/matrix/wire.ts';

const LOGIN = '/_matrix/client/v3/login';

const agent = new Agent({ keepAliveTimeout: 60_000 });

/** Posts a login, or a step of one. @param url base URL, without a slash at its end */
export async function postLogin(url: string, body: JsonObject): Promise<JsonObject> {
  const { body: answer } = await request(url + LOGIN, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    dispatcher: agent,
  });
  return (await answer.json()) as JsonObject;
}

/** As above. @throws Error if the answer has no access token */
export async function postGrantedLogin(url: string, body: JsonObject): Promise<void> {
  const answer = await postLogin(url, body);
  if (answer.access_token === undefined)
    throw new Error(`${url}: a sign-in was refused: ${JSON.stringify(answer)}`);
}
