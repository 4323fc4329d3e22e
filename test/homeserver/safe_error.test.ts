import { expect, test } from '@jest/globals';
import type { HomeserverAnswer } from '../../src/homeserver/homeserver.ts';
import { rebuildError } from '../../src/homeserver/safe_error.ts';
import type { JsonObject } from '../../src/matrix/wire.ts';

const NEUTRAL = 'The homeserver refused this request.';

function answer(
  status: number,
  json?: JsonObject,
  headers: HomeserverAnswer['headers'] = {},
): HomeserverAnswer {
  return { status, headers, bytes: Buffer.from(JSON.stringify(json ?? null)), json };
}

test('errcode, error, retry_after_ms and soft_logout are all that is kept of an error', () => {
  const full = {
    errcode: 'M_LIMIT_EXCEEDED',
    error: 'Too many requests',
    retry_after_ms: 1500,
    soft_logout: true,
    access_token: 'tok',
    data: { access_token: 'tok' },
    flows: [{ stages: ['m.login.password'] }],
    session: 'tok',
  };
  expect(rebuildError(answer(429, full), undefined)).toEqual({
    status: 429,
    body: {
      errcode: 'M_LIMIT_EXCEEDED',
      error: 'Too many requests',
      retry_after_ms: 1500,
      soft_logout: true,
    },
    retryAfterMs: 1500,
  });
});

test('a Retry-After header alone becomes retry_after_ms', () => {
  const limited = answer(429, { errcode: 'M_LIMIT_EXCEEDED', error: 'Wait' }, { 'retry-after': '3' });
  expect(rebuildError(limited, undefined)).toMatchObject({
    body: { retry_after_ms: 3000 },
    retryAfterMs: 3000,
  });
});

test('attack 110: a challenge without params and completed is made whole', () => {
  const flows = [{ stages: ['m.login.password'], access_token: 'tok' }, 'nonsense'];
  const rebuilt = rebuildError(answer(401, { session: 's', flows, access_token: 'tok' }), undefined);
  expect(rebuilt.body).toEqual({
    session: 's',
    flows: [{ stages: ['m.login.password'] }],
    params: {},
    completed: [],
  });
});

test('attack 110: params and completed that are null are made whole, a failure keeps its errcode', () => {
  const failed = {
    session: 's',
    flows: [{ stages: ['m.login.password'] }],
    params: null,
    completed: null,
    errcode: 'M_FORBIDDEN',
    error: 'Invalid username or password',
  };
  expect(rebuildError(answer(401, failed), { password: 'hunter2' }).body).toEqual({
    ...failed,
    params: {},
    completed: [],
  });
});

test('params and completed stages of a challenge are kept', () => {
  const json = {
    session: 's',
    flows: [{ stages: ['m.login.recaptcha', 'm.login.dummy'] }],
    params: { 'm.login.recaptcha': { public_key: 'k' } },
    completed: ['m.login.recaptcha', 5],
  };
  expect(rebuildError(answer(401, json), undefined).body).toEqual({
    ...json,
    completed: ['m.login.recaptcha'],
  });
});

test('attack 33: a token in the place of an errcode, or of another type, does not go out', () => {
  const json = {
    errcode: 'syt_YWxpY2U_token',
    error: { access_token: 'tok' },
    soft_logout: 'tok',
    retry_after_ms: 't',
  };
  expect(rebuildError(answer(400, json), undefined).body).toEqual({ errcode: 'M_UNKNOWN', error: NEUTRAL });
});

test('errcodes of extensions are kept', () => {
  const json = { errcode: 'ORG.MATRIX.MSC3848.ALREADY_JOINED', error: 'x' };
  expect(rebuildError(answer(400, json), undefined).body).toEqual(json);
});

test('an error that is no JSON becomes one', () => {
  expect(rebuildError(answer(502), undefined)).toEqual({
    status: 502,
    body: { errcode: 'M_UNKNOWN', error: NEUTRAL },
    retryAfterMs: undefined,
  });
});

test.each([200, 201, 202, 204, 302, 307])('attack 33: status %i is no error to be passed on', (status) => {
  const json = { errcode: 'M_UNKNOWN', access_token: 'tok' };
  expect(() => rebuildError(answer(status, json), undefined)).toThrow(
    expect.objectContaining({ refusal: 'homeserver_unclear' }),
  );
});

test.each<[string, string, JsonObject]>([
  ['the body as it is', 'Bad body: {"type":"x","password":"hunter2"}', { type: 'x', password: 'hunter2' }],
  ['an escaped quote', 'got {"password":"pa\\"ss w\\\\rd"}', { password: 'pa"ss w\\rd' }],
  ['a string escaped twice', 'got "{\\"password\\":\\"pa\\\\\\"ssword\\"}"', { password: 'pa"ssword' }],
  ['ASCII-only JSON', 'got {"password":"gr\\u00fc\\u00dfe"}', { password: 'grüße' }],
  ['debug output', 'String("cafe\\u{301} x")', { password: 'cafe\u0301 x' }],
  ['another Unicode form', 'got café-latte', { password: 'cafe\u0301-latte' }],
  ['another case', 'user ALICE is unknown', { user: 'alice' }],
  ['signs only', 'got #+*~ here', { password: '#+*~' }],
  ['escaped signs only', 'got \\"\\"\\"\\" here', { password: '""""' }],
  ['a value deep inside', 'no to s3cr3t', { auth: { inner: [{ password: 's3cr3t' }] } }],
  ['a number', 'invalid type: integer `12345678`, expected a string', { password: 12345678 }],
])('attack 112: an error text that repeats what was sent (%s) is replaced', (_name, error, sent) => {
  expect(rebuildError(answer(400, { errcode: 'M_UNKNOWN', error }), sent).body).toEqual({
    errcode: 'M_UNKNOWN',
    error: NEUTRAL,
  });
});

test.each<[string, string, JsonObject | undefined]>([
  ['nothing was sent', 'Unknown login type', undefined],
  ['nothing of it is repeated', 'Invalid username or password', { user: 'alice', password: 'hunter2' }],
  ['only a value of three characters is', 'not in this set', { password: 'set' }],
  ['an escape is out of range', 'odd \\u{ffffff} escape', { password: 'hunter2' }],
])('an error text stays where %s', (_name, error, sent) => {
  expect(rebuildError(answer(403, { errcode: 'M_FORBIDDEN', error }), sent).body.error).toBe(error);
});

test('attack 19: a body nested ten thousand deep is searched without a crash', () => {
  let sent: JsonObject = { password: 'hunter2' };
  for (let depth = 0; depth < 10_000; depth += 1) sent = { inner: sent };
  expect(rebuildError(answer(400, { error: 'got hunter2' }), sent).body.error).toBe(NEUTRAL);
});
