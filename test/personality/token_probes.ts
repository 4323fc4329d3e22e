import type { JsonObject } from '../../src/matrix/wire.ts';
import type { HttpAnswer, HttpCall } from '../support/http.ts';
import type { Measured, Probe, ProbedHomeserver, ProbeUser } from './probe.ts';

const WHOAMI = '/_matrix/client/v3/account/whoami';
const LOGOUT = '/_matrix/client/v3/logout';
const REFRESH = '/_matrix/client/v3/refresh';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** How a token is read (docs/homeservers.md, "Tokens and devices"). */
const PRESENTED: readonly (readonly [
  name: string,
  make: (user: ProbeUser) => Partial<HttpCall>,
  Measured,
])[] = [
  ['header', ({ token }) => ({ token }), ['200', '200', '200', '200']],
  ['query', ({ token }) => ({ target: `${WHOAMI}?access_token=${token}` }), ['200', '200', '200', '200']],
  ['none', () => ({}), ['401 M_MISSING_TOKEN', '401', '401', '401']],
  [
    'dead',
    () => ({ token: 'dead' }),
    ['401 M_UNKNOWN_TOKEN', '401 M_UNKNOWN_TOKEN', '401 M_UNKNOWN_TOKEN', '401 M_UNKNOWN_TOKEN'],
  ],
  [
    'header and a dead one in the query',
    ({ token }) => ({ token, target: `${WHOAMI}?access_token=dead` }),
    ['401', '401', '200', '200'],
  ],
  [
    'two headers, the right one first',
    ({ token }) => ({ headers: { authorization: [`Bearer ${token}`, 'Bearer dead'] } }),
    ['401', '200', '200', '200'],
  ],
  [
    'bearer in small letters',
    ({ token }) => ({ headers: { authorization: `bearer ${token}` } }),
    ['401', '401', '200', '200'],
  ],
  [
    'two blanks',
    ({ token }) => ({ headers: { authorization: `Bearer  ${token}` } }),
    ['401', '401 M_UNKNOWN_TOKEN', '200', '200', '401'],
  ],
  ['Basic', ({ token }) => ({ headers: { authorization: `Basic ${token}` } }), ['401', '401', '500', '401']],
  ['a bare token', ({ token }) => ({ headers: { authorization: token } }), ['401', '401', '500', '401']],
  [
    'Basic and the query',
    ({ token }) => ({ target: `${WHOAMI}?access_token=${token}`, headers: { authorization: 'Basic x' } }),
    ['401', '401', '500', '200'],
  ],
  [
    'user_id of somebody else beside an ordinary token',
    ({ token }) => ({ token, target: `${WHOAMI}?user_id=@x:localhost` }),
    ['200', '200', '200', '200'],
  ],
];

async function logIn(homeserver: ProbedHomeserver, user: ProbeUser, more: JsonObject): Promise<HttpAnswer> {
  return homeserver.call({
    target: '/_matrix/client/v3/login',
    json: {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: user.name },
      password: user.password,
      ...more,
    },
  });
}

async function whoami(homeserver: ProbedHomeserver, token: string): Promise<HttpAnswer> {
  return homeserver.call({ target: WHOAMI, token });
}

async function refresh(homeserver: ProbedHomeserver, answer: HttpAnswer): Promise<HttpAnswer> {
  const token = answer.json.refresh_token ?? 'none';
  return homeserver.call({ target: REFRESH, json: { refresh_token: token } });
}

