import type { JsonObject } from '../../src/matrix/wire.ts';
import type { SynapseOptions } from '../../tools/synapse/server.ts';
import type { HttpAnswer } from '../support/http.ts';
import { SYNAPSE_DEFAULT_RATES } from '../support/stub/limits.ts';
import type { StubOptions } from '../support/stub/stub.ts';
import { DEACTIVATE, DELETE_DEVICES, GET_TOKEN, guarded, PASSWORD, passwordAuth } from './guarded_calls.ts';
import type { ProbedHomeserver, ProbeUser } from './probe.ts';

/** One experiment on a Synapse that an operator configured in a special way. */
export interface VariantProbe {
  readonly name: string;
  /** As in `Measured`. */
  readonly measured: string;
  readonly run: (homeserver: ProbedHomeserver) => Promise<readonly HttpAnswer[]>;
}

/** A way to configure Synapse, the same for the stub, and what was measured then. */
export interface Variant {
  readonly name: string;
  readonly synapse: Partial<SynapseOptions>;
  readonly stub: StubOptions;
  readonly probes: readonly VariantProbe[];
}

const LOGIN = '/_matrix/client/v3/login';

async function logIn(
  homeserver: ProbedHomeserver,
  user: ProbeUser,
  more: JsonObject = {},
  address = '203.0.113.1',
): Promise<HttpAnswer> {
  const json = { ...passwordAuth(user.userId, user.password), ...more };
  return homeserver.call({ target: LOGIN, json, headers: { 'x-forwarded-for': address } });
}

async function times(count: number, make: (at: number) => Promise<HttpAnswer>): Promise<HttpAnswer[]> {
  const answers: HttpAnswer[] = [];
  for (let at = 0; at < count; at += 1) answers.push(await make(at));
  return answers;
}

async function probeAndLogin(homeserver: ProbedHomeserver): Promise<HttpAnswer[]> {
  const user = await homeserver.newUser();
  return [
    await guarded(homeserver, DELETE_DEVICES, user),
    await guarded(homeserver, DELETE_DEVICES, user, passwordAuth(user.userId, user.password)),
    await guarded(homeserver, DELETE_DEVICES, user, passwordAuth(user.userId, 'wrong')),
    await logIn(homeserver, user),
  ];
}

async function loginFlows(homeserver: ProbedHomeserver): Promise<HttpAnswer[]> {
  return [await homeserver.call({ target: LOGIN })];
}

