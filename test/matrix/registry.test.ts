import { describe, expect, test } from '@jest/globals';
import { Refusal } from '../../src/matrix/refusals.ts';
import { requireShape, validator } from '../../src/matrix/registry.ts';
import type { ShapeName } from '../../src/matrix/shapes.ts';

/** The text with which `value` is refused. */
function refusalText(name: ShapeName, value: unknown): string {
  try {
    requireShape(name, value);
  } catch (error) {
    if (error instanceof Refusal && error.refusal === 'bad_json') return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('a refused body is told what was expected where', () => {
  test.each<[ShapeName, unknown, string]>([
    ['login_request', undefined, 'The request body must be an object.'],
    ['login_request', {}, 'The request body lacks `type`.'],
    ['login_request', { type: 'm.login.password' }, 'The request body lacks `password`.'],
    ['delete_devices_request', { devices: [] }, '`devices` must not be empty.'],
    ['delete_devices_request', { devices: ['A', 5] }, '`devices.1` must be a string.'],
    ['delete_device_request', { auth: 'x' }, '`auth` must be an object or null.'],
    ['delete_device_request', { auth: { type: [] } }, '`auth.type` must be a string or null.'],
    ['account_password_request', { new_password: '' }, '`new_password` must not be empty.'],
    ['threepid_legacy_request', {}, 'The request body lacks `three_pid_creds` or `threePidCreds`.'],
    ['threepid_legacy_request', { threePidCreds: {} }, '`threePidCreds` lacks `client_secret`.'],
    [
      'setup_request',
      { seed: 'JBSWY3DPEHPK3PXP' },
      'The request body has a key that is not known here; known are `name`, `replaces`, `auth`.',
    ],
    ['setup_request', { name: 'x'.repeat(101) }, '`name` must not be longer than 100 characters.'],
    [
      'recovery_state',
      { remaining: 0.5, total: 1, generated_at: 1, codes: [] },
      '`remaining` must be a whole number.',
    ],
    ['totp_setup_answer', { ...setupAnswer(), seed: 'short' }, '`seed` does not have the expected form.'],
  ])('%s %j: %s', (name, value, text) => {
    expect(refusalText(name, value)).toBe(text);
  });
});

test('a refusal repeats neither values nor keys of the request', () => {
  const secret = 'hunter2-287082';
  const wrong: [ShapeName, unknown][] = [
    ['login_request', { type: 'm.login.password', password: [secret] }],
    ['login_request', { type: [secret], password: secret }],
    ['auth', { type: 'm.login.2fa.totp', token: [secret] }],
    ['auth', { type: 'm.login.password', password: { [secret]: secret } }],
    ['account_password_request', { new_password: { [secret]: secret } }],
    ['delete_devices_request', { devices: [{ [secret]: secret }] }],
    ['totp_confirm_request', { setup_id: 'x', token: secret, [secret]: secret }],
    ['setup_request', { [secret]: secret }],
  ];
  for (const [name, value] of wrong) expect(refusalText(name, value)).not.toContain('hunter2');
});

test('a body that has the shape is answered as it is, unknown keys included', () => {
  const body = { type: 'm.login.password', password: 'x', 'org.example.module': { a: [1] }, auth: null };
  expect(requireShape('login_request', body)).toBe(body);
});

test.each<[ShapeName, unknown]>([
  ['auth', null],
  ['auth', {}],
  ['auth', { session: null, type: null }],
  ['auth', { type: 'org.example.unknown', anything: [] }],
  ['auth', { type: 'm.login.2fa.totp', session: 'x' }],
  ['login_request', { type: 'm.login.password', password: 'x', identifier: null, user: 'bob' }],
  ['login_request', { auth: { session: 'x' } }],
  ['delete_devices_request', { auth: { session: 'm2fa_x' } }],
  ['account_password_request', { auth: { session: 'm2fa_x', type: 'm.login.2fa.totp' } }],
  ['account_deactivate_request', {}],
  ['get_token_request', { auth: {} }],
])('%s: clients send %j, which is right', (name, value) => {
  expect(requireShape(name, value)).toBe(value);
});

test.each(['seed', 'secret', 'uri'])('attack 85: a %s that the client brings is refused', (key) => {
  const secret = { [key]: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' };
  expect(() => requireShape('setup_request', secret)).toThrow('not known here');
  const confirmation = { setup_id: 'x', token: '287082', ...secret };
  expect(() => requireShape('totp_confirm_request', confirmation)).toThrow('not known here');
});

test('a shape is compiled once', () => {
  expect(validator('login_request')).toBe(validator('login_request'));
});

test('__proto__ in a body changes nothing and is an unknown key where keys are known', () => {
  const body: unknown = JSON.parse('{"__proto__": {"name": "phone"}}');
  expect(() => requireShape('setup_request', body)).toThrow(Refusal);
});

function setupAnswer(): object {
  return {
    uri: 'otpauth://totp/x',
    params: { type: 'm.totp.v1.rfc6238-sha1', step: 30, size: 6 },
    setup_id: 's',
    expires_ts: 1,
    recovery_codes: 'new',
  };
}
