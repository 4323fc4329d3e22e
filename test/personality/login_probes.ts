import type { JsonObject } from '../../src/matrix/wire.ts';
import type { HttpAnswer, HttpCall } from '../support/http.ts';
import type { Measured, Probe, ProbedHomeserver, ProbeUser } from './probe.ts';

const LOGIN = '/_matrix/client/v3/login';
const ALL_404: Measured = ['404', '404', '404', '404'];
const ALL_200: Measured = ['200', '200', '200', '200'];

/**
 * Targets of the login (docs/homeservers.md, "Targets"). `x:/path`, which Dendrite takes, is not among them: Node's
 * HTTP parser refuses it before any stub sees it.
 */
const TARGETS: readonly (readonly [target: string, Measured])[] = [
  ['/_matrix/client/v3/login', ALL_200],
  ['/_matrix/client/r0/login', ALL_200],
  ['/_matrix/client/v3/login?x=1', ALL_200],
  ['/_matrix/client/v3/login?', ALL_200],
  ['/_matrix/client/v3/login?#f', ALL_200],
  ['/_matrix/client/api/v1/login', ['200', '404', '404', '404']],
  ['/_matrix/client/unstable/login', ['200', '404', '404', '404']],
  ['/_matrix/client/v1/login', ALL_404],
  ['/_matrix/client/v4/login', ALL_404],
  ['/_matrix/client/v3/login/', ALL_404],
  ['/_matrix/client/v3/LOGIN', ALL_404],
  ['/_matrix/client/V3/login', ALL_404],
  ['/_MATRIX/client/v3/login', ALL_404],
  ['/_matrix/client/v3/%6Cogin', ALL_404],
  ['/_matrix/client/v3%2Flogin', ALL_404],
  ['/%5Fmatrix/client/v3/login', ALL_404],
  ['/_matrix/client/v3/login%00', ALL_404],
  ['/_matrix/client/v3/login%0A', ALL_404],
  ['/_matrix/client/v3/login%20', ALL_404],
  ['/_matrix/client/v3/login;a=b', ALL_404],
  ['//_matrix/client/v3/login', ALL_404],
  ['/_matrix//client/v3/login', ALL_404],
  ['/_matrix/client/./v3/login', ALL_404],
  ['/_matrix/client/x/../v3/login', ALL_404],
  ['/_matrix/client/x/%2e%2e/v3/login', ALL_404],
  ['/_matrix/client/v3\\login', ALL_404],
  ['/_matrix/client/v3/login"', ALL_404],
  ['/_matrix/client/v3/login<', ['404', '404', '400', '400']],
  ['/_matrix/client/v3/login^', ALL_404],
  ['/_matrix/client/v3/login|', ALL_404],
  ['/_matrix/client/v3/login{', ALL_404],
  ['/_matrix/client/v3/login`', ['404', '404', '400', '400']],
  ['/_matrix/client/v3/login#f', ['404', '404', '200', '200']],
  ['http://elsewhere.example/_matrix/client/v3/login', ['404', '200', '200', '200']],
  ['https://u:p@x/_matrix/client/v3/login', ['404', '200', '200', '200']],
  ['WS://x/_matrix/client/v3/login', ['404', '200', '200', '200']],
];

const SERVER = (user: ProbeUser) => user.userId.slice(user.userId.indexOf(':') + 1);

/** A login body for a user; `b` is a second user, who has the password `b.password`. */
type MakeBody = (a: ProbeUser, b: ProbeUser) => JsonObject;

const PASSWORD = { type: 'm.login.password' };

function of(user: ProbeUser, more: JsonObject = {}): JsonObject {
  return {
    ...PASSWORD,
    identifier: { type: 'm.id.user', user: user.name },
    password: user.password,
    ...more,
  };
}

