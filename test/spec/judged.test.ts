import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import request from 'supertest';
import { expectJudged } from '../support/judged.ts';

let server: Server | undefined;

afterEach(() => {
  server?.close();
  server = undefined;
});

/** A server that gives this one answer to everything. */
async function answering(status: number, body: unknown, contentType = 'application/json'): Promise<string> {
  const started = createServer((_request, response) => {
    response.writeHead(status, { 'Content-Type': contentType }).end(JSON.stringify(body));
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

const challenge = {
  session: 'm2fa_9tQbS3kOq0cVnXw1',
  flows: [{ stages: ['m.login.password', 'm.login.2fa.totp'] }],
  params: {},
  completed: ['m.login.password'],
};

test('a complete challenge of ours passes, and the response goes on', async () => {
  const origin = await answering(401, { ...challenge, errcode: 'M_FORBIDDEN', error: 'A code is needed.' });
  const response = expectJudged(await request(origin).post('/_matrix/client/v3/login').send({}));
  expect(response.status).toBe(401);
});

test.each([
  ['a challenge without completed', 401, { ...challenge, completed: undefined }],
  ['a challenge without params', 401, { ...challenge, params: undefined }],
  ['a challenge without a session', 401, { ...challenge, session: undefined }],
  ['a challenge with a token in it', 401, { ...challenge, access_token: 'syt_x' }],
  ['an errcode without a text', 401, { ...challenge, errcode: 'M_FORBIDDEN' }],
  ['an error without a text', 403, { errcode: 'M_FORBIDDEN' }],
  ['an error with a token in it', 403, { errcode: 'M_FORBIDDEN', error: 'no', access_token: 'syt_x' }],
  ['a login without a device', 200, { user_id: '@a:example.org', access_token: 'syt_x' }],
  ['a good status that is not specified', 201, {}],
])('%s does not pass', async (_name, status, body) => {
  const origin = await answering(status, body);
  const response = await request(origin).post('/_matrix/client/v3/login').send({});
  expect(() => expectJudged(response)).toThrow('not as specified');
});

test('the beginning of a set-up is judged as that of its factor', async () => {
  const target = '/_matrix/client/unstable/org.matrix.2fa/enrolment';
  const body = { setup_id: 'x', expires_ts: 1, recovery_codes: 'new', public_key: { challenge: 'AAAA' } };
  const origin = await answering(200, body);
  const response = await request(origin).post(target).send({ session: 'm2fa_x', factor: 'webauthn' });
  expect(() => expectJudged(response)).toThrow('webauthn_setup_answer');
});

test("the homeserver's own challenge to a user without 2FA passes as it is", async () => {
  const origin = await answering(401, { session: 'XtdlxQYf', flows: [{ stages: ['m.login.password'] }] });
  expectJudged(
    await request(origin)
      .post('/_matrix/client/v3/delete_devices')
      .send({ devices: ['A'] }),
  );
});

test('the two-factor API is judged by our own schemas', async () => {
  const origin = await answering(200, { enabled: false, providers: { 'm.login.2fa.totp': {} } });
  const response = await request(origin).get('/_matrix/client/r0/account/two-factor');
  expect(() => expectJudged(response)).toThrow('ours: two_factor_state');
});

test('a charset in the content type does not pass', async () => {
  const origin = await answering(200, { enabled: false, providers: {} }, 'application/json; charset=utf-8');
  const response = await request(origin).get('/_matrix/client/v3/account/two-factor');
  expect(() => expectJudged(response)).toThrow('content type');
});
