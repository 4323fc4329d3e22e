import type { Response } from 'supertest';
import { validator } from '../../src/matrix/registry.ts';
import type { ShapeName } from '../../src/matrix/shapes.ts';
import { isJsonObject, type JsonObject } from '../../src/matrix/wire.ts';
import { type JudgedAnswer, type Judgement, judgeAnswer, specPath } from './openapi_judge.ts';

/** An endpoint whose good answers are ours to shape. */
interface OwnEndpoint {
  readonly method: string;
  /** As the specification writes it: without base path and version. */
  readonly path: string;
  /** The shape of its 200: where it is of a factor, that of the factor that it is about. */
  readonly answer: ShapeName | ((body: JsonObject) => ShapeName);
}

const OWN_ENDPOINTS: readonly OwnEndpoint[] = [
  { method: 'GET', path: '/versions', answer: 'versions_answer' },
  { method: 'GET', path: '/matrix/client', answer: 'well_known_client' },
  { method: 'GET', path: '/login', answer: 'login_flows_answer' },
  { method: 'POST', path: '/login', answer: 'login_answer' },
  { method: 'POST', path: '/register', answer: 'register_answer' },
  { method: 'POST', path: '/refresh', answer: 'refresh_answer' },
  { method: 'POST', path: '/login/get_token', answer: 'get_token_answer' },
  { method: 'POST', path: '/account/deactivate', answer: 'unbind_answer' },
  { method: 'POST', path: '/account/3pid/delete', answer: 'unbind_answer' },
  { method: 'POST', path: '/account/3pid/unbind', answer: 'unbind_answer' },
  { method: 'GET', path: '/account/two-factor', answer: 'two_factor_state' },
  { method: 'DELETE', path: '/account/two-factor', answer: 'empty_answer' },
  { method: 'POST', path: '/account/two-factor/totp', answer: 'totp_setup_answer' },
  { method: 'POST', path: '/account/two-factor/totp/confirm', answer: 'totp_confirm_answer' },
  { method: 'DELETE', path: '/account/two-factor/totp', answer: 'empty_answer' },
  { method: 'POST', path: '/account/two-factor/webauthn', answer: 'webauthn_setup_answer' },
  { method: 'POST', path: '/account/two-factor/webauthn/confirm', answer: 'webauthn_confirm_answer' },
  { method: 'DELETE', path: '/account/two-factor/webauthn', answer: 'empty_answer' },
  { method: 'POST', path: '/_2fa/account/session', answer: 'page_session_answer' },
  {
    method: 'POST',
    path: '/org.matrix.2fa/enrolment',
    answer: (body) => ('public_key' in body ? 'webauthn_setup_answer' : 'totp_setup_answer'),
  },
  { method: 'POST', path: '/org.matrix.2fa/enrolment/confirm', answer: 'enrolment_confirm_answer' },
  { method: 'GET', path: '/org.matrix.2fa/device_passwords', answer: 'device_passwords_answer' },
  { method: 'POST', path: '/org.matrix.2fa/device_passwords', answer: 'device_password_answer' },
  { method: 'GET', path: '/org.matrix.2fa/recovery_contacts', answer: 'recovery_contacts_answer' },
  { method: 'PUT', path: '/org.matrix.2fa/recovery_contacts', answer: 'recovery_contacts_answer' },
  { method: 'DELETE', path: '/org.matrix.2fa/recovery_contacts', answer: 'empty_answer' },
  { method: 'POST', path: '/org.matrix.2fa/recovery_vote', answer: 'recovery_vote_answer' },
  { method: 'PUT', path: '/org.matrix.2fa/recovery_vote', answer: 'recovery_vote_answer' },
  { method: 'GET', path: '/org.matrix.2fa/policy', answer: 'policy_answer' },
  { method: 'GET', path: '/account/two-factor/recovery', answer: 'recovery_state' },
  { method: 'POST', path: '/account/two-factor/recovery', answer: 'recovery_codes_answer' },
  { method: 'DELETE', path: '/account/two-factor/recovery', answer: 'empty_answer' },
];

/** Our session ids begin like this; the homeserver's do not. */
const OUR_SESSION = /^m2fa_/;

/**
 * Checks the body of a response against our own schemas and against the official specification, and its
 * content type. Answers the response, so that further expectations can follow.
 * @throws Error that lists what is wrong
 */
export function expectJudged(response: Response): Response {
  const { method, url } = response.request;
  const answer = { method, path: new URL(url).pathname, status: response.status, body: response.body };
  const contentType = response.headers['content-type'];
  // libQuotient compares the whole header.
  const typeErrors = contentType === 'application/json' ? [] : [`the content type is ${contentType}`];
  const errors = [...typeErrors, ...judgeAll(answer)];
  if (errors.length === 0) return response;
  throw new Error(
    `${method} ${answer.path} answered ${answer.status}, which is not as specified:\n  ${errors.join('\n  ')}`,
  );
}

/** What is wrong with an answer, by our schemas (`ours: …`) and by the official ones (`official: …`). */
export function judgeAll(answer: JudgedAnswer): string[] {
  return [
    ...judgeOurs(answer).errors.map((error) => `ours: ${error}`),
    ...judgeAnswer(answer).errors.map((error) => `official: ${error}`),
  ];
}

/** Checks an answer against the schema of this project for its endpoint and status. */
export function judgeOurs(answer: JudgedAnswer): Judgement {
  const shape = shapeOf(answer);
  if (shape === undefined) return { checked: false, errors: [] };
  const check = validator(shape);
  if (check(answer.body)) return { checked: true, errors: [] };
  const errors = (check.errors ?? []).map(
    (error) => `${shape}: ${error.instancePath || 'the body'} ${error.message}`,
  );
  return { checked: true, errors };
}

function shapeOf(answer: JudgedAnswer): ShapeName | undefined {
  if (answer.status === 401 && isJsonObject(answer.body) && 'flows' in answer.body) {
    return isHomeserverChallenge(answer.body.session) ? undefined : 'challenge';
  }
  if (answer.status >= 400) return 'error';
  const path = specPath(answer.path);
  const own = OWN_ENDPOINTS.find((each) => each.path === path && each.method === answer.method.toUpperCase());
  return typeof own?.answer === 'function'
    ? own.answer(isJsonObject(answer.body) ? answer.body : {})
    : own?.answer;
}

/** Users without 2FA get the homeserver's own challenge as it is (R6): only the official schema fits it. */
function isHomeserverChallenge(session: unknown): boolean {
  return typeof session === 'string' && !OUR_SESSION.test(session);
}
