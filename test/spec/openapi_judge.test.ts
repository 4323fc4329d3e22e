import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type JudgedAnswer, judgeAnswer, LEFT_OUT, specFolder, specPath } from '../support/openapi_judge.ts';

const V3 = '/_matrix/client/v3';
const challenge = {
  session: 'm2fa_9tQbS3kOq0cVnXw1',
  flows: [{ stages: ['m.login.password', 'm.login.2fa.totp'] }],
  params: {},
  completed: [],
};

interface Case {
  readonly endpoint: string;
  readonly status: number;
  readonly right: unknown;
  readonly wrong: readonly unknown[];
}

const CASES: readonly Case[] = [
  {
    endpoint: `POST ${V3}/login`,
    status: 200,
    right: { user_id: '@alice:example.org', access_token: 'syt_x', device_id: 'ABC' },
    wrong: [
      {},
      { user_id: '@alice:example.org', access_token: 'syt_x' },
      { user_id: 'alice', access_token: 'syt_x', device_id: 'ABC' },
      { user_id: '@alice:example.org', access_token: 'syt_x', device_id: 'ABC', expires_in_ms: '5' },
      {
        user_id: '@alice:example.org',
        access_token: 'x',
        device_id: 'A',
        well_known: { 'm.homeserver': {} },
      },
    ],
  },
  {
    endpoint: `POST ${V3}/login`,
    status: 401,
    right: { ...challenge, errcode: 'M_FORBIDDEN', error: 'A code is needed.' },
    wrong: [
      { ...challenge, flows: [['m.login.password']] },
      { ...challenge, flows: [{ stages: 'm.login.password' }] },
      { ...challenge, params: [] },
      { ...challenge, completed: null },
      { ...challenge, session: 5 },
      { ...challenge, errcode: 5 },
    ],
  },
  {
    endpoint: `POST ${V3}/login`,
    status: 403,
    right: { errcode: 'M_FORBIDDEN', error: 'Invalid username or password.' },
    wrong: [{}, { error: 'Invalid username or password.' }, 'no'],
  },
  {
    endpoint: `POST ${V3}/login`,
    status: 429,
    right: { errcode: 'M_LIMIT_EXCEEDED', error: 'Too many attempts.', retry_after_ms: 30_000 },
    wrong: [{ retry_after_ms: 1 }, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: '30000' }],
  },
  {
    endpoint: `GET ${V3}/login`,
    status: 200,
    right: { flows: [{ type: 'm.login.password' }] },
    wrong: [{ flows: [{}] }, { flows: {} }],
  },
  { endpoint: `POST ${V3}/delete_devices`, status: 200, right: {}, wrong: [[], null, undefined] },
  {
    endpoint: `POST ${V3}/delete_devices`,
    status: 401,
    right: challenge,
    wrong: [{ flows: 'none' }, { error: 'neither challenge nor error' }],
  },
  {
    endpoint: `POST ${V3}/delete_devices`,
    status: 401,
    right: { errcode: 'M_MISSING_TOKEN', error: 'An access token is required.' },
    wrong: [{ errcode: null }],
  },
  { endpoint: `DELETE ${V3}/devices/ABC%20D`, status: 200, right: {}, wrong: [null] },
  { endpoint: `POST ${V3}/account/password`, status: 200, right: {}, wrong: ['done'] },
  { endpoint: `POST ${V3}/account/password`, status: 401, right: challenge, wrong: [{ flows: [{}] }] },
  {
    endpoint: `POST ${V3}/account/deactivate`,
    status: 200,
    right: { id_server_unbind_result: 'success' },
    wrong: [{}, { id_server_unbind_result: 'perhaps' }],
  },
  { endpoint: `POST ${V3}/account/3pid/add`, status: 200, right: {}, wrong: [[]] },
  { endpoint: `POST ${V3}/keys/device_signing/upload`, status: 200, right: {}, wrong: [null] },
  {
    endpoint: `POST ${V3}/keys/device_signing/upload`,
    status: 401,
    right: { ...challenge, flows: [{ stages: ['m.login.sso'] }, { stages: ['m.login.password'] }] },
    wrong: [{ ...challenge, flows: undefined }],
  },
  {
    endpoint: 'POST /_matrix/client/v1/login/get_token',
    status: 200,
    right: { login_token: 'x', expires_in_ms: 120_000 },
    wrong: [{ login_token: 'x' }, { login_token: 'x', expires_in_ms: 1.5 }],
  },
  {
    endpoint: `GET ${V3}/account/whoami`,
    status: 200,
    right: { user_id: '@alice:example.org', device_id: 'ABC', is_guest: false },
    wrong: [{ device_id: 'ABC' }, { user_id: '@alice:example.org', is_guest: 'no' }],
  },
  {
    endpoint: 'GET /_matrix/client/versions',
    status: 200,
    right: { versions: ['v1.11'], unstable_features: { 'org.matrix.2fa': true } },
    wrong: [{}, { versions: ['v1.11'], unstable_features: { 'org.matrix.2fa': 'yes' } }],
  },
  {
    endpoint: `POST ${V3}/register`,
    status: 200,
    right: { user_id: '@new:example.org', access_token: 'x', device_id: 'ABC' },
    wrong: [{ access_token: 'x', device_id: 'ABC' }, { user_id: 'new' }],
  },
  {
    endpoint: 'GET /.well-known/matrix/client',
    status: 200,
    right: { 'm.homeserver': { base_url: 'https://matrix.example.org' } },
    wrong: [{}, { 'm.homeserver': { base_url: 'not a URL' } }],
  },
  {
    endpoint: `POST ${V3}/logout`,
    status: 502,
    right: { errcode: 'M_UNKNOWN', error: 'The homeserver cannot be reached at the moment.' },
    wrong: [{}, 'Bad Gateway'],
  },
];