export const TOKEN_PROBES: readonly Probe[] = [
  ...PRESENTED.map(
    ([name, make, measured]): Probe => ({
      name: `token: ${name}`,
      measured,
      run: async (homeserver) => [
        await homeserver.call({ target: WHOAMI, ...make(await homeserver.newUser()) }),
      ],
    }),
  ),
  {
    name: 'token in a form body',
    measured: ['200', '401', '401', '401'],
    run: async (homeserver) => {
      const { token } = await homeserver.newUser();
      return [await homeserver.call({ target: LOGOUT, headers: FORM, body: `{}&access_token=${token}&` })];
    },
  },
  {
    name: 'logout without a body, and again',
    measured: ['200; 401', '200; 401', '200; 401', '200; 401'],
    run: async (homeserver) => {
      const { token } = await homeserver.newUser();
      const logout = { method: 'POST', target: LOGOUT, token };
      return [await homeserver.call(logout), await homeserver.call(logout)];
    },
  },
  {
    name: 'the same device_id again: is the old token alive, and the new one',
    measured: ['200; 200; 200', '200; 401; 200', '200; 401; 200', '200; 401; 200'],
    run: async (homeserver) => {
      const user = await homeserver.newUser();
      const again = await logIn(homeserver, user, { device_id: user.deviceId });
      const old = await whoami(homeserver, user.token);
      return [again, old, await whoami(homeserver, String(again.json.access_token))];
    },
  },
  {
    name: 'the same device_id again, then logged out: the device is gone with every token',
    measured: ['200; 200; 401', '200; 200; 401', '200; 200; 401', '200; 200; 401'],
    run: async (homeserver) => {
      const user = await homeserver.newUser();
      const again = await logIn(homeserver, user, { device_id: user.deviceId });
      const token = String(again.json.access_token);
      const out = await homeserver.call({ method: 'POST', target: LOGOUT, token });
      return [again, out, await whoami(homeserver, user.token)];
    },
  },
  {
    name: 'refresh_token asked for, then: refresh, old access token, old refresh token',
    measured: [
      '200; 200; 200; 200',
      '200; 404; 200; 404',
      '200; 404; 200; 404',
      '200; 200; 401; 403',
      '200; 404; 200; 404',
    ],
    run: async (homeserver) => {
      const login = await logIn(homeserver, await homeserver.newUser(), { refresh_token: true });
      const refreshed = await refresh(homeserver, login);
      const old = await whoami(homeserver, String(login.json.access_token));
      return [login, refreshed, old, await refresh(homeserver, login)];
    },
  },
  {
    name: 'refresh after logout',
    measured: [
      '200; 200; 401 M_UNKNOWN_TOKEN',
      '200; 200; 404',
      '200; 200; 404',
      '200; 200; 403 M_FORBIDDEN',
      '200; 200; 404',
    ],
    run: async (homeserver) => {
      const login = await logIn(homeserver, await homeserver.newUser(), { refresh_token: true });
      const token = String(login.json.access_token);
      const out = await homeserver.call({ method: 'POST', target: LOGOUT, token });
      return [login, out, await refresh(homeserver, login)];
    },
  },
  {
    name: 'logout/all ends every token',
    measured: ['200; 200; 401', '200; 200; 401', '200; 401 M_MISSING_TOKEN; 200', '200; 200; 401'],
    run: async (homeserver) => {
      const user = await homeserver.newUser();
      const second = await logIn(homeserver, user, {});
      const target = `${LOGOUT}/all`;
      const out = await homeserver.call({ method: 'POST', target, token: String(second.json.access_token) });
      return [second, out, await whoami(homeserver, user.token)];
    },
  },
  {
    name: 'HEAD /account/whoami',
    measured: ['200', '405', '200', '200'],
    run: async (homeserver) => {
      const { token } = await homeserver.newUser();
      return [await homeserver.call({ method: 'HEAD', target: WHOAMI, token })];
    },
  },
  {
    name: 'devices: named, shown, listed',
    measured: ['200; 200; 200; 404', '200; 200; 200; 404', '200; 200; 200; 404', '200; 200; 200; 404'],
    run: async (homeserver) => {
      const { token, deviceId } = await homeserver.newUser();
      const devices = '/_matrix/client/v3/devices';
      const target = `${devices}/${deviceId}`;
      const named = await homeserver.call({ method: 'PUT', target, token, json: { display_name: 'x' } });
      const shown = await homeserver.call({ target, token });
      const listed = await homeserver.call({ target: devices, token });
      return [named, shown, listed, await homeserver.call({ target: `${devices}/NOWHERE`, token })];
    },
  },
];
