import fc from 'fast-check';

const CLIENT_PREFIXES = ['r0', 'v1', 'v3', 'unstable', 'api/v1', 'v4', 'unstable/org.matrix.msc3882'];

const CLOSED_SUFFIXES = [
  ...['login', 'register', 'refresh', 'logout', 'logout/all', 'login/get_token', 'login/token'],
  ...['delete_devices', 'devices/ABCDEF', 'account/password', 'account/deactivate', 'account/3pid'],
  ...['account/3pid/add', 'account/3pid/delete', 'account/3pid/unbind', 'keys/device_signing/upload'],
  ...['login/sso/redirect', 'login/sso/redirect/idp', 'auth_metadata', 'auth_issuer'],
];

const CLOSED_ROOTS = [
  '/_synapse/admin/v1/users/@bob:localhost/login',
  '/_synapse/mas/x',
  '/_dendrite/admin/resetPassword/@bob:localhost',
  '/_tuwunel/oidc/native',
  '/_tuwunel/oidc/token',
  '/_continuwuity/account/login',
];

/** What may stand in front, so that a path climbs down from a place that may pass. */
const OPEN_BEGINNINGS = [
  '/_matrix/client/v3/rooms/!r:hs/state/t/',
  '/_matrix/media/v3/download/hs/',
  '/_matrix/federation/v1/',
  '/_matrix/key/',
  '/_synapse/client/',
  '/.well-known/matrix/',
  '/_matrix/client/v3/sync/',
  '/_matrix/client/unstable/org.matrix.msc3575/',
];

const CLIMBS = [
  '..',
  '%2e%2e',
  '.%2e',
  '%2E.',
  '%252e%252e',
  '..;',
  '..;x=1',
  '..%2f',
  '%2e%2e%2f',
  '..%5c',
  '..\\',
];

const DIRT = [
  ...[
    '/',
    '//',
    '/./',
    '/.',
    '/..',
    '/x/..',
    '/x/../',
    '.',
    '..',
    '%2f',
    '%2F',
    '%252f',
    '%5c',
    '\\',
    '%255c',
  ],
  ...[';', ';x', ';x=/../', '%3b', '%3Bx', '#', '#x', '%23', '%23x', '%2523', '?', '%3f', '%3fx', '%253f'],
  ...[
    '%00',
    '%0a',
    '%0d%0a',
    '%09',
    '%20',
    '%20x',
    '%a0',
    '%c2%a0',
    '%e2%80%8b',
    '%7f',
    '%85',
    '%ff',
    '%c0%af',
  ],
  ...[
    '%c0%ae',
    '%e0%80%af',
    '%u002f',
    '%',
    '%2',
    '%zz',
    '%25',
    '%25252e',
    '+',
    '*',
    '~',
    '|',
    '"',
    '<',
    '{',
    '^',
  ],
  ...[
    'FOO',
    '\t',
    ' ',
    '\x00',
    '\x7f',
    '\x80',
    'é',
    '/x',
    '/login',
    '@',
    ':',
    '&',
    '=',
    '$',
    '!',
    "'",
    '(',
    ',',
  ],
];

const TWINS: Readonly<Record<string, readonly string[]>> = {
  s: ['%c5%bf', '\u017f', '%ef%bd%93'],
  k: ['%e2%84%aa', '\u212a', '%ef%bd%8b'],
  i: ['%c4%b0', '%c4%b1', '%e2%85%b0'],
  '/': ['%ef%bc%8f', '%e2%88%95', '%2f', '//', '/./', '\\', '%5c'],
  '.': ['%ef%bc%8e', '%e2%80%a4', '%2e'],
  _: ['%5f', '%ef%bc%bf'],
  3: ['%33', '%c2%b3', '%ef%bc%93'],
};

/** A small change to a target at a place given as a fraction of its length. */
type Change = (target: string, place: number) => string;

const CHANGES: readonly Change[] = [
  rewriting((char) => char.toUpperCase()),
  rewriting((char) => char.toUpperCase()),
  rewriting((char) => escaped(char, '%')),
  rewriting((char) => escaped(char, '%').toUpperCase()),
  rewriting((char) => escaped(char, '%25')),
  rewriting((char) => escaped(char, '%2525')),
  rewriting((char) => `%u00${hex(char)}`),
  rewriting(() => ''),
  ...[0, 1, 2].map((which) => rewriting((char) => TWINS[char.toLowerCase()]?.[which] ?? char)),
  (target) => `${target}${target}`,
  (target) => `/${target}`,
  (target) => target.slice(1),
  (target) => target.toUpperCase(),
  (target) => [...target].map((char) => (char === '/' ? char : escaped(char, '%'))).join(''),
  (target) => `http://evil.example${target}`,
  (target) => `HTTP:${target}`,
  (target) => `x://u:p@h${target}`,
  (target, place) => `${target}?access_token=x&a=${place}`,
  (target) => `${target}?/../x`,
  ...DIRT.flatMap((dirt): Change[] => [
    (target) => target + dirt,
    (target, place) => insertedAt(target, placeIn(target, place), dirt),
    (target, place) => insertedAt(target, slashFrom(target, place), dirt),
    (target, place) => insertedAt(target, slashFrom(target, place) + 1, dirt),
  ]),
];

