import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { BOBS_PASSWORD, type GuardedApp, startGuarded } from '../guard/guarded.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { makeCrossSigningKeys } from '../support/cross_signing_keys.ts';
import { Visitor } from '../support/visitor.ts';

const FOLDER = join(import.meta.dirname, 'recorded');
const PAGE = '/_2fa/login?redirectUrl=https%3A%2F%2Fapp.example.net%2F';
const STEP = 30_000;

/**
 * A request of a real client. What differs each time is written as `{password}`, `{code}`,
 * `{session}`, `{login_token}` and, for cross-signing keys, `{master_key}` and the like.
 */
interface Recorded {
  readonly client: string;
  readonly what: string;
  /** Where the request is known from. */
  readonly known: string;
  /** What goes before: the client signs in, so that its token is fresh. */
  readonly signIn?: 'password_and_code';
  readonly request: { readonly method: 'POST'; readonly target: string; readonly body: JsonObject };
  /** What it is answered. */
  readonly status: number;
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
const recorded = files.map((name): [string, Recorded] => [
  name.slice(0, -'.json'.length),
  JSON.parse(readFileSync(join(FOLDER, name), 'utf8')),
]);

let it: GuardedApp;

beforeEach(async () => {
  it = await startGuarded();
});
afterEach(() => it.app.stop());

/** A code that is valid and was not used. */
function freshCode(): string {
  it.app.clock.advance(STEP);
  return it.app.code(it.bob);
}

/** The login token that the sign-in page gives to a client. */
async function loginToken(): Promise<string> {
  const visitor = new Visitor(it.app.url);
  await visitor.open(PAGE);
  await visitor.send({ user: 'bob', password: BOBS_PASSWORD });
  await visitor.send({ code: freshCode() });
  const { headers } = await visitor.send({ decision: 'allow' });
  return new URL(headers.location ?? '').searchParams.get('loginToken') ?? '';
}

/** The access token that the request comes with; undefined for logins. */
async function accessToken({ signIn, request }: Recorded): Promise<string | undefined> {
  if (request.target === LOGIN) return undefined;
  if (signIn === undefined) return it.bobsToken;
  const answer = await it.app.post(LOGIN, passwordLogin('bob', `${BOBS_PASSWORD} ${freshCode()}`));
  return String(answer.json.access_token);
}

/** The request with what differs from one sign-in to the next put in. */
async function filledIn({ request }: Recorded, token: string | undefined): Promise<JsonObject> {
  const keys = Object.entries(makeCrossSigningKeys('@bob:localhost'));
  let text = keys.reduce(
    (filled, [name, key]) => filled.replaceAll(`"{${name}}"`, JSON.stringify(key)),
    JSON.stringify(request.body),
  );
  const { auth: _, ...withoutAuth } = JSON.parse(text) as JsonObject;
  if (text.includes('{session}')) {
    const { json } = await it.app.post(request.target, withoutAuth, token);
    text = text.replaceAll('{session}', String(json.session));
  }
  if (text.includes('{login_token}')) text = text.replaceAll('{login_token}', await loginToken());
  return JSON.parse(text.replaceAll('{password}', BOBS_PASSWORD).replaceAll('{code}', freshCode()));
}

describe('requests of real clients, as they come', () => {
  test.each(recorded)('%s', async (_, one) => {
    const token = await accessToken(one);
    const body = await filledIn(one, token);
    const answer = await it.app.post(one.request.target, body, token);
    expect([answer.status, answer.json.errcode]).toEqual([
      one.status,
      one.status === 400 ? expect.any(String) : undefined,
    ]);
    if (one.status === 401) expect(answer.json.session).toMatch(/^m2fa_/);
    expect(await it.app.storage.read(lanesOf(it.bob.userId))).toEqual([]);
  });

  test('each says which client it is of, in which version, and where it is known from', () => {
    for (const [, { client, what, known }] of recorded) {
      expect(client).toMatch(/ \d+\.\d+/);
      expect([what, known].every((text) => text.length > 10)).toBe(true);
    }
    expect(recorded.length).toBeGreaterThan(8);
  });
});
