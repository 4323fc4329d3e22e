import type { ShapeName } from '../../src/matrix/shapes.ts';
import { WRONG_OAUTH_EXAMPLES } from './wrong_oauth_examples.ts';

const PASSWORD_STAGE = { type: 'm.login.password', password: 'secret words' };
const CHALLENGE = {
  session: 'm2fa_YHmhmzWqDYuWIsyNk2aB8iMUa3s',
  flows: [{ stages: ['m.login.password', 'm.login.2fa.totp'] }],
  params: {},
  completed: ['m.login.password'],
};
const GRANTED = { user_id: '@bob:example.org', access_token: 'syt_x', device_id: 'ABC' };
const AUTHENTICATOR = { id: 'a', name: 'phone', enabled_at: 1, last_used_at: null };
const RECOVERY = { remaining: 1, total: 1, generated_at: 1, codes: [{ position: 1, used_at: null }] };
const SETUP = {
  seed: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
  uri: 'otpauth://totp/Example:bob?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
  params: { type: 'm.totp.v1.rfc6238-sha1', step: 30, size: 6 },
  setup_id: 's',
  expires_ts: 1,
  recovery_codes: 'new',
};

function enabledWith(authenticators: unknown, more: object = {}): unknown {
  return { enabled: true, providers: { 'm.login.2fa.totp': { authenticators, ...more } } };
}

/** What every `auth` must not be, wherever it stands. */
function wrongAuth(rest: object): Record<string, unknown> {
  return {
    'auth is a string': { ...rest, auth: 'm.login.password' },
    'auth is a list': { ...rest, auth: [] },
    'auth is a number': { ...rest, auth: 5 },
    'the session is an object': { ...rest, auth: { session: {} } },
    'the type is a list': { ...rest, auth: { type: ['m.login.password'] } },
    'the code is a number': { ...rest, auth: { type: 'm.login.2fa.totp', token: 287082 } },
    'the password is missing': { ...rest, auth: { type: 'm.login.password', session: 'x' } },
    'it is no object': [rest],
  };
}

const POLICY = {
  mode: 'required',
  in_grace: true,
  deadline_ts: 1760000000000,
  factors: ['totp'],
  recovery_codes: 'optional',
  recovery_codes_for_changes: true,
  device_passwords: 'forbidden',
};

const CONTACTS = {
  allowed: true,
  voters: [],
  contact: null,
  time_zone: null,
  server_time_zone: 'UTC',
  absences: [],
  available: { voters: true, mail: true, phone: true, absences: true },
};

const PAGE_SESSION = {
  user_id: '@bob:example.org',
  device_id: 'ABC',
  access_token: 'syt_x',
  page_key: 'k'.repeat(43),
  step_up_until_ts: null,
  idle_ms: 900_000,
  ends_ts: 1760000000000,
  factor: 'totp',
  codes_left: 3,
  has_password: true,
};

const DEVICE_PASSWORD = {
  id: 'k3Jx9QpRt5uVwXyZ',
  device_password: 'm2dp-0123-4567-89ab-cdef-ghjk-mnpq-rstv-wxyz',
  device_id: 'GHTYAJCE',
  name: 'matrix-commander',
  created_at: 1760000000000,
};

const LISTED_DEVICE_PASSWORD = {
  id: 'k3Jx9QpRt5uVwXyZ',
  name: 'matrix-commander',
  device_id: 'GHTYAJCE',
  created_at: 1760000000000,
  last_used_at: null,
  last_used_address: null,
  expires_at: null,
  usable: true,
};

const PASSKEY = {
  id: 'AAAA',
  rawId: 'AAAA',
  type: 'public-key',
  response: { clientDataJSON: 'AAAA', attestationObject: 'AAAA' },
};

const PASSKEY_SETUP = { public_key: {}, setup_id: 'x', expires_ts: 1, recovery_codes: 'new' };