function answerOf(each: Case, body: unknown): JudgedAnswer {
  const [method, path] = each.endpoint.split(' ') as [string, string];
  return { method, path, status: each.status, body };
}

const hasSpec = specFolder() !== undefined;
if (!hasSpec) process.stdout.write(LEFT_OUT);

(hasSpec ? describe : describe.skip)('the official specification as judge', () => {
  for (const each of CASES) {
    test(`${each.endpoint} ${each.status}: right answers pass, wrong ones do not`, () => {
      expect(judgeAnswer(answerOf(each, each.right))).toEqual({ checked: true, errors: [] });
      const accepted = each.wrong.filter((wrong) => judgeAnswer(answerOf(each, wrong)).errors.length === 0);
      expect(accepted).toEqual([]);
    });
  }

  test.each(['api/v1', 'r0', 'v3', 'unstable'])('the version %s is judged like v3', (version) => {
    const answer = { method: 'POST', path: `/_matrix/client/${version}/login`, status: 200, body: {} };
    expect(judgeAnswer(answer).errors).not.toEqual([]);
  });

  test('a good status that the specification does not know is an error', () => {
    const answer = { method: 'POST', path: `${V3}/login`, status: 202, body: {} };
    expect(judgeAnswer(answer).errors).toEqual(['status 202 is not in the specification of POST /login']);
  });

  test('an endpoint that is not in the specification is not judged', () => {
    const answer = { method: 'GET', path: `${V3}/account/two-factor`, status: 200, body: 'anything' };
    expect(judgeAnswer(answer)).toEqual({ checked: false, errors: [] });
  });
});

describe('the place of the specification', () => {
  test('a MATRIX_SPEC_DIR without the files is said, not passed over', () => {
    const empty = mkdtempSync(join(tmpdir(), 'spec-'));
    try {
      expect(() => specFolder(empty)).toThrow('MATRIX_SPEC_DIR');
    } finally {
      rmSync(empty, { recursive: true });
    }
  });

  test('no folder beside the checkout: none', () => {
    expect(specFolder('', join(tmpdir(), 'there-is-no-such-folder'))).toBeUndefined();
  });
});

test.each([
  ['/_matrix/client/v3/devices/A?x=1', '/devices/A'],
  ['/_matrix/client/unstable/org.matrix.msc3882/login/token', '/login/get_token'],
  ['/_matrix/client/api/v1/login', '/login'],
  ['/_matrix/client/versions', '/versions'],
  ['/.well-known/matrix/client', '/matrix/client'],
])('the path of %s in the specification is %s', (path, expected) => {
  expect(specPath(path)).toBe(expected);
});
