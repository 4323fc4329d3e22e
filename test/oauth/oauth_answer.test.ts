import { expect, test } from '@jest/globals';
import type { ClientRequest } from '../../src/http/client_request.ts';
import { Refusal } from '../../src/matrix/refusals.ts';
import { notNow } from '../../src/oauth/grant_errors.ts';
import { OauthError, oauthAnswer, oauthHandler } from '../../src/oauth/oauth_answer.ts';
import { readOauthForm, requireField } from '../../src/oauth/oauth_form.ts';
import { StoreUnavailable } from '../../src/storage/errors.ts';
import { silentLog } from '../../src/system/log.ts';

type Sent = Partial<Pick<ClientRequest, 'token'>> & {
  readonly type?: string;
  readonly body?: string | Buffer;
  readonly fails?: Error;
};

function requestWith({
  type = 'application/x-www-form-urlencoded',
  body = '',
  fails,
  token,
}: Sent): ClientRequest {
  const readBody = async () => {
    if (fails !== undefined) throw fails;
    return Buffer.from(body as string);
  };
  return {
    ...{ method: 'POST', path: '/', params: {}, query: new Map(), search: '', assertedUser: undefined },
    ...{ body: undefined, signal: new AbortController().signal, headers: {} },
    client: { ip: '192.0.2.7', proto: 'https', host: undefined },
    token: token ?? { kind: 'none' },
    raw: { query: '', contentType: type, readBody },
  };
}

const read = oauthHandler(silentLog, async (request) =>
  oauthAnswer(Object.fromEntries(await readOauthForm(request))),
);
const throwing = (error: unknown) =>
  oauthHandler(silentLog, async () => {
    throw error;
  })(requestWith({}));

test('a form is read; what has no value is absent', async () => {
  const answer = await read(requestWith({ body: 'grant_type=refresh_token&scope=&x=%20+%2B' }));
  expect(answer).toEqual({ status: 200, body: { grant_type: 'refresh_token', x: '  +' } });
});

test.each<[string, Sent]>([
  ['another type', { type: 'application/json', body: '{}' }],
  ['no type', { type: '' }],
  ['a parameter twice', { body: 'a=1&b=2&a=1' }],
  ['a parameter twice, once without a value', { body: 'a=1&a=' }],
  ['bytes beyond ASCII', { body: Buffer.from([0x61, 0x3d, 0xff]) }],
  ['too much', { fails: new Refusal('too_large') }],
  ['a body that breaks off', { fails: new Refusal('bad_json') }],
])('attack 300: %s is 400 invalid_request', async (_, sent) => {
  const { status, body } = await read(requestWith(sent));
  expect(status).toBe(400);
  expect(body).toEqual({ error: 'invalid_request', error_description: expect.stringMatching(/^[ -~]+$/) });
});

test.each<[string, Sent]>([
  ['Basic', { token: { kind: 'malformed' } }],
  ['a secret', { body: 'client_secret=x' }],
  ['an assertion', { body: 'client_assertion=x' }],
])('a client that proves who it is by %s is 401 invalid_client', async (_, sent) => {
  const { status, body, headers } = await read(requestWith(sent));
  expect([status, body]).toEqual([401, expect.objectContaining({ error: 'invalid_client' })]);
  expect(headers?.['WWW-Authenticate'] !== undefined).toBe(sent.token !== undefined);
});

test('what was sent is not repeated', async () => {
  const { body } = await read(requestWith({ body: 'secret-a=1&secret-a=1' }));
  expect(JSON.stringify(body)).not.toContain('secret-a');
  expect(() => requireField(new Map(), 'code')).toThrow('The parameter code is missing.');
});

test("what passes by itself is on record as the homeserver's, and not as an error of this program", async () => {
  const { status, outcome } = await throwing(notNow());
  expect([status, outcome]).toMatchObject([503, { is: 'failed', reason: 'homeserver_answer' }]);
  const wrong = await throwing(new OauthError('server_error', 'It failed.'));
  expect(wrong.outcome).toMatchObject({ is: 'failed', reason: 'internal' });
});

test.each<[string, unknown, number, string]>([
  ['a store that is away', new StoreUnavailable('away'), 503, 'temporarily_unavailable'],
  ['a homeserver that is away', new Refusal('homeserver_unreachable'), 503, 'temporarily_unavailable'],
  [
    'a limit',
    new Refusal('limit_exceeded', { limit: 'address', retryAfterMs: 1500 }),
    503,
    'temporarily_unavailable',
  ],
  ['a fault of this program', new Error('secret'), 500, 'server_error'],
  ['a request that is refused', new Refusal('bad_json'), 400, 'invalid_request'],
])('%s is an error of OAuth', async (_, error, status, code) => {
  const answer = await throwing(error);
  expect(answer.status).toBe(status);
  expect(answer.body).toEqual({ error: code, error_description: expect.any(String) });
  expect(answer.headers?.['Retry-After'] !== undefined).toBe(status === 503);
});

test('the wait is rounded up to seconds, and an error brings its own', async () => {
  const limited = await throwing(new Refusal('limit_exceeded', { limit: 'address', retryAfterMs: 1500 }));
  expect(limited.headers).toEqual({ 'Retry-After': '2' });
  const own = await throwing(
    new OauthError('temporarily_unavailable', 'Wait.', { status: 429, retryAfterMs: 20_001 }),
  );
  expect([own.status, own.headers]).toEqual([429, { 'Retry-After': '21' }]);
});