export const VARIANTS: readonly Variant[] = [
  {
    name: 'ui_auth.session_timeout',
    synapse: { extraConfig: { ui_auth: { session_timeout: '30s' } } },
    stub: { uiaSessionTimeout: 30_000 },
    probes: [
      {
        name: 'the probe tells nothing: no auth, right, wrong',
        measured: '200; 200; 200',
        run: async (homeserver) => {
          const user = await homeserver.newUser();
          return [
            await guarded(homeserver, DELETE_DEVICES, user),
            await guarded(homeserver, DELETE_DEVICES, user, passwordAuth(user.userId, user.password)),
            await guarded(homeserver, DELETE_DEVICES, user, passwordAuth(user.userId, 'wrong')),
          ];
        },
      },
      {
        name: 'dangerous endpoints ask all the same, and the login judges',
        measured: '401+; 401+; 401+; 403 M_FORBIDDEN; 200',
        run: async (homeserver) => {
          const user = await homeserver.newUser();
          return [
            await guarded(homeserver, PASSWORD, user),
            await guarded(homeserver, DEACTIVATE, user),
            await guarded(homeserver, GET_TOKEN, user),
            await logIn(homeserver, user, { password: 'wrong' }),
            await logIn(homeserver, user),
          ];
        },
      },
    ],
  },
  {
    name: 'limits that Synapse has by itself',
    synapse: {
      limits: 'synapse',
      extraConfig: {
        bcrypt_rounds: 4,
        rc_login: { address: { per_second: 1000, burst_count: 1000 } },
        rc_registration: { per_second: 1000, burst_count: 1000 },
      },
    },
    stub: {
      loginRates: {
        account: SYNAPSE_DEFAULT_RATES.account ?? { perSecond: 0, burstCount: 0 },
        failedAttempts: SYNAPSE_DEFAULT_RATES.failedAttempts ?? { perSecond: 0, burstCount: 0 },
      },
    },
    probes: [
      {
        name: 'five right logins an account, from whatever address',
        measured: '200; 200; 200; 200; 200; 429 M_LIMIT_EXCEEDED',
        run: async (homeserver) => {
          const user = await homeserver.newUser();
          return times(6, (at) => logIn(homeserver, user, {}, `203.0.113.${at}`));
        },
      },
      {
        name: 'three wrong logins, then the right password is refused too',
        measured: '403; 403; 403; 429; 429',
        run: async (homeserver) => {
          const user = await homeserver.newUser();
          const wrong = await times(4, (at) =>
            logIn(homeserver, user, { password: 'wrong' }, `203.0.113.${at}`),
          );
          return [...wrong, await logIn(homeserver, user)];
        },
      },
      {
        name: '30 wrong passwords at a guarded endpoint are all judged',
        measured: Array(30).fill('401+ M_FORBIDDEN').join('; '),
        run: async (homeserver) => {
          const user = await homeserver.newUser();
          return times(30, () =>
            guarded(homeserver, DELETE_DEVICES, user, passwordAuth(user.userId, 'wrong')),
          );
        },
      },
    ],
  },
  {
    name: 'access tokens that have expired, and a public base URL',
    synapse: {
      publicBaseUrl: 'https://matrix.example.org/',
      extraConfig: { refreshable_access_token_lifetime: 1 },
    },
    stub: { publicBaseUrl: 'https://matrix.example.org/', refreshableLifetime: 0 },
    probes: [
      {
        name: 'whoami says soft_logout, logout is taken, the refresh token is dead then',
        measured: '200; 401 M_UNKNOWN_TOKEN; 200; 401',
        run: async (homeserver) => {
          const login = await logIn(homeserver, await homeserver.newUser(), { refresh_token: true });
          const token = String(login.json.access_token);
          const whoami = await homeserver.call({ target: '/_matrix/client/v3/account/whoami', token });
          const logout = await homeserver.call({
            method: 'POST',
            target: '/_matrix/client/v3/logout',
            token,
          });
          const json = { refresh_token: login.json.refresh_token };
          return [
            login,
            whoami,
            logout,
            await homeserver.call({ target: '/_matrix/client/v3/refresh', json }),
          ];
        },
      },
    ],
  },
  {
    name: 'passwords only for asking again',
    synapse: { extraConfig: { password_config: { enabled: 'only_for_reauth' } } },
    stub: { passwords: 'only_for_reauth' },
    probes: [
      {
        name: 'the probe judges, the login does not',
        measured: '401+; 200; 401+ M_FORBIDDEN; 400 M_UNKNOWN',
        run: probeAndLogin,
      },
      { name: 'the flows of GET /login', measured: '200', run: loginFlows },
    ],
  },
  {
    name: 'passwords off',
    synapse: { extraConfig: { password_config: { enabled: false } } },
    stub: { passwords: 'off' },
    probes: [
      {
        name: 'neither the probe nor the login judges',
        measured: '401+; 400 M_UNKNOWN; 400 M_UNKNOWN; 400 M_UNKNOWN',
        run: probeAndLogin,
      },
    ],
  },
  {
    name: 'registration closed',
    synapse: { openRegistration: false },
    stub: { registration: 'closed' },
    probes: [
      {
        name: 'register',
        measured: '403',
        run: async (homeserver) => [
          await homeserver.call({
            target: '/_matrix/client/v3/register',
            json: { username: 'x', password: 'y' },
          }),
        ],
      },
    ],
  },
];
