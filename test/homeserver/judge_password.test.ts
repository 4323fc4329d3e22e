import { expect, test } from '@jest/globals';
import type { Json } from '../../src/matrix/wire.ts';
import { CLIENT, type Reply, refusal, withUpstream } from './upstream.ts';

const ALICE = '@alice:hs';
const PASSWORD = 'correct horse battery';
const JUDGED = { token: 'tok', userId: ALICE, password: PASSWORD, client: CLIENT };
const PROBE_DEVICE = 'A0'.repeat(12);
const DELETE_DEVICES = '/_matrix/client/v3/delete_devices';

const PASSWORD_FLOW = { stages: ['m.login.password'] };
const ONE_SHOT = {
  type: 'm.login.password',
  identifier: { type: 'm.id.user', user: ALICE },
  password: PASSWORD,
};

function challenge(json: { [key: string]: Json }): Reply {
  return { status: 401, json };
}

/** The first 401 as each homeserver was measured to send it. */
const CHALLENGES: readonly [string, Reply][] = [
  ['Synapse', challenge({ session: 's', flows: [PASSWORD_FLOW], params: {} })],
  ['Dendrite', challenge({ session: 's', flows: [PASSWORD_FLOW], params: {}, completed: [] })],
  ['Conduit', challenge({ session: 's', flows: [PASSWORD_FLOW] })],
  ['tuwunel', challenge({ session: 's', flows: [PASSWORD_FLOW, { stages: ['org.matrix.login.jwt'] }] })],
  ['null fields', challenge({ session: 's', flows: [PASSWORD_FLOW], params: null, completed: null })],
];
const SYNAPSE = CHALLENGES[0]?.[1] as Reply;

function forbidden(status: number, more: { [key: string]: Json } = {}): Reply {
  return { status, json: { errcode: 'M_FORBIDDEN', error: 'Invalid username or password', ...more } };
}

test.each(CHALLENGES)('attack 110: a right password after the challenge of %s', (_name, opening) =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(opening, { status: 200 });
    expect(await homeserver.judgePassword(JUDGED)).toEqual({ verdict: 'right' });
    expect(upstream.seen.map(({ method, url, json }) => ({ method, url, json }))).toEqual([
      { method: 'POST', url: DELETE_DEVICES, json: { devices: [PROBE_DEVICE] } },
      { method: 'POST', url: DELETE_DEVICES, json: { devices: [PROBE_DEVICE], auth: ONE_SHOT } },
    ]);
    for (const { headers } of upstream.seen) expect(headers).toContainEqual(['authorization', 'Bearer tok']);
  }),
);

test.each<[string, Reply]>([
  ['a whole challenge', forbidden(401, { session: 's', flows: [PASSWORD_FLOW], params: {}, completed: [] })],
  [
    'completed: null',
    forbidden(401, { session: 's', flows: [PASSWORD_FLOW], params: null, completed: null }),
  ],
  ['a bare 401', forbidden(401)],
  ['403 without flows', forbidden(403)],
])('attack 110: a wrong password told with %s', (_name, reply) =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(SYNAPSE, reply);
    expect(await homeserver.judgePassword(JUDGED)).toEqual({ verdict: 'wrong' });
  }),
);

test('an empty password is wrong, and no one is asked', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    expect(await homeserver.judgePassword({ ...JUDGED, password: '' })).toEqual({ verdict: 'wrong' });
    expect(upstream.seen).toEqual([]);
  }));

test('every probe names another device', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(SYNAPSE, { status: 200 }, SYNAPSE, { status: 200 });
    await homeserver.judgePassword(JUDGED);
    await homeserver.judgePassword(JUDGED);
    expect(upstream.seen[2]?.json).toEqual({ devices: ['A1'.repeat(12)] });
  }));

test.each<[string, Reply]>([
  ['no flows', challenge({ session: 's', flows: [], params: {} })],
  ['400 and no flows', { status: 400, json: { errcode: 'M_UNKNOWN', flows: [] } }],
  ['SSO only', challenge({ session: 's', flows: [{ stages: ['m.login.sso'] }], params: {} })],
  ['a password with something else', challenge({ flows: [{ stages: ['m.login.password', 'm.login.x'] }] })],
  ['a malformed flow', challenge({ flows: ['m.login.password', { stages: 'm.login.password' }] })],
])('an account whose challenge offers %s has no password, and none is sent', (_name, opening) =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(opening);
    expect(await homeserver.judgePassword(JUDGED)).toEqual({ verdict: 'no_password' });
    expect(upstream.seen).toHaveLength(1);
  }),
);

test('a homeserver that has passwords switched off (400 M_UNKNOWN) has none', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(SYNAPSE, { status: 400, json: { errcode: 'M_UNKNOWN', error: 'disabled' } });
    expect(await homeserver.judgePassword(JUDGED)).toEqual({ verdict: 'no_password' });
  }));

test.each<[string, Reply, number]>([
  [
    'retry_after_ms',
    { status: 429, json: { retry_after_ms: 316_000.2 }, headers: { 'retry-after': '9' } },
    316_001,
  ],
  ['Retry-After', { status: 429, headers: { 'retry-after': '9' } }, 9000],
  ['nothing', { status: 429 }, 5000],
  ['nonsense', { status: 429, json: { retry_after_ms: -1 }, headers: { 'retry-after': 'soon' } }, 5000],
])('429 with %s is a wait, at the first call and at the second', (_name, reply, retryAfterMs) =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(reply, SYNAPSE, reply);
    expect(await homeserver.judgePassword(JUDGED)).toEqual({ verdict: 'wait', retryAfterMs });
    expect(await homeserver.judgePassword(JUDGED)).toEqual({ verdict: 'wait', retryAfterMs });
  }),
);

