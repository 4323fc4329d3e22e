import { describe, expect, test } from '@jest/globals';
import type { HomeserverAnswer } from '../../src/homeserver/homeserver.ts';
import { rebuildError } from '../../src/homeserver/safe_error.ts';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { cpuCostMs } from '../support/cpu_cost.ts';

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

test('an error that is not JSON becomes one', () => {
  expect(rebuildError(answer(502), undefined)).toEqual({
    status: 502,
    body: { errcode: 'M_UNKNOWN', error: NEUTRAL },
    retryAfterMs: undefined,
  });
});

test.each([200, 201, 202, 204, 302, 307])(
  'attack 33: status %i is not an error to be passed on',
  (status) => {
    const json = { errcode: 'M_UNKNOWN', access_token: 'tok' };
    expect(() => rebuildError(answer(status, json), undefined)).toThrow(
      expect.objectContaining({ refusal: 'homeserver_unclear' }),
    );
  },
);

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

/** How much more time a processor takes that shares its core with other tests. */
const BUSY = 2;

describe('large bodies', () => {
  const MIB = 1024 * 1024;
  const list = (count: number, length: number) =>
    Array.from({ length: count }, (_, index) => `${index}`.padStart(length, 'DEVICE'));
  const BODIES: readonly [string, JsonObject][] = [
    ['one long string', { devices: ['x'.repeat(MIB)] }],
    ['one long string of blanks', { devices: [' '.repeat(MIB)] }],
    ['one long string of escapes', { devices: ['\\u{000041}'.repeat(MIB / 10)] }],
    ['one long string that normalises', { devices: ['\ufdfa'.repeat(MIB / 3)] }],
    ['as many strings as a body may hold', { devices: list(9_990, 100) }],
    ['strings that all begin as the text does', { devices: list(600, 1_700) }],
  ];
  const TEXTS = [
    'No such device: DEVICEDEVICEDEVICE',
    'x'.repeat(1000),
    'DEVICE'.repeat(160),
    'x'.repeat(MIB),
  ];

  test.each(BODIES)('attack 121: an error on %s is compared within 20 ms', async (_, sent) => {
    for (const text of [...TEXTS, JSON.stringify(sent)]) {
      const error = answer(400, { errcode: 'M_UNKNOWN', error: text });
      expect(await cpuCostMs(() => rebuildError(error, sent), 15)).toBeLessThan(20 * BUSY);
    }
  });

  test.each([
    ['as it is', (value: string) => value],
    ['as JSON', (value: string) => JSON.stringify(value)],
    ['with its letters escaped', (value: string) => value.replaceAll('e', '\\u{65}')],
    ['in debug output', (value: string) => `Some("${value.toUpperCase()}")`],
  ])('attack 112: a long value is found, %s', (_, written) => {
    const secret = `correct "horse" \\ battery ${'staple é '.repeat(12)}end`;
    const text = `Refused: ${written(secret)}`;
    const rebuilt = rebuildError(answer(403, { errcode: 'M_FORBIDDEN', error: text }), {
      auth: { password: secret },
    });
    expect(rebuilt.body.error).toBe(NEUTRAL);
  });

  test('attack 112: a text that is longer than any message is not passed on', () => {
    const long = answer(403, { errcode: 'M_FORBIDDEN', error: 'a word '.repeat(200) });
    expect(rebuildError(long, { password: 'hunter2' }).body.error).toBe(NEUTRAL);
  });
});
