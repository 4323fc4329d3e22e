import type { JsonObject } from '../../src/matrix/wire.ts';
import { makeCrossSigningKeys } from '../support/cross_signing_keys.ts';
import type { HttpAnswer } from '../support/http.ts';
import {
  DEACTIVATE,
  DELETE_DEVICE,
  DELETE_DEVICES,
  DEVICE_SIGNING,
  GET_TOKEN,
  type GuardedCall,
  guarded,
  PASSWORD,
  passwordAuth,
  THREEPID_ADD,
  uploadSigningKeys,
} from './guarded_calls.ts';
import type { Measured, Probe, ProbedHomeserver, ProbeUser } from './probe.ts';

/** What one request to a guarded endpoint carries as `auth`, given the caller and another user. */
type MakeAuth = (caller: ProbeUser, other: ProbeUser) => JsonObject[string];

interface OneShot {
  readonly name: string;
  readonly auth: MakeAuth;
  readonly measured: Measured;
  /** Dendrite's answer where it judges the password by hand: `/account/password` and device_signing. */
  readonly dendriteByHand?: string;
  /** Dendrite's answer on `/account/deactivate`. */
  readonly dendriteDeactivate?: string;
  /** What differs on device_signing. */
  readonly signing?: { readonly tuwunel: string; readonly continuwuity: string };
}

/** Guarded endpoints (docs/homeservers.md, "User-Interactive Authentication"): one request, each on its own user. */
const ONE_SHOTS: readonly OneShot[] = [
  {
    name: 'no auth',
    auth: () => undefined,
    measured: [
      '401+ !completed params:object',
      '401+ completed:[] params:object',
      '401+ !completed !params',
      '401+ !completed !params',
      '401+ !completed params:null',
    ],
    dendriteByHand: '401+ completed:[] params:null',
  },
  {
    name: 'auth {}',
    auth: () => ({}),
    measured: ['401+', '400', '400', '400'],
    dendriteByHand: '401+',
    signing: { tuwunel: '500', continuwuity: '?' },
  },
  {
    name: 'auth null',
    auth: () => null,
    measured: ['401+', '400', '401+', '500', '401+'],
    dendriteByHand: '401+',
  },
  { name: 'auth "x"', auth: () => 'x', measured: ['400', '400', '400', '400'] },
  {
    name: 'an unknown type',
    auth: () => ({ type: 'org.example.unknown' }),
    measured: [
      '400 M_INVALID_PARAM',
      '400 M_BAD_JSON',
      '401+ !completed',
      '401+ !completed',
      '400 M_INVALID_PARAM',
    ],
    dendriteByHand: '401+ completed:[]',
  },
  {
    name: 'm.login.dummy',
    auth: () => ({ type: 'm.login.dummy' }),
    measured: [
      '401+ completed:[m.login.dummy]',
      '400 M_BAD_JSON',
      '401+ completed:[m.login.dummy]',
      '401+ completed:[m.login.dummy]',
      '400 M_INVALID_PARAM',
    ],
    dendriteByHand: '401+ completed:[]',
  },
  {
    name: 'a wrong password',
    auth: (caller) => passwordAuth(caller.userId, 'wrong'),
    measured: [
      '401+ M_FORBIDDEN completed:[]',
      '401+ M_FORBIDDEN completed:null',
      '401+ M_FORBIDDEN !completed',
      '401+ M_FORBIDDEN !completed',
      '401+ M_FORBIDDEN !completed params:null',
    ],
    dendriteByHand: '403 M_FORBIDDEN',
  },
  {
    name: 'the right password with a code appended',
    auth: (caller) => passwordAuth(caller.userId, `${caller.password} 123456`),
    measured: ['401+ M_FORBIDDEN', '401+ M_FORBIDDEN', '401+ M_FORBIDDEN', '401+ M_FORBIDDEN'],
    dendriteByHand: '403 M_FORBIDDEN',
  },
  {
    name: 'an empty password',
    auth: (caller) => passwordAuth(caller.userId, ''),
    measured: ['401+ M_FORBIDDEN', '401+ M_BAD_JSON completed:null', '401+ M_FORBIDDEN', '401+ M_FORBIDDEN'],
  },
  {
    name: 'no identifier',
    auth: (caller) => ({ type: 'm.login.password', password: caller.password }),
    measured: ['400', '401+ M_BAD_JSON completed:null', '400', '405', '400'],
  },
  {
    name: 'the right password, full id',
    auth: (caller) => passwordAuth(caller.userId, caller.password),
    measured: ['200', '200', '200', '200'],
  },
  {
    name: 'the right password, local part',
    auth: (caller) => passwordAuth(caller.name, caller.password),
    measured: ['200', '200', '200', '200'],
  },
  {
    name: 'the right password, top-level user',
    auth: (caller) => ({ type: 'm.login.password', user: caller.userId, password: caller.password }),
    measured: ['200', '200', '400', '200', '400'],
  },
  {
    name: 'extra keys in auth',
    auth: (caller) => passwordAuth(caller.userId, caller.password, { extra: { a: 1 }, token: '123456' }),
    measured: ['200', '200', '200', '200'],
  },
  {
    name: 'an invented session',
    auth: (caller) => passwordAuth(caller.userId, caller.password, { session: 'invented' }),
    measured: ['400 M_UNKNOWN', '200', '403', '403', '400 M_INVALID_PARAM'],
  },
  {
    name: "somebody else's name with his right password",
    auth: (_caller, other) => passwordAuth(other.userId, other.password),
    measured: ['403', '403', '200', '403', '401+ M_INVALID_PARAM'],
    dendriteByHand: '200',
    dendriteDeactivate: '200',
  },
  {
    name: 'own identifier, somebody else at the top level, his password',
    auth: (caller, other) => passwordAuth(caller.userId, other.password, { user: other.userId }),
    measured: ['403', '401+', '401+', '401+'],
    dendriteByHand: '403',
  },
];

