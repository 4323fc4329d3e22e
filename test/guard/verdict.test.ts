import { describe, expect, test } from '@jest/globals';
import type { Pending } from '../../src/guard/pending.ts';
import { readVerdict } from '../../src/guard/verdict.ts';
import type { HomeserverAnswer } from '../../src/homeserver/homeserver.ts';
import type { JsonObject } from '../../src/matrix/wire.ts';
import type { Session } from '../../src/uia/session.ts';

const TOTP = 'm.login.2fa.totp';
const PASSWORD = 'm.login.password';
const EMAIL = 'm.login.email.identity';
const session = { flows: [[TOTP, PASSWORD]], completed: [TOTP] } as unknown as Session;
const password: Pending = {
  is: 'pending',
  session,
  password: 'correct horse',
  asTyped: undefined,
  auth: { type: PASSWORD },
  homeserverStages: undefined,
  body: {},
};
const homeserverStages = { session: 'theirs', proven: [TOTP], flows: [[EMAIL]], completed: [], params: {} };
const stage: Pending = { ...password, homeserverStages, auth: { type: EMAIL } };

function said(status: number, json: JsonObject): HomeserverAnswer {
  return { status, headers: {}, json, bytes: Buffer.from(JSON.stringify(json)) };
}
const wants = (stages: string[], more: JsonObject = {}) =>
  said(401, { session: 'theirs', flows: [{ stages }], ...more });
const failure = { errcode: 'M_FORBIDDEN', error: 'No.' };

const read = (answer: HomeserverAnswer, pending = password, isFresh = false) =>
  readVerdict(answer, {}, pending, isFresh).is;

describe('what the homeserver made of a password', () => {
  test.each([
    ['a success', said(200, {}), 'accepted'],
    ['a challenge that failed', wants([PASSWORD], failure), 'wrong_password'],
    ['a challenge for another stage', wants([EMAIL]), 'more_stages'],
    ['a failure where no password is wanted', wants([EMAIL], failure), 'more_stages'],
    ['403 M_FORBIDDEN', said(403, failure), 'unclear'],
    ['400 M_UNKNOWN', said(400, { errcode: 'M_UNKNOWN', error: 'No.' }), 'unclear'],
    ['403 for another reason', said(403, { errcode: 'M_GUEST_ACCESS_FORBIDDEN', error: 'No.' }), 'unrelated'],
    ['a server error', said(500, { errcode: 'M_UNKNOWN', error: 'No.' }), 'unrelated'],
  ])('%s', (_, answer, verdict) => {
    expect(read(answer)).toBe(verdict);
  });

  test('a fresh sign-in is not led on: a second factor is asked for', () => {
    expect(read(wants([EMAIL]), password, true)).toBe('factor_wanted');
    expect(read(wants([PASSWORD], failure), password, true)).toBe('wrong_password');
  });

  test('a challenge without a session, or without a stage for us, is not understood', () => {
    expect(() => read(said(401, { flows: [{ stages: [PASSWORD] }] }))).toThrow();
    expect(() => read(wants(['m.login.unknown']))).toThrow();
  });

  test('a success is a JSON object, or empty: a page with status 200 does not say what was done', () => {
    const page = { status: 200, headers: {}, json: undefined, bytes: Buffer.from('<html>Back soon</html>') };
    expect(() => read(page)).toThrow(expect.objectContaining({ refusal: 'homeserver_unclear' }));
    expect(() => read(page, stage)).toThrow(expect.objectContaining({ refusal: 'homeserver_unclear' }));
    expect(read({ ...page, bytes: Buffer.alloc(0) })).toBe('accepted');
  });
});

describe('what the homeserver made of a stage of its own', () => {
  test('a challenge goes on, or refuses the stage', () => {
    expect(read(wants([EMAIL]), stage)).toBe('more_stages');
    expect(read(wants([EMAIL], failure), stage)).toBe('stage_refused');
  });

  test('a refusal of a session alone is no news; of a stage it is an answer', () => {
    const asked = { ...stage, auth: {} };
    expect(read(said(400, failure), asked)).toBe('unheard');
    expect(read(said(429, failure), asked)).toBe('unrelated');
    expect(read(said(400, failure), stage)).toBe('unrelated');
    expect(read(said(200, {}), asked)).toBe('accepted');
  });
});
