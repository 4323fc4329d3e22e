/**
 * How homeservers, and web servers before them, take a request target to a handler: written from what each of
 * them does and wider than any of them, without a look at the classifier. Whatever one of these takes to a
 * gated or blocked endpoint must not pass it by.
 */

/** An endpoint that must not be reached round the gate. */
interface ClosedEndpoint {
  readonly methods: readonly string[];
  /** Tried on a path without its query. */
  readonly pattern: RegExp;
}

/** Any version that a homeserver had, has or may have, and the names that unstable endpoints stand under. */
const VERSION = '(?:api/)?(?:r\\d+|v\\d+|unstable(?:/org\\.matrix\\.[a-z0-9_]+)?)';
const CLIENT = `^/_matrix/client/${VERSION}`;

const POSTED = [
  'login',
  'login/get_token',
  'login/token',
  'register',
  'refresh',
  'logout',
  'logout/all',
  'delete_devices',
  'account/password',
  'account/deactivate',
  'account/3pid',
  'account/3pid/add',
  'account/3pid/delete',
  'account/3pid/unbind',
  'keys/device_signing/upload',
];

const ANY_METHOD = ['GET', 'POST', 'PUT', 'DELETE'];

const CLOSED: readonly ClosedEndpoint[] = [
  { methods: ['POST'], pattern: new RegExp(`${CLIENT}/(?:${POSTED.join('|')})$`) },
  // Synapse 1.157 and before: the pattern has no end.
  { methods: ['POST'], pattern: new RegExp(`${CLIENT}/delete_devices`) },
  { methods: ['DELETE'], pattern: new RegExp(`${CLIENT}/devices/[^/]+$`) },
  { methods: ['GET'], pattern: new RegExp(`${CLIENT}/(?:login|login/sso/redirect(?:/[^/]+)?)$`) },
  { methods: ANY_METHOD, pattern: new RegExp(`${CLIENT}/(?:auth_metadata|auth_issuer)$`) },
  { methods: ANY_METHOD, pattern: /^\/_synapse\/(?:admin|mas)(?:\/|$)/ },
  { methods: ANY_METHOD, pattern: /^\/_dendrite(?:\/|$)/ },
  { methods: ANY_METHOD, pattern: /^\/_tuwunel\/oidc(?:\/|$)/ },
  { methods: ANY_METHOD, pattern: /^\/_continuwuity(?:\/|$)/ },
];

/** A router: the paths under which it looks for a handler. None: the target is refused. */
type Router = (target: string) => readonly string[];

/**
 * Twisted and Synapse: the query is cut at `?`; the tree of resources compares decoded segments, the
 * expressions at its leaves see the path as it came. `$` also matches before a line break at the end.
 */
const synapse: Router = (target) => {
  const path = before(target, '?');
  const raw = path.replace(/\n$/, '');
  return [raw, path.split('/').map(lenientlyDecoded).join('/').replace(/\n$/, '')];
};

/** Go: `net/url` refuses unsound escapes; a mux sees the decoded path cleaned, or the escaped one, cleaned or not. */
const go: Router = (target) => {
  const local = withoutOrigin(target, /^[a-z][a-z0-9+.-]*:(?:\/\/[^/?#]*)?/i);
  const escaped = before(local, '?');
  if (/%(?![0-9a-f]{2})/i.test(escaped)) return [];
  const decoded = lenientlyDecoded(escaped);
  return [escaped, cleaned(escaped), decoded, cleaned(decoded), ...bothSlashEnds(cleaned(escaped))];
};

/** hyper and axum: the target ends at `#`, the router sees the raw path, parameters alone are decoded. */
const axum: Router = (target) => {
  const local = withoutOrigin(target, /^(?:https?|wss?):\/\/[^/?#]*/i);
  const path = before(before(local, '#'), '?');
  return [path, ...bothSlashEnds(path), path.split('/').map(lenientlyDecoded).join('/')];
};

/** A web server that tidies up before it hands on: decodes once, merges slashes, resolves dots (nginx, HAProxy). */
const tidyServer: Router = (target) => {
  const path = lenientlyDecoded(before(before(target, '#'), '?'));
  const merged = path.replaceAll(/\/{2,}/g, '/');
  return [resolved(path), resolved(merged), ...bothSlashEnds(resolved(merged))];
};

/** A servlet container: `;parameters` of each segment fall away, before or after the dots are resolved. */
const servletContainer: Router = (target) => {
  const path = before(target, '?');
  const bare = path.replaceAll(/;[^/]*/g, '');
  const decodedFirst = lenientlyDecoded(path).replaceAll(/;[^/]*/g, '');
  return [bare, cleaned(bare), cleaned(lenientlyDecoded(bare)), cleaned(decodedFirst), before(path, ';')];
};

/** A server of another family: `\` is `/`, case is nothing, blanks and control bytes at the end fall away. */
const foldingServer: Router = (target) => {
  const path = lenientlyDecoded(before(target, '?')).replaceAll('\\', '/');
  const trimmed = path.replace(/[\s\0-\x20\x7f/]+$/, '');
  const cString = before(path, '\0');
  return [path, trimmed, cString, cleaned(path), cleaned(trimmed)].map((each) =>
    each.normalize('NFKC').toUpperCase().toLowerCase(),
  );
};

export const ROUTERS: Readonly<Record<string, Router>> = {
  synapse,
  go,
  axum,
  'a tidy server': tidyServer,
  'a tidy server twice': (target) => tidyServer(target).flatMap(tidyServer),
  'a tidy server before Go': (target) => tidyServer(target).flatMap(go),
  'a tidy server before axum': (target) => tidyServer(target).flatMap(axum),
  'a tidy server before Synapse': (target) => tidyServer(target).flatMap(synapse),
  'a servlet container': servletContainer,
  'a folding server': foldingServer,
  'a servlet container before a tidy server': (target) => servletContainer(target).flatMap(tidyServer),
};

/** The first router that takes a request to something closed, and to what; undefined if none does. */
export function routerToClosed(method: string, target: string): string | undefined {
  const asked = method === 'HEAD' ? 'GET' : method;
  for (const [name, router] of Object.entries(ROUTERS)) {
    const path = router(target).find((candidate) => isClosed(asked, candidate));
    if (path !== undefined) return `${name} takes ${method} ${target} to ${path}`;
  }
  return undefined;
}

function isClosed(method: string, path: string): boolean {
  return CLOSED.some(({ methods, pattern }) => methods.includes(method) && pattern.test(path));
}

function before(text: string, mark: string): string {
  const at = text.indexOf(mark);
  return at === -1 ? text : text.slice(0, at);
}

function withoutOrigin(target: string, scheme: RegExp): string {
  return target.startsWith('/') ? target : target.replace(scheme, '');
}

/** Each sound escape decoded, the others left; bytes that are no UTF-8 stay visible as U+FFFD. */
function lenientlyDecoded(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}

/** Go's `path.Clean`, with the slash at the end that its mux keeps. */
function cleaned(path: string): string {
  const tidy = resolved(path.replaceAll(/\/{2,}/g, '/'));
  return tidy.length > 1 && tidy.endsWith('/') ? tidy.slice(0, -1) : tidy;
}

function resolved(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}`;
}

function bothSlashEnds(path: string): string[] {
  return [path, path.replace(/\/+$/, '')];
}
