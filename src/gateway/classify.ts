import { findPath, firstLiterals, type PathEntry, type PathHit } from '../http/route_index.ts';
import { isKnownPrefix, PASSING_ROOTS, type Route, type RouteMethod } from '../http/routes.ts';
import { readings } from './target_readings.ts';

/** A request on a gated or own route. */
export interface RouteMatch {
  readonly kind: 'route';
  readonly route: Route;
  /** Decoded once. */
  readonly params: Readonly<Record<string, string>>;
  /** Canonical: parameters re-encoded. */
  readonly path: string;
  /** What stood behind the `?`, as it came. */
  readonly rawQuery: string;
}

/** Why a target is refused. */
export type RefusedTarget = 'bad_target' | 'unrecognized' | 'method_not_allowed';

/** What becomes of a request. */
export type Classification =
  | { readonly kind: 'pass' }
  | RouteMatch
  /** OPTIONS on a gated or own path: answered here, because a preflight must succeed without the homeserver. */
  | { readonly kind: 'preflight' }
  | { readonly kind: 'refuse'; readonly refusal: RefusedTarget };

const PASS: Classification = { kind: 'pass' };
const PREFLIGHT: Classification = { kind: 'preflight' };
const BAD_TARGET: Classification = { kind: 'refuse', refusal: 'bad_target' };
const UNRECOGNIZED: Classification = { kind: 'refuse', refusal: 'unrecognized' };
const METHOD_NOT_ALLOWED: Classification = { kind: 'refuse', refusal: 'method_not_allowed' };

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;
const QUESTION_MARK = 0x3f;

const CLIENT_ROOT = '/_matrix/client/';

/** Parts of `/_matrix/` that hold nothing gated. */
const UNGATED_ROOTS = ['/_matrix/media/', '/_matrix/federation/', '/_matrix/key/'];

/** A calm path whose first segment after the version begins no gated pattern passes at once. */
const GATED_LITERALS = firstLiterals();

/**
 * Decides by method and raw target alone (rules R3 and R4), without a URL parser, which would tidy up what has to be
 * judged. Paths written canonically are looked up in the table; whatever some server might read as a gated or
 * blocked path although it is written otherwise is refused; everything else passes, byte for byte.
 *
 * @param rawTarget the request target as it stood on the request line
 * @param hasOauth whether the paths of the OAuth 2.0 API are there
 */
export function classify(
  method: string,
  rawTarget: string,
  hasOauth: () => boolean = () => false,
): Classification {
  // An answer to it repeats the request with its token, and no part of Matrix uses it.
  if (method === 'TRACE') return METHOD_NOT_ALLOWED;
  const scan = scanTarget(rawTarget);
  if (scan === undefined) return BAD_TARGET;
  const path = scan.pathEnd === rawTarget.length ? rawTarget : rawTarget.slice(0, scan.pathEnd);
  if (scan.calm && isPlainlyUngated(path)) return PASS;

  const hit = findPath(path);
  if (hit !== undefined) {
    // Below /_matrix/ they are refused as the homeserver's own would be (R4); others are not there at all.
    const isHidden = hit.entry.oauth && !hasOauth();
    if (isHidden) return method === 'OPTIONS' && hit.entry.prefix !== '' ? PREFLIGHT : UNRECOGNIZED;
    const decision = decideHit(method, path, hit, rawTarget.slice(scan.pathEnd + 1));
    if (decision !== PASS) return decision;
  }
  const all = scan.plain ? [path] : readings(path);
  return all !== undefined && mayPass(path, all, hit?.entry) ? PASS : UNRECOGNIZED;
}

interface TargetScan {
  readonly pathEnd: number;
  /** Whether no reading of the path can leave its first segments: no dot segment, no odd escape. */
  readonly calm: boolean;
  /** Whether the path is written so plainly that there is only one way to read it. */
  readonly plain: boolean;
}

/**
 * One walk over the bytes: undefined if the target must be refused outright. That is: not beginning with exactly one
 * slash (absolute form, `*`, authority form), or holding `#`, `\` or a byte that is not visible ASCII (attack 102).
 */
function scanTarget(target: string): TargetScan | undefined {
  if (target.charCodeAt(0) !== SLASH || target.charCodeAt(1) === SLASH) return undefined;
  let pathEnd = -1;
  let calm = true;
  let plain = true;
  for (let at = 1; at < target.length; at++) {
    const byte = target.charCodeAt(at);
    if (byte <= 0x20 || byte >= 0x7f || byte === 0x23 || byte === 0x5c) return undefined;
    if (pathEnd !== -1) continue;
    if (byte === QUESTION_MARK) pathEnd = at;
    else if (byte === PERCENT) calm &&= isCalmEscape(target, at);
    else if (byte === DOT) calm &&= isCalmDot(target, at);
    plain &&=
      byte === QUESTION_MARK || isPlainByte(byte) || (byte === SLASH && target.charCodeAt(at - 1) !== SLASH);
  }
  if (pathEnd === -1) pathEnd = target.length;
  return { pathEnd, calm, plain: plain && calm && target.charCodeAt(pathEnd - 1) !== SLASH };
}

/** Lower-case letters, digits, `_`, `-` and `.`. */
function isPlainByte(byte: number): boolean {
  if ((byte >= 0x61 && byte <= 0x7a) || (byte >= 0x30 && byte <= 0x39)) return true;
  return byte === 0x5f || byte === 0x2d || byte === DOT;
}

