import fc from 'fast-check';
import type { Json } from '../../src/matrix/wire.ts';

/** JSON as text has it: keys may repeat, and a leaf may be anything. */
type Tree =
  | { readonly kind: 'object'; readonly entries: readonly (readonly [key: string, value: Tree])[] }
  | { readonly kind: 'array'; readonly items: readonly Tree[] }
  | { readonly kind: 'text'; readonly text: string };

/** What stands in a text for something that only the running world knows. */
export const PLACES = {
  code: '%CODE%',
  loginSession: '%LOGIN%',
  bobsSession: '%BOBS%',
  alicesSession: '%ALICES%',
  loginToken: '%LOGINTOKEN%',
} as const;

const TEXTS = [
  ...[
    '',
    'bob',
    '@bob:localhost',
    '@BOB:localhost',
    'BOB ',
    '@carol:localhost',
    'alice',
    '@bob:evil',
    'b\u212aob',
  ],
  ...[
    'correct horse',
    'correct horse 000000',
    'correct horse000000',
    'battery staple',
    'paper clip',
    '000000',
    '１２３４５６',
  ],
  ...[
    'm.login.password',
    'm.login.token',
    'm.login.dummy',
    'm.login.application_service',
    'm.login.sso',
    'm.oauth',
  ],
  ...[
    'm.login.2fa.totp',
    'm.login.2fa.recovery',
    'M.LOGIN.PASSWORD',
    'org.matrix.login.jwt',
    'm.login.email.identity',
  ],
  ...['m.id.user', 'm.id.thirdparty', 'm.id.phone', 'email', 'bob@example.org', 'OLDPHONE', 'CAROLSPHONE'],
  ...[
    '\u0000',
    '\ud800',
    '\ufeff',
    'é',
    'a'.repeat(300),
    'a'.repeat(80),
    'm2fa_',
    'm2fa_aaaaaaaaaaaaaaaaaaaaaaaaaaa',
  ],
  ...['AAAA-AAAA-AAAA', '__proto__', 'constructor', ...Object.values(PLACES)],
];

const WEIRD = [
  ...[
    'null',
    'true',
    'false',
    '0',
    '-0',
    '-1',
    '1.5',
    '1e400',
    '1e2',
    '9007199254740993',
    '123456',
    '[]',
    '{}',
    '[[]]',
  ],
  ...[
    '[null]',
    '{"":null}',
    '{"__proto__":{"type":"m.login.password"}}',
    '["OLDPHONE"]',
    '["CAROLSPHONE",1]',
    '[{}]',
  ],
  ...[
    '"\\ud800"',
    '"\\u0000"',
    '"\\uD83D\\uDE00"',
    'NaN',
    'undefined',
    "'x'",
    '01',
    '"\u0001"',
    '{"a":1,"a":2}',
    '{"a"}',
  ],
  ...['{"type":"m.id.user","user":"@bob:localhost"}', '{"type":"m.id.user","user":"carol"}'],
  ...[
    '{"type":"m.id.thirdparty","medium":"email","address":"bob@example.org"}',
    '{"type":"m.id.user","user":"bob","user":"alice"}',
  ],
  ...['{"type":"m.login.password","identifier":{"type":"m.id.user","user":"carol"},"password":"paper clip"}'],
  ...[
    '{"type":"m.login.password","user":"bob","password":"correct horse"}',
    '{"type":"m.login.dummy"}',
    '{"session":"x"}',
  ],
  ...['{"length":1,"0":"OLDPHONE"}', '{"toString":1}', '{"constructor":{"prototype":{"admin":true}}}'],
  ...TEXTS.map((text) => JSON.stringify(text)),
];

const KEYS = [
  ...[
    'type',
    'identifier',
    'user',
    'password',
    'token',
    'medium',
    'address',
    'auth',
    'session',
    'device_id',
    'devices',
  ],
  ...[
    'new_password',
    'logout_devices',
    'erase',
    'refresh_token',
    'inhibit_login',
    'username',
    'initial_device_display_name',
  ],
  ...[
    'setup_id',
    'authenticator_id',
    'name',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'access_token',
  ],
  ...[
    'user_id',
    'kind',
    'number',
    'phone',
    'country',
    'response',
    'threepid_creds',
    'client_secret',
    'sid',
    '',
    '$ref',
  ],
];

const deep = fc
  .tuple(fc.constantFrom(1, 10, 63, 64, 65, 1000, 15_000), fc.constantFrom(['[', ']'], ['{"a":', '}']))
  .map(([depth, [open, close]]) => `${open?.repeat(depth)}${open === '[' ? '' : '1'}${close?.repeat(depth)}`);

const value = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...WEIRD) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }).map((text) => JSON.stringify(text)) },
  { weight: 1, arbitrary: deep },
  { weight: 1, arbitrary: fc.json({ maxDepth: 3 }) },
);