const ONE_SHOT_ENDPOINTS = [DELETE_DEVICES, DELETE_DEVICE, PASSWORD, DEACTIVATE, DEVICE_SIGNING];

function measuredAt(endpoint: GuardedCall, shot: OneShot): Measured {
  const [synapse, dendrite, conduit, tuwunel, continuwuity = tuwunel] = shot.measured;
  const relatives = { tuwunel, continuwuity, ...(endpoint === DEVICE_SIGNING ? shot.signing : {}) };
  const isByHand = endpoint === PASSWORD || endpoint === DEVICE_SIGNING;
  const special = isByHand
    ? shot.dendriteByHand
    : endpoint === DEACTIVATE
      ? shot.dendriteDeactivate
      : undefined;
  return [synapse, special ?? dendrite, conduit, relatives.tuwunel, relatives.continuwuity];
}

async function preparedUser(homeserver: ProbedHomeserver, endpoint: GuardedCall): Promise<ProbeUser> {
  const user = await homeserver.newUser();
  await endpoint.prepare?.(homeserver, user);
  return user;
}

async function openSession(
  homeserver: ProbedHomeserver,
  endpoint: GuardedCall,
  user: ProbeUser,
): Promise<string> {
  const challenge = await guarded(homeserver, endpoint, user);
  if (typeof challenge.json.session !== 'string') throw new Error(`no session: ${challenge.text}`);
  return challenge.json.session;
}

/** Opens a session at one endpoint and uses it, with the right password, at another. */
function sessionCarriedTo(used: GuardedCall, opened: GuardedCall) {
  return async (homeserver: ProbedHomeserver): Promise<HttpAnswer[]> => {
    const user = await preparedUser(homeserver, opened);
    const session = await openSession(homeserver, opened, user);
    return [await guarded(homeserver, used, user, passwordAuth(user.userId, user.password, { session }))];
  };
}

const OTHER_DEVICE: GuardedCall = { ...DELETE_DEVICE, target: '/_matrix/client/v3/devices/ELSEWHERE' };

const PREFIXES: readonly (readonly [endpoint: GuardedCall, prefix: string, Measured])[] = [
  ...[DELETE_DEVICES, DELETE_DEVICE, PASSWORD, DEACTIVATE].flatMap((endpoint) => [
    [endpoint, 'r0', ['401+', '401+', '401+', '401+']] as const,
    [endpoint, 'unstable', ['401+', '404', '404', '404']] as const,
    [endpoint, 'v1', ['404', '404', '404', '404']] as const,
  ]),
  [DEVICE_SIGNING, 'r0', ['404', '401+', '404', '401+', '404']],
  [DEVICE_SIGNING, 'unstable', ['401+', '401+', '401+', '401+']],
];