/** Bodies of the login (docs/homeservers.md, "Bodies"). */
const BODIES: readonly (readonly [name: string, MakeBody, Measured])[] = [
  [
    'user only',
    (a) => ({ ...PASSWORD, user: a.name, password: a.password }),
    ['200', '200', '400 M_INVALID_USERNAME', '200'],
  ],
  [
    'identifier null + user',
    (a) => ({ ...PASSWORD, identifier: null, user: a.name, password: a.password }),
    ['200', '200', '400', '200'],
  ],
  ["identifier A + user B, A's password", (a, b) => of(a, { user: b.name }), ['403', '200', '200', '200']],
  [
    "identifier A + user B, B's password",
    (a, b) => of(a, { user: b.name, password: b.password }),
    ['200', '403', '403', '403'],
  ],
  [
    "identifier of an unknown type + user B, B's password",
    (a, b) => of(b, { identifier: { type: 'x', user: a.name }, user: b.name }),
    ['200', '200', '400', '400'],
  ],
  [
    "identifier A + the address of B, B's password",
    (a, b) =>
      of(b, { identifier: { type: 'm.id.user', user: a.name }, medium: 'email', address: `${b.name}@x.org` }),
    ['200', '403', '403', '403'],
  ],
  [
    'e-mail identifier, unknown',
    (a) => of(a, { identifier: { type: 'm.id.thirdparty', medium: 'email', address: 'nobody@x.org' } }),
    ['403', '401 M_BAD_JSON', '403', '400'],
  ],
  [
    'local part in capitals',
    (a) => of(a, { identifier: { type: 'm.id.user', user: a.name.toUpperCase() } }),
    ['200', '200', '200', '200', '404 M_NOT_FOUND'],
  ],
  ['full id', (a) => of(a, { identifier: { type: 'm.id.user', user: a.userId } }), ALL_200],
  [
    'full id, local part in capitals',
    (a) => of(a, { identifier: { type: 'm.id.user', user: `@${a.name.toUpperCase()}:${SERVER(a)}` } }),
    ['200', '200', '200', '200', '?'],
  ],
  [
    'full id, server in capitals',
    (a) => of(a, { identifier: { type: 'm.id.user', user: `@${a.name}:${SERVER(a).toUpperCase()}` } }),
    ['200', '401', '200', '400 M_UNKNOWN'],
  ],
  [
    'another server',
    (a) => of(a, { identifier: { type: 'm.id.user', user: `@${a.name}:other.example` } }),
    ['403', '401', '403', '400 M_UNKNOWN'],
  ],
  [
    'sigil without a server',
    (a) => of(a, { identifier: { type: 'm.id.user', user: `@${a.name}` } }),
    ['403', '401', '400', '400'],
  ],
  [
    'blanks round the name',
    (a) => of(a, { identifier: { type: 'm.id.user', user: ` ${a.name} ` } }),
    ['403', '403', '403', '403', '?'],
  ],
  ['blanks round the password', (a) => of(a, { password: ` ${a.password} ` }), ['403', '403', '403', '403']],
  [
    'keys in upper case',
    (a) => ({
      TYPE: 'm.login.password',
      IDENTIFIER: { type: 'm.id.user', user: a.name },
      PASSWORD: a.password,
    }),
    ['400', '200', '400', '400', '500'],
  ],
  [
    'the long s in a key',
    (a) => ({ ...PASSWORD, identifier: { type: 'm.id.user', user: a.name }, paſſword: a.password }),
    ['400', '200', '400', '400'],
  ],
  ['auth in it', (a) => of(a, { auth: { type: 'm.login.2fa.totp', session: 'x', token: '1' } }), ALL_200],
  ['a fraction beside', (a) => of(a, { extra: 1.5 }), ['200', '200', '200', '400', '200']],
  ['2^60 beside', (a) => of(a, { extra: 2 ** 60 }), ['200', '200', '200', '400', '200']],
  ['a numeric device_id', (a) => of(a, { device_id: 5 }), ['500', '400', '400', '400']],
  [
    'a device_id of 5000 characters',
    (a) => of(a, { device_id: 'x'.repeat(5000) }),
    ['400', '200', '200', '200'],
  ],
  ['an empty device_id', (a) => of(a, { device_id: '' }), ALL_200],
  [
    'a display name of 5000 characters',
    (a) => of(a, { initial_device_display_name: 'x'.repeat(5000) }),
    ['400', '200', '200', '200'],
  ],
  [
    'an unknown type',
    (a) => of(a, { type: 'org.example.unknown' }),
    ['400 M_UNKNOWN', '400 M_INVALID_PARAM', '400 M_UNKNOWN', '400 M_UNKNOWN'],
  ],
  ['an empty password', (a) => of(a, { password: '' }), ['403', '401', '403', '403']],
  ['no password', (a) => of(a, { password: undefined }), ['400', '401', '400', '400']],
  ['no type', (a) => of(a, { type: undefined }), ['400', '400', '400', '400', '500']],
];

