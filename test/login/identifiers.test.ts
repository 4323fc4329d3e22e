import { afterEach, describe, expect, test } from '@jest/globals';
import type { Json, JsonObject } from '../../src/matrix/wire.ts';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { loginsOf, PASSWORD, post, startSignIns, submit } from './support.ts';

let app: TestApp;
let bob: Enrolled;

afterEach(() => app.stop());

const SHAPES: readonly Json[] = [
  {},
  { type: '' },
  null,
  'bob',
  [],
  7,
  { type: 'm.id.user', user: 'alice' },
  { type: 5 },
];

describe('attack 175: an identifier of any shape', () => {
  test.each(SHAPES)('%j beside a login token is ignored', async (identifier) => {
    ({ app, bob } = await startSignIns());
    const redeem = (name: string): JsonObject => {
      return { type: 'm.login.token', token: app.stub.mintLoginToken(name), identifier };
    };
    const free = await post(app, LOGIN, redeem('alice'));
    expect([free.status, free.body.user_id]).toEqual([200, '@alice:localhost']);
    const gated = await post(app, LOGIN, redeem('bob'));
    expect([gated.status, gated.body.completed]).toEqual([401, ['m.login.token']]);
    const done = await submit(app, gated, app.code(bob));
    expect([done.status, done.body.user_id]).toEqual([200, '@bob:localhost']);
  });

  test.each(SHAPES)('%j beside a login token of the sign-in page is ignored', async (identifier) => {
    ({ app, bob } = await startSignIns());
    const answer = await post(app, LOGIN, { type: 'm.login.token', token: 'm2fat_unknown', identifier });
    expect([answer.status, answer.body.errcode]).toEqual([403, 'M_FORBIDDEN']);
    expect(loginsOf(app)).toEqual([]);
  });

  test.each(['org.matrix.login.jwt', 'm.login.application_service'])(
    'a %s login with one is judged by the homeserver',
    async (type) => {
      ({ app, bob } = await startSignIns());
      for (const identifier of SHAPES) await post(app, LOGIN, { type, token: 'a.b.c', identifier });
      expect(loginsOf(app).map(({ json }) => json?.identifier)).toEqual(SHAPES);
    },
  );

  test('a password login still says who it is for', async () => {
    ({ app, bob } = await startSignIns());
    for (const identifier of [{}, { type: '' }, 'bob', []]) {
      const answer = await post(app, LOGIN, passwordLogin('bob', PASSWORD, { identifier }));
      expect([answer.status, answer.body.errcode]).toEqual([400, 'M_BAD_JSON']);
    }
    expect(loginsOf(app)).toEqual([]);
  });
});