/** Sound, and neither a dot nor a percent sign that could begin another escape. */
function isCalmEscape(target: string, at: number): boolean {
  const high = hexDigit(target.charCodeAt(at + 1));
  const low = hexDigit(target.charCodeAt(at + 2));
  if (high === -1 || low === -1) return false;
  const byte = high * 16 + low;
  return byte !== DOT && byte !== PERCENT;
}

/** Not at the beginning of a segment, nor behind an escape that may be a slash or vanish. */
function isCalmDot(target: string, at: number): boolean {
  return target.charCodeAt(at - 1) !== SLASH && target.charCodeAt(at - 3) !== PERCENT;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Whether a calm path begins with segments that are canonical and lead away from everything gated. */
function isPlainlyUngated(path: string): boolean {
  if (!path.startsWith(CLIENT_ROOT)) return UNGATED_ROOTS.some((root) => path.startsWith(root));
  const version = segmentAt(path, CLIENT_ROOT.length);
  if (!isKnownPrefix(version)) return false;
  const next = CLIENT_ROOT.length + version.length + 1;
  const first = segmentAt(path, next);
  if (!isUngatedLiteral(first)) return false;
  // Unstable endpoints may have their vendor's name in front: `unstable/org.matrix.msc3575/sync`.
  return version !== 'unstable' || isUngatedLiteral(segmentAt(path, next + first.length + 1));
}

function segmentAt(path: string, start: number): string {
  const end = path.indexOf('/', start);
  return path.slice(start, end === -1 ? path.length : end);
}

/** Written plainly, and not how a gated path begins. */
function isUngatedLiteral(segment: string): boolean {
  for (let at = 0; at < segment.length; at++) {
    if (!isPlainByte(segment.charCodeAt(at))) return false;
  }
  return (
    segment !== '' &&
    !GATED_LITERALS.has(segment) &&
    !segment.startsWith('delete_devices') &&
    !isVersionLike(segment)
  );
}

/** What the table says about a canonical path; PASS if it leaves this method to the homeserver. */
function decideHit(method: string, path: string, hit: PathHit, rawQuery: string): Classification {
  if (method === 'OPTIONS') return PREFLIGHT;
  const { entry } = hit;
  if (entry.blocked) return UNRECOGNIZED;
  const route = entry.routes[(method === 'HEAD' ? 'GET' : method) as RouteMethod];
  if (route !== undefined) return matchRoute(route, path, hit, rawQuery);
  return entry.othersPass ? PASS : METHOD_NOT_ALLOWED;
}

function matchRoute(route: Route, path: string, hit: PathHit, rawQuery: string): Classification {
  if (hit.rawParams.length === 0) return { kind: 'route', route, params: {}, path, rawQuery };
  const params: Record<string, string> = {};
  for (const [name, raw] of hit.rawParams) {
    const value = decodeOnce(raw);
    if (value === undefined || value === '' || value === '.' || value === '..') return UNRECOGNIZED;
    params[name] = value;
  }
  return { kind: 'route', route, params, path: canonicalPath(route, hit.entry.prefix, params), rawQuery };
}

function decodeOnce(raw: string): string | undefined {
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}

/** Paths with parameters have one template a row. */
function canonicalPath(route: Route, prefix: string, params: Readonly<Record<string, string>>): string {
  const template = route.paths.find((candidate) => candidate.includes('{')) ?? '';
  const root = template.startsWith('/') ? '' : `${CLIENT_ROOT}${prefix}/`;
  return (
    root + template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
  );
}

/**
 * Whether every reading of `path` stays inside what may pass and off everything gated.
 *
 * @param all the ways in which `path` may be read
 * @param own the entry that the path hits as it is written, if that leaves this method to the homeserver
 */
function mayPass(path: string, all: Iterable<string>, own: PathEntry | undefined): boolean {
  if (!isInsidePassingRoots(path)) return false;
  for (const reading of all) {
    if (!isInsidePassingRoots(reading)) return false;
    const hit = findPath(reading) ?? findUnderUnknownVersion(reading);
    if (hit !== undefined && hit.entry !== own) return false;
  }
  return true;
}

function isInsidePassingRoots(path: string): boolean {
  return PASSING_ROOTS.some((root) => path.startsWith(root));
}

/**
 * A gated path under a version that we do not know (attack 11): `v4/login`, `login`, `r0/unstable/login`,
 * `unstable/org.example/login`.
 */
function findUnderUnknownVersion(path: string): PathHit | undefined {
  if (!path.startsWith(CLIENT_ROOT)) return undefined;
  const first = segmentAt(path, CLIENT_ROOT.length);
  const behindFirst = CLIENT_ROOT.length + first.length + 1;
  const second = segmentAt(path, behindFirst);
  if (!isKnownPrefix(first)) {
    const hit = findUnderVersion(path, CLIENT_ROOT.length) ?? findUnderVersion(path, behindFirst);
    if (hit !== undefined) return hit;
  }
  const isTwofold = first === 'unstable' || (isVersionLike(first) && isVersionLike(second));
  return isTwofold ? findUnderVersion(path, behindFirst + second.length + 1) : undefined;
}

/** What the table says about what stands in `path` from `start` on, under a version. */
function findUnderVersion(path: string, start: number): PathHit | undefined {
  return findPath(`${CLIENT_ROOT}v3/${path.slice(start)}`);
}

function isVersionLike(segment: string): boolean {
  return segment === 'unstable' || segment === 'api' || /^[rv][0-9][0-9.]*$/.test(segment);
}