/** Bodies as text, and headers. `{}` in the text stands for a sound body without its closing brace. */
const RAW_BODIES: readonly (readonly [
  name: string,
  make: (sound: string, user: ProbeUser) => Pick<HttpCall, 'body' | 'headers'>,
  Measured,
])[] = [
  ['an overflowing number', (sound) => ({ body: `${sound},"extra":1e400}` }), ['200', '200', '400', '400']],
  [
    'nesting of 5000',
    (sound) => ({ body: `${sound},"extra":${'['.repeat(5000)}${']'.repeat(5000)}}` }),
    ['400', '200', '400', '400'],
  ],
  ['a lone surrogate', (sound) => ({ body: `${sound},"extra":"\\ud800"}` }), ['200', '200', '400', '400']],
  [
    'a byte order mark',
    (sound) => ({ body: `\ufeff${sound}}` }),
    ['400 M_NOT_JSON', '400 M_BAD_JSON', '400 M_BAD_JSON', '400 M_BAD_JSON'],
  ],
  [
    'a tail',
    (sound) => ({ body: `${sound}} x` }),
    ['400 M_NOT_JSON', '400 M_BAD_JSON', '400 M_BAD_JSON', '400 M_BAD_JSON'],
  ],
  [
    'no JSON at all',
    () => ({ body: '{"type":' }),
    ['400 M_NOT_JSON', '400 M_NOT_JSON', '400 M_BAD_JSON', '400 M_BAD_JSON'],
  ],
  [
    'bad UTF-8',
    (sound) => ({
      body: Buffer.concat([Buffer.from(`${sound},"x":"`), Buffer.from([0xff]), Buffer.from('"}')]),
    }),
    ['400', '400', '400', '400'],
  ],
  [
    'the password twice, the right one last',
    (sound) => ({ body: `{"password":"wrong",${sound.slice(1)}}` }),
    ALL_200,
  ],
  [
    'the password twice, the wrong one last',
    (sound) => ({ body: `${sound},"password":"wrong"}` }),
    ['403', '403', '403', '403'],
  ],
  [
    'as a form',
    (sound) => ({ body: `${sound}}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    ALL_200,
  ],
  ['as text', (sound) => ({ body: `${sound}}`, headers: { 'content-type': 'text/plain' } }), ALL_200],
  ['without a content type', (sound) => ({ body: `${sound}}` }), ALL_200],
  [
    'as multipart',
    (sound) => ({ body: `${sound}}`, headers: { 'content-type': 'multipart/form-data' } }),
    ['415', '200', '200', '200'],
  ],
];

const METHODS: readonly (readonly [method: string, target: string, Measured])[] = [
  ['HEAD', LOGIN, ['200', '405', '200', '200']],
  ['PUT', LOGIN, ['405', '405', '405', '405']],
  ['PATCH', LOGIN, ['405', '405', '405', '405']],
  ['DELETE', LOGIN, ['405', '405', '405', '405']],
  ['TRACE', LOGIN, ['405', '405', '405', '405']],
];

/** A password of 72 bytes: bcrypt looks no further. */
const LONG_PASSWORD = 'p'.repeat(72);

async function logIn(homeserver: ProbedHomeserver, json: JsonObject): Promise<HttpAnswer> {
  return homeserver.call({ target: LOGIN, json });
}

export const LOGIN_PROBES: readonly Probe[] = [
  ...TARGETS.map(
    ([target, measured]): Probe => ({
      name: `login target ${target}`,
      measured,
      run: async (homeserver) => [await homeserver.call({ target, json: of(await homeserver.newUser()) })],
    }),
  ),
  ...BODIES.map(
    ([name, make, measured]): Probe => ({
      name: `login body: ${name}`,
      measured,
      run: async (homeserver) => {
        const a = await homeserver.newUser();
        const b = await homeserver.newUser({ email: 'of the name' });
        return [await logIn(homeserver, make(a, b))];
      },
    }),
  ),
  ...RAW_BODIES.map(
    ([name, make, measured]): Probe => ({
      name: `login body: ${name}`,
      measured,
      run: async (homeserver) => {
        const user = await homeserver.newUser();
        const sound = JSON.stringify(of(user)).slice(0, -1);
        return [await homeserver.call({ method: 'POST', target: LOGIN, ...make(sound, user) })];
      },
    }),
  ),
  ...METHODS.map(
    ([method, target, measured]): Probe => ({
      name: `${method} /login`,
      measured,
      run: async (homeserver) => [await homeserver.call({ method, target })],
    }),
  ),
  {
    name: 'a method override is ignored',
    measured: ALL_200,
    run: async (homeserver) => [
      await homeserver.call({
        method: 'GET',
        target: LOGIN,
        headers: { 'x-http-method-override': 'DELETE' },
      }),
    ],
  },
  {
    name: 'a wrong password and an unknown user',
    measured: [
      '403 M_FORBIDDEN; 403 M_FORBIDDEN',
      '403 M_FORBIDDEN; 403 M_FORBIDDEN',
      '403 M_FORBIDDEN; 403 M_FORBIDDEN',
      '403 M_FORBIDDEN; 403 M_FORBIDDEN',
      '403 M_FORBIDDEN; 404 M_NOT_FOUND',
    ],
    run: async (homeserver) => {
      const user = await homeserver.newUser();
      const unknown = { type: 'm.id.user', user: `${user.name}x` };
      const answers = [
        await logIn(homeserver, of(user, { password: 'wrong' })),
        await logIn(homeserver, of(user, { identifier: unknown })),
      ];
      const [wrong, nobody] = answers;
      if (wrong?.status === nobody?.status && wrong?.text !== nobody?.text)
        throw new Error('the two bodies differ');
      return answers;
    },
  },
  {
    name: 'a deactivated account',
    measured: ['403 M_FORBIDDEN', '403 M_FORBIDDEN', '403 M_USER_DEACTIVATED', '403 M_USER_DEACTIVATED'],
    run: async (homeserver) => {
      const user = await homeserver.newUser();
      const auth = { ...of(user), identifier: { type: 'm.id.user', user: user.userId } };
      const target = '/_matrix/client/v3/account/deactivate';
      const gone = await homeserver.call({ target, token: user.token, json: { auth } });
      if (gone.status !== 200) throw new Error(`deactivation was refused: ${gone.text}`);
      return [await logIn(homeserver, of(user))];
    },
  },
  {
    name: '72 bytes of password, and a code appended',
    measured: ['200; 200', '200; 200', '200; 403', '200; 403'],
    run: async (homeserver) => {
      const user = await homeserver.newUser({ password: LONG_PASSWORD });
      const appended = of(user, { password: `${LONG_PASSWORD} 123456` });
      return [await logIn(homeserver, of(user)), await logIn(homeserver, appended)];
    },
  },
  {
    name: 'a composed character in the password: as set, decomposed, compatible',
    measured: ['200; 200; 200', '200; 403; 403', '200; 403; 403', '200; 403; 403'],
    run: async (homeserver) => {
      const user = await homeserver.newUser({ password: 'long e\u0301 and \ufb01' });
      return [
        await logIn(homeserver, of(user)),
        await logIn(homeserver, of(user, { password: user.password.normalize('NFC') })),
        await logIn(homeserver, of(user, { password: user.password.normalize('NFKC') })),
      ];
    },
  },
  {
    name: 'what a login answers',
    measured: ALL_200,
    run: async (homeserver) => [await logIn(homeserver, of(await homeserver.newUser()))],
  },
  {
    name: 'what GET /login answers',
    measured: ALL_200,
    run: async (homeserver) => [await homeserver.call({ target: LOGIN })],
  },
];
