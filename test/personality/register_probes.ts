import { randomBytes } from 'node:crypto';
import type { JsonObject } from '../../src/matrix/wire.ts';
import type { HttpAnswer } from '../support/http.ts';
import { passwordAuth } from './guarded_calls.ts';
import type { Probe, ProbedHomeserver } from './probe.ts';

const REGISTER = '/_matrix/client/v3/register';
const DUMMY = { type: 'm.login.dummy' };

function freshName(): string {
  return `reg${randomBytes(5).toString('hex')}`;
}

async function register(
  homeserver: ProbedHomeserver,
  json: JsonObject,
  target = REGISTER,
): Promise<HttpAnswer> {
  return homeserver.call({ target, json });
}

/** Open registration with `m.login.dummy` (docs/homeservers.md, "User-Interactive Authentication"). */
export const REGISTER_PROBES: readonly Probe[] = [
  {
    name: 'register: one-shot dummy',
    measured: ['200', '200', '200', '200'],
    run: async (homeserver) => [
      await register(homeserver, { username: freshName(), password: 'long password', auth: DUMMY }),
    ],
  },
  {
    name: 'register: no auth',
    measured: ['401+', '401+', '401+', '401+'],
    run: async (homeserver) => [
      await register(homeserver, { username: freshName(), password: 'long password' }),
    ],
  },
  {
    name: 'register: inhibit_login',
    measured: ['200', '200', '200', '200'],
    run: async (homeserver) => {
      const body = { username: freshName(), password: 'long password', inhibit_login: true, auth: DUMMY };
      return [await register(homeserver, body)];
    },
  },
  {
    name: 'register: a name that is taken, without and with auth',
    measured: [
      '400 M_USER_IN_USE; 400 M_USER_IN_USE',
      '401+; 400 M_USER_IN_USE',
      '400 M_USER_IN_USE; 400 M_USER_IN_USE',
      '400 M_USER_IN_USE; 400 M_USER_IN_USE',
      '401+; 400 M_USER_IN_USE',
    ],
    run: async (homeserver) => {
      const body = { username: (await homeserver.newUser()).name, password: 'long password' };
      return [await register(homeserver, body), await register(homeserver, { ...body, auth: DUMMY })];
    },
  },
  {
    name: 'register: a guest',
    measured: ['403', '403', '200', '403 M_GUEST_ACCESS_FORBIDDEN', '403'],
    run: async (homeserver) => [await register(homeserver, {}, `${REGISTER}?kind=guest`)],
  },
  {
    name: 'register: an unknown stage',
    measured: ['400', '501 M_UNKNOWN', '401+', '401+', '?'],
    run: async (homeserver) => {
      const auth = { type: 'org.example.unknown' };
      return [await register(homeserver, { username: freshName(), password: 'long password', auth })];
    },
  },
  {
    name: 'register: an uninvited password stage, right and wrong',
    measured: [
      '401+ completed:[m.login.password]; 401+ M_FORBIDDEN',
      '501 M_UNKNOWN; 501 M_UNKNOWN',
      '401+ completed:[m.login.password]; 401+ M_FORBIDDEN',
      '403; 403',
      '?; ?',
    ],
    run: async (homeserver) => {
      const { userId, password } = await homeserver.newUser();
      const body = { username: freshName(), password: 'long password' };
      return [
        await register(homeserver, { ...body, auth: passwordAuth(userId, password) }),
        await register(homeserver, { ...body, auth: passwordAuth(userId, 'wrong') }),
      ];
    },
  },
  {
    name: 'register: the finished session once more',
    measured: ['200; 200', '200; 200', '200; 400 M_USER_IN_USE', '200; 400 M_USER_IN_USE', '200; 400'],
    run: async (homeserver) => {
      const body = { username: freshName(), password: 'long password' };
      const { session } = (await register(homeserver, body)).json;
      const finish = () => register(homeserver, { ...body, auth: { ...DUMMY, session } });
      return [await finish(), await finish()];
    },
  },
  ...(
    [
      ['r0', ['401+', '401+', '401+', '401+']],
      ['unstable', ['401+', '404', '404', '404']],
      ['v1', ['404', '404', '404', '404']],
    ] as const
  ).map(
    ([prefix, measured]): Probe => ({
      name: `register under ${prefix}`,
      measured,
      run: async (homeserver) => {
        const body = { username: freshName(), password: 'long password' };
        return [await register(homeserver, body, REGISTER.replace('v3', prefix))];
      },
    }),
  ),
];