const places = fc.double({ min: 0, max: 0.999, noNaN: true });

const closedPath = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom(...CLIENT_PREFIXES), fc.constantFrom(...CLOSED_SUFFIXES))
      .map(underClient),
  },
  { weight: 1, arbitrary: fc.constantFrom(...CLOSED_ROOTS) },
);

/** From an open place up and down again into a closed one. */
const climbedPath = fc
  .tuple(
    fc.constantFrom(...OPEN_BEGINNINGS),
    fc.array(fc.constantFrom(...CLIMBS), { minLength: 1, maxLength: 9 }),
    closedPath,
    fc.boolean(),
  )
  .map(([open, climbs, closed, isEscaped]) => {
    const rest = `${climbs.join('/')}${closed}`;
    return open + (isEscaped ? rest.replaceAll('/', '%2f') : rest);
  });

const changes = fc.array(fc.tuple(fc.constantFrom(...CHANGES), places), { maxLength: 4 });

/** Targets that try to look like something else than what they lead to. */
export const disguisedTarget = fc
  .tuple(fc.oneof({ weight: 4, arbitrary: closedPath }, { weight: 1, arbitrary: climbedPath }), changes)
  .map(([path, made]) => made.reduce((target, [change, place]) => change(target, place), path));

export const method = fc.constantFrom('POST', 'POST', 'POST', 'DELETE', 'GET', 'HEAD', 'PUT');

/** What a client may put into a path parameter of an ordinary request: no slashes, no dot segments. */
const parameter = fc
  .oneof(
    fc.stringMatching(/^[!@#$+][A-Za-z0-9._=-]{1,20}:[a-z0-9.-]{1,12}$/),
    fc.stringMatching(/^[A-Za-z0-9._~=-]{1,30}$/),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
  )
  .filter((text) => text.isWellFormed() && !/^[\s.]|[/\\;?#%\p{Cc}\p{Z}]/u.test(text.replace(/^#/, '')))
  .map(encodeURIComponent);

/** Ordinary traffic, which must pass. */
export const ordinaryTarget = fc.oneof(
  fc
    .tuple(parameter, parameter, parameter)
    .map(([room, type, key]) => `/_matrix/client/v3/rooms/${room}/state/${type}/${key}`),
  fc
    .tuple(parameter, parameter)
    .map(([room, txn]) => `/_matrix/client/r0/rooms/${room}/send/m.room.message/${txn}?user_id=${txn}`),
  fc
    .tuple(parameter, parameter)
    .map(([user, room]) => `/_matrix/client/v3/user/${user}/rooms/${room}/account_data/m.tag`),
  parameter.map((alias) => `/_matrix/client/v3/directory/room/${alias}`),
  parameter.map((user) => `/_matrix/client/v3/profile/${user}/displayname`),
  fc
    .tuple(parameter, parameter)
    .map(([server, media]) => `/_matrix/client/v1/media/download/${server}/${media}`),
  parameter.map((since) => `/_matrix/client/v3/sync?since=${since}&filter=%7B%22a%22%3A%22%2Flogin%22%7D`),
);

function underClient([prefix, suffix]: [string, string]): string {
  return `/_matrix/client/${prefix}/${suffix}`;
}

function rewriting(rewrite: (char: string) => string): Change {
  return (target, place) => {
    const at = placeIn(target, place);
    return target.slice(0, at) + rewrite(target[at] ?? '') + target.slice(at + 1);
  };
}

function placeIn(target: string, place: number): number {
  return 1 + Math.floor(place * Math.max(0, target.length - 1));
}

function slashFrom(target: string, place: number): number {
  const at = target.indexOf('/', placeIn(target, place));
  return at === -1 ? target.length : at;
}

function insertedAt(target: string, at: number, text: string): string {
  return target.slice(0, at) + text + target.slice(at);
}

function hex(char: string): string {
  return char.charCodeAt(0).toString(16).padStart(2, '0').slice(-2);
}

function escaped(char: string, sign: string): string {
  return char === '' ? '' : `${sign}${hex(char)}`;
}