const change = fc.record({
  kind: fc.constantFrom(
    'set',
    'set',
    'insert',
    'insert',
    'repeat',
    'precede',
    'twin',
    'rename',
    'remove',
    'wrap',
    'escape',
  ),
  place: fc.double({ min: 0, max: 0.999, noNaN: true }),
  key: fc.constantFrom(...KEYS),
  value,
  twin: fc.nat({ max: 3 }),
});

type Change = typeof change extends fc.Arbitrary<infer Of> ? Of : never;

/** What is done to the whole text at last. */
const CORRUPTIONS: readonly ((text: string) => Buffer)[] = [
  ...Array<(text: string) => Buffer>(14).fill((text) => Buffer.from(text)),
  (text) => Buffer.from(`\ufeff${text}`),
  (text) => Buffer.from(`${text}x`),
  (text) => Buffer.from(`${text}${text}`),
  (text) => Buffer.from(text.slice(0, text.length / 2)),
  (text) => Buffer.from(text, 'utf16le'),
  (text) =>
    Buffer.concat([Buffer.from(text.slice(0, -2)), Buffer.from([0xff, 0xc0]), Buffer.from(text.slice(-2))]),
  (text) => Buffer.from(`${text}${' '.repeat(70_000)}`),
  (text) => Buffer.from(`[${text}]`),
  (text) => Buffer.from(`&access_token=x&${text}`),
  (text) => Buffer.from(text.replaceAll(',', ',\n\t ')),
  () => Buffer.alloc(0),
];

export interface MutatedBody {
  /** The places of PLACES are still to be filled in. */
  readonly corrupt: (text: string) => Buffer;
  readonly text: string;
}

/** Bodies made from `bodies` by small changes of their structure, and now and then of their bytes. */
export function mutated(body: Json): fc.Arbitrary<MutatedBody> {
  return fc
    .tuple(fc.array(change, { maxLength: 4 }), fc.nat({ max: CORRUPTIONS.length - 1 }))
    .map(([changes, corruption]) => ({
      text: textOf(changes.reduce<Tree>((tree, next) => changed(tree, next), treeOf(body))),
      corrupt: CORRUPTIONS[corruption] as (text: string) => Buffer,
    }));
}

function treeOf(json: Json): Tree {
  if (Array.isArray(json)) return { kind: 'array', items: json.map(treeOf) };
  if (typeof json !== 'object' || json === null) return { kind: 'text', text: JSON.stringify(json) };
  const entries = Object.entries(json).map(
    ([key, inner]) => [JSON.stringify(key), treeOf(inner ?? null)] as const,
  );
  return { kind: 'object', entries };
}

function textOf(tree: Tree): string {
  if (tree.kind === 'text') return tree.text;
  if (tree.kind === 'array') return `[${tree.items.map(textOf).join(',')}]`;
  return `{${tree.entries.map(([key, inner]) => `${key}:${textOf(inner)}`).join(',')}}`;
}

/** Goes down at random from the top, and changes one entry of the object where it ends. */
function changed(tree: Tree, what: Change): Tree {
  if (tree.kind !== 'object') return { kind: 'text', text: what.value };
  const at = Math.floor(what.place * tree.entries.length);
  const entry = tree.entries[at];
  const further = what.place * tree.entries.length - at;
  if (entry !== undefined && entry[1].kind === 'object' && further > 0.3) {
    return withEntry(tree.entries, at, [
      [entry[0], changed(entry[1], { ...what, place: (further - 0.3) / 0.7 })],
    ]);
  }
  return withEntry(tree.entries, at, replacement(entry, what));
}

function replacement(entry: readonly [string, Tree] | undefined, what: Change): (readonly [string, Tree])[] {
  const weird: Tree = { kind: 'text', text: what.value };
  if (entry === undefined || what.kind === 'insert') {
    return [...(entry === undefined ? [] : [entry]), [JSON.stringify(what.key), weird]];
  }
  const [key, inner] = entry;
  switch (what.kind) {
    case 'repeat':
      return [entry, [key, weird]];
    case 'precede':
      return [[key, weird], entry];
    case 'twin':
      return [entry, [twinOf(key, what.twin), weird]];
    case 'rename':
      return [[twinOf(key, what.twin), inner]];
    case 'remove':
      return [];
    case 'wrap':
      return [
        [key, what.twin % 2 === 0 ? { kind: 'array', items: [inner] } : { kind: 'object', entries: [entry] }],
      ];
    case 'escape':
      return [[`"\\u00${key.charCodeAt(1).toString(16).padStart(2, '0')}${key.slice(2)}`, inner]];
    default:
      return [[key, weird]];
  }
}

/** Upper case, long s, Kelvin sign, a blank. */
function twinOf(key: string, which: number): string {
  if (which === 0) return key.toUpperCase();
  if (which === 1) return key.replaceAll('s', '\u017f');
  return which === 2 ? key.replaceAll('k', '\u212a') : `${key.slice(0, -1)} "`;
}

function withEntry(
  entries: readonly (readonly [string, Tree])[],
  at: number,
  instead: readonly (readonly [string, Tree])[],
): Tree {
  return { kind: 'object', entries: [...entries.slice(0, at), ...instead, ...entries.slice(at + 1)] };
}