const UNJUDGED: readonly [string, Reply, object][] = [
  ['a dead token', { status: 401, json: { errcode: 'M_UNKNOWN_TOKEN' } }, refusal('unknown_token')],
  [
    'M_USER_DEACTIVATED',
    { status: 403, json: { errcode: 'M_USER_DEACTIVATED' } },
    { ...refusal('forbidden'), status: 403 },
  ],
  ['401 M_BAD_JSON', { status: 401, json: { errcode: 'M_BAD_JSON' } }, refusal('homeserver_unclear')],
  ['400 M_BAD_JSON', { status: 400, json: { errcode: 'M_BAD_JSON' } }, refusal('homeserver_unclear')],
  ['500', { status: 500, json: { errcode: 'M_UNKNOWN' } }, refusal('homeserver_unclear')],
  ['a redirect', { status: 302, headers: { location: '/' } }, refusal('homeserver_unclear')],
  ['201', { status: 201 }, refusal('homeserver_unclear')],
  ['a hung-up line', (response) => response.destroy(), refusal('homeserver_unreachable')],
];

test.each(UNJUDGED)('attack 110: %s at the first call is not a judgement', (_name, reply, expected) =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(reply);
    await expect(homeserver.judgePassword(JUDGED)).rejects.toMatchObject(expected);
    expect(upstream.seen).toHaveLength(1);
  }),
);

test.each<[string, Reply, object]>([
  ...UNJUDGED,
  ['a challenge without errcode', SYNAPSE, refusal('homeserver_unclear')],
  ['200 that is no JSON', (response) => response.end('<p>Welcome'), refusal('homeserver_unclear')],
])('attack 110: %s at the second call is not a judgement', (_name, reply, expected) =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(SYNAPSE, reply);
    await expect(homeserver.judgePassword(JUDGED)).rejects.toMatchObject(expected);
    expect(upstream.seen).toHaveLength(2);
  }),
);

function granted(json: { [key: string]: Json } = {}): Reply {
  return { status: 200, json: { user_id: ALICE, access_token: 'probe_token', device_id: 'P', ...json } };
}

test('attack 109: within session_timeout a login without device_id judges, and is logged out', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply({ status: 200 }, granted(), { status: 200 });
    expect(await homeserver.judgePassword(JUDGED)).toEqual({ verdict: 'right' });
    const [, login, logout] = upstream.seen;
    expect(login).toMatchObject({ method: 'POST', url: '/_matrix/client/v3/login' });
    expect(login?.json).toEqual(ONE_SHOT);
    expect(login?.headers.map(([name]) => name)).not.toContain('authorization');
    expect(logout).toMatchObject({ method: 'POST', url: '/_matrix/client/v3/logout' });
    expect(logout?.headers).toContainEqual(['authorization', 'Bearer probe_token']);
    expect(logout?.headers).toContainEqual(['x-forwarded-for', CLIENT.ip]);
  }));

test('attack 109: within session_timeout a wrong password is still wrong', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply({ status: 200 }, forbidden(403));
    expect(await homeserver.judgePassword(JUDGED)).toEqual({ verdict: 'wrong' });
    expect(upstream.seen).toHaveLength(2);
  }));

test('attack 109: a login that opened another account is not a judgement, and is logged out', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply({ status: 200 }, granted({ user_id: '@mallory:hs' }), { status: 200 });
    await expect(homeserver.judgePassword(JUDGED)).rejects.toMatchObject(refusal('homeserver_unclear'));
    expect(upstream.seen[2]?.url).toBe('/_matrix/client/v3/logout');
  }));

test.each<[string, Reply, object]>([
  ['no token', granted({ access_token: null }), refusal('homeserver_unclear')],
  ['500', { status: 500 }, refusal('homeserver_unclear')],
  ['deactivated', { status: 403, json: { errcode: 'M_USER_DEACTIVATED' } }, refusal('forbidden')],
])('attack 109: a login answered with %s is not a judgement', (_name, reply, expected) =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply({ status: 200 }, reply);
    await expect(homeserver.judgePassword(JUDGED)).rejects.toMatchObject(expected);
  }),
);

test('attack 109: a limit on the login is a wait; passwords that are off there are none', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply({ status: 200 }, { status: 429, json: { retry_after_ms: 7 } });
    expect(await homeserver.judgePassword(JUDGED)).toEqual({ verdict: 'wait', retryAfterMs: 7 });
    upstream.reply({ status: 200 }, { status: 400, json: { errcode: 'M_UNKNOWN' } });
    expect(await homeserver.judgePassword(JUDGED)).toEqual({ verdict: 'no_password' });
  }));

test('attack 70: a probe login that cannot be logged out is told without its token', () =>
  withUpstream(async ({ upstream, homeserver, logLines }) => {
    upstream.reply({ status: 200 }, granted(), { status: 500, json: { error: 'probe_token' } });
    expect(await homeserver.judgePassword(JUDGED)).toEqual({ verdict: 'right' });
    expect(logLines).toHaveLength(1);
    expect(logLines[0]).toContain('homeserver_unclear');
    expect(logLines[0]).not.toMatch(/probe_token|correct horse/);
  }));