/** For each shape values that do not have it, by what is wrong with them. */
export const WRONG_EXAMPLES: Record<ShapeName, Record<string, unknown>> = {
  auth: {
    'a string': 'm.login.password',
    'a list': [],
    'the type is a number': { type: 5 },
    'the session is a number': { session: 5 },
    'the code is a list': { type: 'm.login.2fa.recovery', token: ['7q2k-x9vd-03mh'] },
    'the password is a number': { type: 'm.login.password', password: 1 },
  },
  name: {
    empty: '',
    'longer than 100 characters': 'x'.repeat(101),
    'two lines': 'phone\nroot',
    'a terminal command': '\u001b[2Jphone',
    'a terminal command in one byte': '\u009b2Jphone',
    'text turned round': 'phone\u202e',
    'a line separator': 'phone\u2028root',
    'half a surrogate pair': 'phone\ud800',
    'a number': 5,
  },
  enrolment_request: {
    'no session': { factor: 'totp' },
    'no factor': { session: 'm2fa_x' },
    'the factor is a list': { session: 'm2fa_x', factor: ['totp'] },
    'a secret of the client': { session: 'm2fa_x', factor: 'totp', seed: 'GEZDGNBVGY3TQOJQ' },
    'a name of two lines': { session: 'm2fa_x', factor: 'totp', name: 'phone\nroot' },
    'no body': null,
  },
  recovery_begin_request: {
    'no password': { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'bob' } },
    'no identifier': { type: 'm.login.password', password: 'x' },
    'another login type': {
      type: 'm.login.token',
      identifier: { type: 'm.id.user', user: 'bob' },
      password: 'x',
    },
    'a code as a number': {
      ...{ type: 'm.login.password', identifier: { type: 'm.id.user', user: 'bob' }, password: 'x' },
      voucher: 5,
    },
    'a device': {
      ...{ type: 'm.login.password', identifier: { type: 'm.id.user', user: 'bob' }, password: 'x' },
      device_id: 'X',
    },
    'no body': null,
  },
  recovery_status_request: {
    'no password': { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'bob' } },
    'a code along with it': {
      ...{ type: 'm.login.password', identifier: { type: 'm.id.user', user: 'bob' }, password: 'x' },
      voucher: '7q2k-x9vd-03mh',
    },
  },
  recovery_begin_answer: {
    'a claim code without its beginning': {
      ...{ request_id: 'x', state: 'waiting', opens_ts: 1, told: [] },
      claim_code: '7q2k-x9vd-03mh-m4ts',
    },
    'a request that has ended': { request_id: 'x', state: 'expired', opens_ts: 1, told: [] },
    'an address alone': { request_id: 'x', state: 'waiting', opens_ts: 1, told: ['a•••@e•••.org'] },
  },
  recovery_status_answer: {
    'a state that is not known': {
      ...{ request_id: 'x', state: 'done', begun_ts: 1, opens_ts: 2, counted_ms: 0, wait_ms: 1 },
    },
    'a claim code': {
      ...{ request_id: 'x', state: 'open', begun_ts: 1, opens_ts: 2, counted_ms: 1, wait_ms: 1 },
      claim_code: 'claim-7q2k-x9vd-03mh-m4ts',
    },
  },
  enrolment_confirm_request: {
    'no session': { setup_id: 'x', token: '287082' },
    'no set-up': { session: 'm2fa_x', token: '287082' },
    'the set-up is a number': { session: 'm2fa_x', setup_id: 5, token: '287082' },
    'codes by name': { session: 'm2fa_x', setup_id: 'x', token: '287082', recovery_codes: 'new' },
  },
  enrolment_confirm_answer: {
    'no codes': { authenticator_id: 'x' },
    'a code in capitals': { authenticator_id: 'x', recovery_codes: ['7Q2K-X9VD-03MH'] },
    'more than it says': { authenticator_id: 'x', recovery_codes: [], seed: 'x' },
  },
  device_password_request: {
    ...wrongAuth({ name: 'bot' }),
    'an empty name': { name: '' },
    'a name of two lines': { name: 'bot\nroot' },
    'a device of the choice of the client': { name: 'bot', device_id: 'ABC' },
  },
  device_password_name_request: {
    'no name': {},
    'the name is a number': { name: 5 },
    'more than a name': { name: 'bot', device_id: 'ABC' },
  },
  device_password_answer: {
    'no secret': { ...DEVICE_PASSWORD, device_password: undefined },
    'a secret without dashes': {
      ...DEVICE_PASSWORD,
      device_password: 'm2dp0123456789abcdefghjkmnpqrstvwxyz',
    },
    'a token': { ...DEVICE_PASSWORD, access_token: 'syt_x' },
  },
  recovery_contacts_request: {
    ...wrongAuth({ voters: [] }),
    'six voters': { voters: Array.from({ length: 6 }, (_, at) => `@voter${at}:example.org`) },
    'a voter as an object': { voters: [{ user_id: '@carol:example.org' }] },
    'a fax number': { contact: { kind: 'fax', address: '+49301234567' } },
    'a time zone as a number': { time_zone: 60 },
    'an absence without an end': { absences: [{ from: '2026-12-21' }] },
    'a time of day': { absences: [{ from: '2026-12-21T10:00', to: '2026-12-22' }] },
    'more than is asked': { wait: 0 },
  },
  recovery_contacts_delete_request: wrongAuth({}),
  recovery_vote_question: { 'no link': {}, 'a link as a number': { link: 1 } },
  recovery_vote_request: {
    ...wrongAuth({ link: 'x', vote: 'no' }),
    'another word': { link: 'x', vote: 'perhaps' },
    'how as two lines': { link: 'x', vote: 'yes', how: 'a\nb' },
  },
  recovery_vote_answer: {
    'no account': { begun_ts: 1, open: true, vote: null, voted_ts: null },
    'another word': { user_id: '@bob:example.org', begun_ts: 1, open: true, vote: 'perhaps', voted_ts: null },
  },
  recovery_contacts_answer: {
    'no voters': { ...CONTACTS, voters: undefined },
    'a voter without a time': { ...CONTACTS, voters: [{ user_id: '@carol:example.org' }] },
    'a contact that may be confirmed or not': { ...CONTACTS, contact: { kind: 'mail', address: 'a@b' } },
    'a time zone as a list': { ...CONTACTS, time_zone: [] },
    'nothing said of what is available': { ...CONTACTS, available: {} },
  },
  device_passwords_answer: {
    'no list': {},
    'a secret': { device_passwords: [{ ...LISTED_DEVICE_PASSWORD, device_password: 'm2dp-x' }] },
    'a time as a text': { device_passwords: [{ ...LISTED_DEVICE_PASSWORD, created_at: 'yesterday' }] },
  },
  stage_totp: {
    'the code is a number': { type: 'm.login.2fa.totp', token: 287082 },
    'another type': { type: 'm.login.2fa.recovery', token: '287082' },
    'no type': { token: '287082' },
  },
  stage_webauthn: {
    'the credential is a text': { type: 'm.login.2fa.webauthn', credential: 'x' },
    'a credential without a response': {
      type: 'm.login.2fa.webauthn',
      credential: { id: 'AA', rawId: 'AA', type: 'public-key' },
    },
    'an id that is not base64url': {
      type: 'm.login.2fa.webauthn',
      credential: { id: 'A+', rawId: 'A+', type: 'public-key', response: {} },
    },
    'another type': { type: 'm.login.2fa.totp', credential: null },
  },
  webauthn_confirm_request: {
    'no credential': { setup_id: 'x' },
    'no set-up': { credential: PASSKEY },
    'a credential of another type': { setup_id: 'x', credential: { ...PASSKEY, type: 'password' } },
    'bytes that are not base64url': { setup_id: 'x', credential: { ...PASSKEY, id: 'A=' } },
    'transports that are one text': {
      setup_id: 'x',
      credential: { ...PASSKEY, response: { ...PASSKEY.response, transports: 'usb' } },
    },
    'a secret of the client': { setup_id: 'x', credential: PASSKEY, seed: 'x' },
  },
  stage_recovery: {
    'the code is an object': { type: 'm.login.2fa.recovery', token: {} },
    'another type': { type: 'm.login.2fa.totp', token: '7q2k-x9vd-03mh' },
  },
  stage_password: {
    'no password': { type: 'm.login.password' },
    'the identifier is a string': { ...PASSWORD_STAGE, identifier: '@bob:example.org' },
    'the user is a number': { ...PASSWORD_STAGE, user: 5 },
  },
  stage_sso: {
    'another type': { type: 'm.login.cas' },
    'the session is a number': { type: 'm.login.sso', session: 1 },
  },
  stage_token: { 'no token': { type: 'm.login.token' } },
  user_identifier: { 'no type': { user: 'bob' }, 'a string': 'bob' },

  login_request: {
    ...wrongAuth({ type: 'm.login.password', password: 'secret words' }),
    'no type': { password: 'secret words' },
    'no type, and an auth without session': { auth: { type: 'm.login.2fa.totp', token: '287082' } },
    'the type is a list': { type: ['m.login.password'], password: 'secret words' },
    'a password login without a password': { type: 'm.login.password', user: 'bob' },
    'the password is null': { type: 'm.login.password', user: 'bob', password: null },
    'the password is a number': { type: 'm.login.password', user: 'bob', password: 1 },
    'the identifier has no type': { ...PASSWORD_STAGE, identifier: { user: 'bob' } },
    'the device is a number': { ...PASSWORD_STAGE, device_id: 5 },
    'refresh_token is a string': { ...PASSWORD_STAGE, refresh_token: 'true' },
  },
  register_request: { ...wrongAuth({}), 'the name is a number': { username: 5 } },
  refresh_request: { 'no token': {}, 'the token is null': { refresh_token: null } },
  delete_devices_request: {
    ...wrongAuth({ devices: ['ABC'] }),
    'an empty list': { devices: [] },
    null: { devices: null },
    missing: {},
    'missing, with an empty auth': { auth: {} },
    'missing, with a session of null': { auth: { session: null } },
    'missing, with a session of the homeserver': { auth: { session: 'XtdlxQYfaPdcGBWk' } },
    'empty, with a session': { devices: [], auth: { session: CHALLENGE.session } },
    'a number in it': { devices: ['ABC', 5] },
    'a string': { devices: 'ABC' },
  },
  delete_device_request: wrongAuth({}),
  account_password_request: {
    ...wrongAuth({ new_password: 'other words' }),
    missing: {},
    null: { new_password: null },
    empty: { new_password: '' },
    'a number': { new_password: 5 },
    'missing, with a session of the homeserver': { auth: { session: 'XtdlxQYfaPdcGBWk' } },
    'empty, with a session': { new_password: '', auth: { session: CHALLENGE.session } },
    'logout_devices is a string': { new_password: 'other words', logout_devices: 'no' },
  },
  account_deactivate_request: { ...wrongAuth({}), 'erase is a string': { erase: 'yes' } },
  threepid_add_request: {
    ...wrongAuth({ client_secret: 'x', sid: 'y' }),
    'no sid': { client_secret: 'x' },
    'the secret is a number': { client_secret: 1, sid: 'y' },
  },
  threepid_legacy_request: {
    ...wrongAuth({ three_pid_creds: { client_secret: 'x', sid: 'y' } }),
    'no credentials': {},
    'credentials without a secret': { three_pid_creds: { sid: 'y' } },
    'credentials that are a string': { threePidCreds: 'x' },
  },
  threepid_remove_request: {
    ...wrongAuth({ medium: 'email', address: 'bob@example.org' }),
    'no address': { medium: 'email' },
    'the address is a list': { medium: 'email', address: ['bob@example.org'] },
  },
  device_signing_upload_request: { ...wrongAuth({}), 'a key is a string': { master_key: 'ed25519' } },
  get_token_request: wrongAuth({}),

  setup_request: {
    ...wrongAuth({}),
    'a secret of the client': { seed: 'GEZDGNBVGY3TQOJQ' },
    'an unknown key': { nam: 'phone' },
    'an empty name': { name: '' },
    'a name that is too long': { name: 'x'.repeat(101) },
    'it replaces one that has no id': { replaces: [''] },
    'it replaces what is not a list': { replaces: 'phone' },
    'it replaces one twice': { replaces: ['a', 'a'] },
    'it replaces more than there can be': { replaces: Array.from({ length: 21 }, (_, at) => `a${at}`) },
  },
  totp_confirm_request: {
    'a secret of the client': { setup_id: 's', token: '287082', secret: 'GEZDGNBVGY3TQOJQ' },
    'no code': { setup_id: 's' },
    'the code is a number': { setup_id: 's', token: 287082 },
    'no set-up': { token: '287082' },
    'an empty set-up': { setup_id: '', token: '287082' },
    'the codes are wanted by a word': { setup_id: 's', token: '287082', recovery_codes: 'new' },
  },
  removal_request: {
    ...wrongAuth({}),
    'an unknown key': { authenticator: 'a' },
    'the id is a list': { authenticator_id: ['a'] },
    'the id is null': { authenticator_id: null },
  },
  two_factor_delete_request: {
    ...wrongAuth({}),
    'the id of one authenticator': { authenticator_id: 'a' },
  },
  authenticator_name_request: {
    'the name is missing': {},
    'the name is empty': { name: '' },
    'the name is too long': { name: 'x'.repeat(101) },
    'it brings a secret': { name: 'phone', seed: 'x' },
  },
  history_answer: {
    'there is no list': {},
    'an event without its time': {
      events: [{ event: 'totp.used', address: null, device_id: null, detail: {} }],
    },
    'a detail that is not for users': {
      events: [{ at: 1, event: 'operator.reset', address: null, device_id: null, detail: { reason: 'x' } }],
    },
  },
  policy_answer: {
    'an unknown mode': { ...POLICY, mode: 'recommended' },
    'no deadline': { ...POLICY, deadline_ts: undefined },
    'a deadline in words': { ...POLICY, deadline_ts: 'tomorrow' },
    'what another user is asked': { ...POLICY, user_id: '@bob:example.org' },
  },
  page_session_request: { 'a user in it': { user_id: '@bob:example.org' }, 'a list': [] },
  page_session_answer: {
    'no token': { ...PAGE_SESSION, access_token: undefined },
    'a short key': { ...PAGE_SESSION, page_key: 'k' },
    'no word on the step-up': { ...PAGE_SESSION, step_up_until_ts: undefined },
    'the cookie in it': { ...PAGE_SESSION, cookie: 'x' },
  },
  recovery_request: { ...wrongAuth({}), 'an unknown key': { codes: ['mine-mine-mine'] } },

  challenge: {
    'no session': { ...CHALLENGE, session: undefined },
    'a session of the homeserver': { ...CHALLENGE, session: 'XtdlxQYfaPdcGBWkVPJFvVAB' },
    'no completed': { ...CHALLENGE, completed: undefined },
    'completed is null': { ...CHALLENGE, completed: null },
    'params is null': { ...CHALLENGE, params: null },
    'no flows': { ...CHALLENGE, flows: [] },
    'a bare flow': { ...CHALLENGE, flows: [['m.login.password']] },
    'an empty flow': { ...CHALLENGE, flows: [{ stages: [] }] },
    'an errcode without a text': { ...CHALLENGE, errcode: 'M_FORBIDDEN' },
    'a token in it': { ...CHALLENGE, access_token: 'syt_x' },
  },
  error: {
    'no errcode': { error: 'No.' },
    'no text': { errcode: 'M_FORBIDDEN' },
    'a token in it': { errcode: 'M_FORBIDDEN', error: 'No.', access_token: 'syt_x' },
    'a refresh token in it': { errcode: 'M_FORBIDDEN', error: 'No.', refresh_token: 'syr_x' },
    'a wait that is a string': { errcode: 'M_LIMIT_EXCEEDED', error: 'Wait.', retry_after_ms: '5' },
    'a wait with a fraction': { errcode: 'M_LIMIT_EXCEEDED', error: 'Wait.', retry_after_ms: 0.5 },
  },
  empty_answer: { 'something in it': { done: true }, 'a list': [] },
  login_answer: {
    'no device': { ...GRANTED, device_id: undefined },
    'no user': { ...GRANTED, user_id: undefined },
    'an empty token': { ...GRANTED, access_token: '' },
    'a negative life': { ...GRANTED, expires_in_ms: -1 },
    'OAuth in its well_known': {
      ...GRANTED,
      well_known: {
        'm.homeserver': { base_url: 'https://matrix.example.org' },
        'm.authentication': { issuer: 'https://oauth.example.org/' },
      },
    },
  },
  register_answer: {
    'no user': {},
    'a token without a device': { user_id: '@carol:example.org', access_token: 'x' },
  },
  refresh_answer: { 'no token': { refresh_token: 'syr_x' } },
  get_token_answer: { 'no life': { login_token: 'x' }, 'no token': { expires_in_ms: 1 } },
  unbind_answer: { nothing: {}, 'another word': { id_server_unbind_result: 'failed' } },
  two_factor_state: {
    'off, with a provider': { enabled: false, providers: { 'm.login.2fa.recovery': RECOVERY } },
    'on, without a provider': { enabled: true, providers: {} },
    'on, with recovery codes alone': { enabled: true, providers: { 'm.login.2fa.recovery': RECOVERY } },
    'on, with no authenticator': enabledWith([]),
    'a seed beside the authenticators': enabledWith([AUTHENTICATOR], { seed: SETUP.seed }),
    'a seed in an authenticator': enabledWith([{ ...AUTHENTICATOR, seed: SETUP.seed }]),
    'no last use': enabledWith([{ ...AUTHENTICATOR, last_used_at: undefined }]),
    'no providers': { enabled: false },
  },
  recovery_state: {
    'a code in it': { ...RECOVERY, codes: [{ position: 1, used_at: null, code: '7q2k-x9vd-03mh' }] },
    'a position of 0': { ...RECOVERY, codes: [{ position: 0, used_at: null }] },
    'no total': { ...RECOVERY, total: undefined },
    'a time that is a string': { ...RECOVERY, generated_at: '2025-10-09' },
  },
  totp_setup_answer: {
    'a short seed': { ...SETUP, seed: 'GEZDGNBVGY3TQOJQ' },
    'a seed in lower case': { ...SETUP, seed: SETUP.seed.toLowerCase() },
    'a link to something else': { ...SETUP, uri: 'otpauth://hotp/Example' },
    'an unknown kind of code': { ...SETUP, params: { ...SETUP.params, type: 'm.totp' } },
    'no end': { ...SETUP, expires_ts: undefined },
    'an unknown word on the codes': { ...SETUP, recovery_codes: 'old' },
  },
  totp_confirm_answer: {
    'nothing about codes': { authenticator_id: 'a' },
    'no id': { recovery_codes: ['7q2k-x9vd-03mh'] },
    'a code twice': { authenticator_id: 'a', recovery_codes: ['7q2k-x9vd-03mh', '7q2k-x9vd-03mh'] },
    'a code with a look-alike': { authenticator_id: 'a', recovery_codes: ['7q2k-x9vd-o3mh'] },
  },
  webauthn_setup_answer: {
    'no options': { setup_id: 'x', expires_ts: 1, recovery_codes: 'new' },
    'options without a challenge': { ...PASSKEY_SETUP, public_key: { rp: { id: 'x', name: 'x' } } },
    'an unknown word on the codes': { ...PASSKEY_SETUP, recovery_codes: 'old' },
  },
  webauthn_confirm_answer: {
    'nothing about codes': { authenticator_id: 'a' },
    'no id': { recovery_codes: ['7q2k-x9vd-03mh'] },
  },
  recovery_codes_answer: {
    'no time': { recovery_codes: ['7q2k-x9vd-03mh'] },
    'a code without dashes': { recovery_codes: ['7q2kx9vd03mh'], generated_at: 1 },
  },
  versions_answer: {
    'our feature is missing': { versions: ['v1.11'], unstable_features: {} },
    'our feature is off': { versions: ['v1.11'], unstable_features: { 'org.matrix.2fa': false } },
  },
  login_flows_answer: {
    'an empty list of providers': { flows: [{ type: 'm.login.sso', identity_providers: [] }] },
    'a provider without a name': {
      flows: [{ type: 'm.login.sso', identity_providers: [{ id: 'two-factor' }] }],
    },
    'a flow without a type': { flows: [{}] },
  },
  well_known_client: {
    'no homeserver': {},
    'a base URL that is none': { 'm.homeserver': { base_url: 'matrix.example.org' } },
    'OAuth beside it': {
      'm.homeserver': { base_url: 'https://matrix.example.org' },
      'org.matrix.msc2965.authentication': { issuer: 'https://oauth.example.org/' },
    },
  },
  ...WRONG_OAUTH_EXAMPLES,
};
