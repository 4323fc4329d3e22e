import { BLOCKED, isOauthPath, mountedPaths, ROUTES, type Route, type RouteMethod } from './routes.ts';

/** What the table says about one path, all methods together. */
export interface PathEntry {
  readonly blocked: boolean;
  readonly othersPass: boolean;
  readonly prefix: string;
  /** Whether the path belongs to the OAuth 2.0 API, which may be shut. */
  readonly oauth: boolean;
  readonly routes: Partial<Record<RouteMethod, Route>>;
}

/** A path found in the table. */
export interface PathHit {
  readonly entry: PathEntry;
  /** Parameters as they stand in the path, not decoded. */
  readonly rawParams: readonly (readonly [name: string, raw: string])[];
}

interface Pattern {
  readonly segments: readonly string[];
  readonly entry: PathEntry;
}

/** The route table as an index by path, built once. */
const literal = new Map<string, PathEntry>();
const patterns: Pattern[] = [];
const refusedBeginnings: string[] = [];
let longestPattern = 0;

const REFUSED: PathEntry = { blocked: true, othersPass: false, prefix: '', oauth: false, routes: {} };

fillIndex();

/** What the table says about `path` as it is written; undefined if nothing. */
export function findPath(path: string): PathHit | undefined {
  const entry = literal.get(path);
  if (entry !== undefined) return { entry, rawParams: [] };
  // A path with more segments than any pattern has fits none.
  const segments = path.split('/', longestPattern + 1);
  for (const pattern of patterns) {
    const rawParams = matchSegments(pattern.segments, segments);
    if (rawParams !== undefined) return { entry: pattern.entry, rawParams };
  }
  const refused = refusedBeginnings.some((beginning) => path.startsWith(beginning));
  return refused ? { entry: REFUSED, rawParams: [] } : undefined;
}

/** The route of a target in its canonical form, e.g. `POST /_matrix/client/v3/delete_devices?x=1`. */
export function findRoute(target: string): Route | undefined {
  const [method = '', pathAndQuery = ''] = target.split(' ');
  const [path = ''] = pathAndQuery.split('?');
  return findPath(path)?.entry.routes[method as RouteMethod];
}

/** The first literal segment after the version of every gated, own or blocked path. */
export function firstLiterals(): Set<string> {
  return new Set(
    [...ROUTES, ...BLOCKED]
      .flatMap((row) => row.paths)
      .filter((path) => !path.startsWith('/'))
      .map((path) => path.split('/')[0] as string),
  );
}

function fillIndex(): void {
  for (const row of ROUTES) addRoute(row);
  for (const row of BLOCKED) {
    for (const { path } of mountedPaths(row)) {
      if (path.endsWith('/')) refusedBeginnings.push(path);
      else literal.set(path, REFUSED);
    }
  }
}

function addRoute(row: Route): void {
  for (const { path, prefix } of mountedPaths(row)) {
    const entry = entryAt(path);
    const merged: PathEntry = {
      blocked: false,
      othersPass: entry?.othersPass === true || row.othersPass === true,
      prefix,
      oauth: isOauthPath(path),
      routes: { ...entry?.routes, [row.method]: row },
    };
    putEntry(path, merged);
    if (row.prefixMatch) refusedBeginnings.push(path);
  }
}

function entryAt(path: string): PathEntry | undefined {
  return literal.get(path) ?? patterns.find(({ segments }) => segments.join('/') === path)?.entry;
}

function putEntry(path: string, entry: PathEntry): void {
  if (!path.includes('{')) {
    literal.set(path, entry);
    return;
  }
  const known = patterns.findIndex(({ segments }) => segments.join('/') === path);
  const pattern = { segments: path.split('/'), entry };
  longestPattern = Math.max(longestPattern, pattern.segments.length);
  if (known === -1) patterns.push(pattern);
  else patterns[known] = pattern;
}

/** The parameters if `segments` fit the pattern; an empty parameter fits too, for the caller to refuse. */
function matchSegments(
  pattern: readonly string[],
  segments: readonly string[],
): (readonly [string, string])[] | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: [string, string][] = [];
  for (let at = 0; at < pattern.length; at++) {
    const expected = pattern[at] as string;
    const found = segments[at] as string;
    const open = expected.indexOf('{');
    if (open === -1 ? expected !== found : !found.startsWith(expected.slice(0, open))) return undefined;
    if (open !== -1) params.push([expected.slice(open + 1, -1), found.slice(open)]);
  }
  return params;
}
