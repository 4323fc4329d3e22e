/** Sign-ins of `carol`, who has to set up a second factor, and `dave`, who has one of his own; nothing is asked of `alice`. */
import { expect } from '@jest/globals';
import type { Response } from 'supertest';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { seedIn } from '../account/account.ts';
import { type AppOptions, LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import { codeAt, wrongCode } from '../support/enrolment.ts';
import { PASSWORD, post } from './support.ts';

export const ENROL = 'm.login.2fa.enrol';
export const CAROL = '@carol:localhost';

const API = '/_matrix/client/unstable/org.matrix.2fa/enrolment';

export const OWING: AppOptions = {
  config: `policy: { users: { "${CAROL}": required } }`,
  users: ['alice', 'carol', 'dave'].map((name) => ({ name, password: PASSWORD })),
};

/** A sign-in of carol that is held. */
export async function owedSignIn(app: TestApp, more: JsonObject = {}): Promise<string> {
  const challenge = await post(app, LOGIN, passwordLogin('carol', PASSWORD, more));
  expect(challenge.status).toBe(401);
  return String(challenge.body.session);
}

export function begin(app: TestApp, session: string, more: JsonObject = {}): Promise<Response> {
  return post(app, API, { session, factor: 'totp', ...more });
}

/** What a set-up said of itself. */
export interface Begun {
  readonly setupId: string;
  readonly seed: Buffer;
}

export async function begun(app: TestApp, session: string): Promise<Begun> {
  const { status, body } = await begin(app, session);
  expect(status).toBe(200);
  return { setupId: String(body.setup_id), seed: seedIn(body.seed) };
}

/** Confirms a set-up with the code of now, or with `more`. */
export function confirm(
  app: TestApp,
  session: string,
  { setupId, seed }: Begun,
  more: JsonObject = {},
): Promise<Response> {
  const token = codeAt(seed, app.clock.now());
  return post(app, `${API}/confirm`, { session, setup_id: setupId, token, ...more });
}

export function wrongFor({ seed }: Begun, app: TestApp): JsonObject {
  return { token: wrongCode(seed, app.clock.now()) };
}

/** Asks for the held login of a session. */
export function collect(app: TestApp, session: string): Promise<Response> {
  return post(app, LOGIN, { auth: { session } });
}

/** Whether carol has a second factor. */
export function isEnrolled(app: TestApp): Promise<boolean> {
  return app.storage.factors.isEnrolled(CAROL);
}