export const UIA_PROBES: readonly Probe[] = [
  ...ONE_SHOT_ENDPOINTS.flatMap((endpoint) =>
    ONE_SHOTS.map(
      (shot): Probe => ({
        name: `${endpoint.name}: ${shot.name}`,
        measured: measuredAt(endpoint, shot),
        run: async (homeserver) => {
          const caller = await preparedUser(homeserver, endpoint);
          const other = await homeserver.newUser();
          return [await guarded(homeserver, endpoint, caller, shot.auth(caller, other))];
        },
      }),
    ),
  ),
  ...PREFIXES.map(
    ([endpoint, prefix, measured]): Probe => ({
      name: `${endpoint.name} under ${prefix}`,
      measured,
      run: async (homeserver) => {
        const user = await preparedUser(homeserver, endpoint);
        const target = endpoint.target.replace('/v3/', `/${prefix}/`);
        return [await guarded(homeserver, { ...endpoint, target }, user)];
      },
    }),
  ),
  {
    name: 'a session of another endpoint',
    measured: ['403 M_UNKNOWN', '200', '200', '200'],
    run: sessionCarriedTo(PASSWORD, DELETE_DEVICES),
  },
  {
    name: 'a session of another device id',
    measured: ['403', '200', '200', '200'],
    run: sessionCarriedTo(OTHER_DEVICE, DELETE_DEVICE),
  },
  {
    name: "another user's session, own password",
    measured: ['200', '200', '403', '403', '401+ M_INVALID_PARAM'],
    run: async (homeserver) => {
      const [a, b] = [await homeserver.newUser(), await homeserver.newUser()];
      const session = await openSession(homeserver, DELETE_DEVICES, a);
      return [await guarded(homeserver, DELETE_DEVICES, b, passwordAuth(b.userId, b.password, { session }))];
    },
  },
  {
    name: 'done in a session, then again at once without auth',
    measured: ['200; 401+', '200; 401+', '200; 401+', '200; 401+'],
    run: async (homeserver) => {
      const user = await homeserver.newUser();
      const session = await openSession(homeserver, DELETE_DEVICES, user);
      const auth = passwordAuth(user.userId, user.password, { session });
      const done = await guarded(homeserver, DELETE_DEVICES, user, auth);
      return [done, await guarded(homeserver, DELETE_DEVICES, user)];
    },
  },
  ...[DELETE_DEVICES, PASSWORD].map(
    (endpoint): Probe => ({
      name: `${endpoint.name}: a finished session alone, and with the right password`,
      measured: [
        '200; 200',
        endpoint === PASSWORD ? '401+ completed:[m.login.password]; 200' : '400; 200',
        '403; 403',
        '403; 403',
        '400 M_INVALID_PARAM; 400 M_INVALID_PARAM',
      ],
      run: async (homeserver) => {
        const user = await homeserver.newUser();
        const session = await openSession(homeserver, endpoint, user);
        const same = { new_password: user.password };
        const more = endpoint === PASSWORD ? same : {};
        const auth = passwordAuth(user.userId, user.password, { session });
        await guarded(homeserver, endpoint, user, auth, more);
        const alone = await guarded(homeserver, endpoint, user, { session }, more);
        return [alone, await guarded(homeserver, endpoint, user, auth, more)];
      },
    }),
  ),
  {
    name: 'no token at all',
    measured: [
      '401 M_MISSING_TOKEN; 401 M_MISSING_TOKEN; 401+',
      '401; 401; 401',
      '401; 401; 401',
      '401; 401; 401',
      '401; 401; 401+',
    ],
    run: async (homeserver) => {
      const bare = ({ method, target, body }: GuardedCall) => homeserver.call({ method, target, json: body });
      return [await bare(DELETE_DEVICES), await bare(DEACTIVATE), await bare(PASSWORD)];
    },
  },
  {
    name: 'an uninvited password stage on a password reset without a token: right, wrong',
    measured: [
      '401+ completed:[m.login.password]; 401+ M_FORBIDDEN',
      '401; 401',
      '401; 401',
      '401; 401',
      '?; ?',
    ],
    run: async (homeserver) => {
      const { userId, password } = await homeserver.newUser();
      const reset = (auth: JsonObject) =>
        homeserver.call({ target: PASSWORD.target, json: { ...PASSWORD.body, auth } });
      return [await reset(passwordAuth(userId, password)), await reset(passwordAuth(userId, 'wrong'))];
    },
  },
  {
    name: '25 wrong passwords in a row are all judged',
    measured: [
      Array(26).fill('401+').join('; '),
      Array(26).fill('401+').join('; '),
      Array(26).fill('401+').join('; '),
      Array(26).fill('401+').join('; '),
    ],
    run: async (homeserver) => {
      const user = await homeserver.newUser();
      const answers = [await guarded(homeserver, DELETE_DEVICES, user)];
      for (let guess = 0; guess < 25; guess += 1) {
        answers.push(
          await guarded(homeserver, DELETE_DEVICES, user, passwordAuth(user.userId, `wrong ${guess}`)),
        );
      }
      return answers;
    },
  },
  {
    name: 'a wrong password at once after the right one',
    measured: [
      '200; 401+ M_FORBIDDEN',
      '200; 401+ M_FORBIDDEN',
      '200; 401+ M_FORBIDDEN',
      '200; 401+ M_FORBIDDEN',
    ],
    run: async (homeserver) => {
      const user = await homeserver.newUser();
      const right = await guarded(homeserver, DELETE_DEVICES, user, passwordAuth(user.userId, user.password));
      return [right, await guarded(homeserver, DELETE_DEVICES, user, passwordAuth(user.userId, 'wrong'))];
    },
  },
  {
    name: 'DELETE devices/{id} without a body',
    measured: ['401+', '401+', '400 M_NOT_JSON', '400 M_NOT_JSON', '401+'],
    run: async (homeserver) => {
      const { token } = await homeserver.newUser();
      return [await homeserver.call({ method: 'DELETE', target: DELETE_DEVICE.target, token })];
    },
  },
  ...([[], null, undefined] as const).map(
    (devices): Probe => ({
      name: `delete_devices with ${JSON.stringify(devices) ?? 'no'} list, then whoami`,
      measured: [
        devices === null || devices === undefined ? '400; 200' : '200; 200',
        '200; 401',
        devices ? '200; 200' : '400; 200',
        devices ? '200; 200' : '400; 200',
      ],
      run: async (homeserver) => {
        const user = await homeserver.newUser();
        const auth = passwordAuth(user.userId, user.password);
        const json = {
          devices: devices === undefined ? undefined : devices === null ? null : [...devices],
          auth,
        };
        const deleted = await homeserver.call({ target: DELETE_DEVICES.target, token: user.token, json });
        const target = '/_matrix/client/v3/account/whoami';
        return [deleted, await homeserver.call({ target, token: user.token })];
      },
    }),
  ),
  {
    name: 'a new password of one letter',
    measured: ['200', '400 M_WEAK_PASSWORD', '200', '200'],
    run: async (homeserver) => {
      const user = await homeserver.newUser();
      const auth = passwordAuth(user.userId, user.password);
      return [await guarded(homeserver, PASSWORD, user, auth, { new_password: 'a' })];
    },
  },
  {
    name: 'no new password, then a login with the old one',
    measured: ['500; 200', '200; 403', '400; 200', '400; 200'],
    run: async (homeserver) => {
      const user = await homeserver.newUser();
      const auth = passwordAuth(user.userId, user.password);
      const changed = await guarded(homeserver, PASSWORD, user, auth, { new_password: undefined });
      const login = { ...auth, password: user.password };
      return [changed, await homeserver.call({ target: '/_matrix/client/v3/login', json: login })];
    },
  },
  ...([undefined, false] as const).map((logoutDevices): Probe => {
    const others = logoutDevices === false ? '200; 200; 200' : '200; 401; 200';
    return {
      name: `a password change with logout_devices ${logoutDevices ?? 'left out'}: another device, this one`,
      measured: [others, others, others, others],
      run: async (homeserver) => {
        const user = await homeserver.newUser();
        const auth = passwordAuth(user.userId, user.password);
        const second = await homeserver.call({ target: '/_matrix/client/v3/login', json: auth });
        const changed = await guarded(homeserver, PASSWORD, user, auth, { logout_devices: logoutDevices });
        const whoami = { target: '/_matrix/client/v3/account/whoami' };
        return [
          changed,
          await homeserver.call({ ...whoami, token: String(second.json.access_token) }),
          await homeserver.call({ ...whoami, token: user.token }),
        ];
      },
    };
  }),
  {
    name: 'signing keys: first, identical, other',
    measured: ['200; 200; 401+', '200; 200; 401+', '200; 401+; 401+', '200; 200; 401+'],
    run: async (homeserver) => {
      const user = await homeserver.newUser();
      const keys = { ...makeCrossSigningKeys(user.userId) };
      const others = { ...makeCrossSigningKeys(user.userId) };
      return [
        await uploadSigningKeys(homeserver, user, keys),
        await uploadSigningKeys(homeserver, user, keys),
        await uploadSigningKeys(homeserver, user, others),
      ];
    },
  },
  {
    name: 'signing keys: the live ones without the master key, with it, none',
    measured: ['200; 200; 200', '401+; 401+; 401+', '200; 401+; 200', '200; 200; 200', '401+; 401+; 401+'],
    run: async (homeserver) => {
      const user = await homeserver.newUser();
      const { master_key, self_signing_key, user_signing_key } = makeCrossSigningKeys(user.userId);
      await uploadSigningKeys(homeserver, user, { master_key, self_signing_key, user_signing_key });
      return [
        await uploadSigningKeys(homeserver, user, { self_signing_key }),
        await uploadSigningKeys(homeserver, user, { master_key }),
        await uploadSigningKeys(homeserver, user, {}),
      ];
    },
  },
  {
    name: 'signing keys: an unsigned self-signing key, first time',
    measured: ['400', '200', '200', '200'],
    run: async (homeserver) => {
      const user = await homeserver.newUser();
      const { master_key, self_signing_key } = makeCrossSigningKeys(user.userId);
      const { signatures: _, ...unsigned } = self_signing_key;
      return [await uploadSigningKeys(homeserver, user, { master_key, self_signing_key: unsigned })];
    },
  },
  {
    name: '3pid/add: no auth; without client_secret',
    measured: ['401+; 400', '404; 404', '404; 404', '404; 404', '401+; 400'],
    run: async (homeserver) => {
      const user = await homeserver.newUser();
      const challenge = await guarded(homeserver, THREEPID_ADD, user);
      return [
        challenge,
        await guarded(homeserver, THREEPID_ADD, user, undefined, { client_secret: undefined }),
      ];
    },
  },
  {
    name: 'the old POST 3pid asks for no authentication',
    measured: ['400 M_THREEPID_AUTH_FAILED', '400 M_SERVER_NOT_TRUSTED', '405', '405'],
    run: async (homeserver) => {
      const { token } = await homeserver.newUser();
      const target = '/_matrix/client/v3/account/3pid';
      const three_pid_creds = { client_secret: 'secret', sid: '1' };
      return [await homeserver.call({ target, token, json: { three_pid_creds } })];
    },
  },
  {
    name: 'get_token: challenge, wrong, right, right again at once, wrong again',
    measured: [
      '401+; 401+ M_FORBIDDEN; 200; 429; 401+ M_FORBIDDEN',
      '404; 404; 404; 404; 404',
      '404; 404; 404; 404; 404',
      '401+; 401+ M_FORBIDDEN; 200; 200; 401+ M_FORBIDDEN',
    ],
    run: async (homeserver) => {
      const user = await homeserver.newUser();
      const right = passwordAuth(user.userId, user.password);
      const wrong = passwordAuth(user.userId, 'wrong');
      const answers: HttpAnswer[] = [];
      for (const auth of [undefined, wrong, right, right, wrong]) {
        answers.push(await guarded(homeserver, GET_TOKEN, user, auth));
      }
      return answers;
    },
  },
  {
    name: 'get_token under its old names',
    measured: ['401+; 404', '404; 404', '404; 404', '404; 401+'],
    run: async (homeserver) => {
      const user = await homeserver.newUser();
      const old = '/_matrix/client/unstable/org.matrix.msc3882/login';
      return [
        await guarded(homeserver, { ...GET_TOKEN, target: `${old}/token` }, user),
        await guarded(homeserver, { ...GET_TOKEN, target: `${old}/get_token` }, user),
      ];
    },
  },
  {
    name: 'a login token works once',
    measured: ['200; 403', '403; 403', '400; 400', '200; 403'],
    run: async (homeserver) => {
      const user = await homeserver.newUser();
      const auth = passwordAuth(user.userId, user.password);
      const { json } = await guarded(homeserver, GET_TOKEN, user, auth);
      const body = { type: 'm.login.token', token: json.login_token ?? 'none' };
      const redeem = () => homeserver.call({ target: '/_matrix/client/v3/login', json: body });
      return [await redeem(), await redeem()];
    },
  },
];
