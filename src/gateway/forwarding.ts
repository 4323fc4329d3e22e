import type { ClientAddress } from '../http/client_request.ts';

/** What is done with a header of a request on its way to the homeserver. */
type Verdict = 'keep' | 'drop' | 'host' | 'content-length' | 'transfer-encoding' | 'connection';

/** Meant for the next hop only (RFC 9110 section 7.6.1), or answered by us (`Expect`). */
const HOP_BY_HOP = [
  ...[
    'keep-alive',
    'proxy-authenticate',
    'proxy-authorization',
    'proxy-connection',
    'te',
    'trailer',
    'upgrade',
  ],
  ...['http2-settings', 'expect'],
];

/**
 * What clients could lie with about who or what they are asking for: forwarding headers that some homeserver or
 * server in front of one believes, and headers that change method or target (attacks 10 and 74).
 */
const CLIENT_CLAIMS = [
  ...[
    'forwarded',
    'x-real-ip',
    'x-client-ip',
    'x-cluster-client-ip',
    'x-original-forwarded-for',
    'client-ip',
  ],
  ...['cf-connecting-ip', 'cf-connecting-ipv6', 'cf-pseudo-ipv4', 'true-client-ip', 'fly-client-ip'],
  ...['fastly-client-ip', 'x-appengine-user-ip', 'x-azure-clientip', 'x-envoy-external-address'],
  ...['cloudfront-viewer-address', 'x-http-method', 'x-http-method-override', 'x-method-override'],
  ...['x-original-url', 'x-rewrite-url'],
];

const DROPPED: ReadonlySet<string> = new Set([...HOP_BY_HOP, ...CLIENT_CLAIMS]);

/** A `Connection` header cannot have these removed: a request must not lose its token on the way (attack 23). */
const END_TO_END: ReadonlySet<string> = new Set([
  ...[
    'authorization',
    'host',
    'cookie',
    'origin',
    'accept',
    'user-agent',
    'range',
    'if-range',
    'if-none-match',
  ],
  ...['if-match', 'if-modified-since', 'cache-control', 'content-type', 'content-length', 'content-encoding'],
]);

/** Names are remembered as they are written, so that a busy name costs one look-up; no long ones (attack 124). */
const REMEMBERED_NAMES = 2048;
const LONGEST_REMEMBERED = 64;
const requestVerdicts = new Map<string, Verdict>();

const RESPONSE_HOP_BY_HOP: ReadonlySet<string> = new Set([
  ...[
    'connection',
    'keep-alive',
    'proxy-authenticate',
    'proxy-connection',
    'trailer',
    'transfer-encoding',
    'upgrade',
  ],
]);
const keptFromResponses = new Map<string, boolean>();

/** A request's headers as they go upstream. */
export interface UpstreamHeaders {
  /** Names and values in turn. */
  readonly headers: string[];
  /** Whether the request has a body, by its framing (RFC 9112 section 6.3). */
  readonly hasBody: boolean;
  /** Undefined if it does not say how long its body is. */
  readonly bodyBytes: number | undefined;
}

/**
 * The headers that a passed-through request has at the homeserver: the client's own, without those meant for us
 * alone and without claims about the client, plus exactly one `X-Forwarded-For` and one `X-Forwarded-Proto`.
 *
 * @param rawHeaders names and values in turn, as Node gives them
 */
export function upstreamHeaders(rawHeaders: readonly string[], client: ClientAddress): UpstreamHeaders {
  const headers: string[] = [];
  let hasBody = false;
  let bodyBytes: number | undefined;
  let nominated: ReadonlySet<string> | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    const value = rawHeaders[at + 1] as string;
    const verdict = requestVerdicts.get(name) ?? judgeRequestHeader(name);
    if (verdict === 'keep') headers.push(name, value);
    else if (verdict === 'content-length') {
      headers.push(name, value);
      bodyBytes = Number(value);
      hasBody ||= bodyBytes > 0;
    } else if (verdict === 'transfer-encoding') hasBody = true;
    else if (verdict === 'connection') nominated = nominatedHeaders(value, nominated);
  }
  const kept = nominated === undefined ? headers : withoutNominated(headers, nominated);
  if (client.host !== undefined) kept.push('Host', client.host);
  kept.push('X-Forwarded-For', client.ip, 'X-Forwarded-Proto', client.proto);
  return { headers: kept, hasBody, bodyBytes };
}

/**
 * The headers of a homeserver's answer as they go to the client: without those meant for us alone.
 *
 * @param rawHeaders names and values in turn, as undici gives them
 */
export function downstreamHeaders(rawHeaders: readonly (Buffer | string)[]): string[] {
  const headers: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = asText(rawHeaders[at] as Buffer | string);
    if (keptFromResponses.get(name) ?? judgeResponseHeader(name)) {
      headers.push(name, asText(rawHeaders[at + 1] as Buffer | string));
    }
  }
  return headers;
}

function judgeRequestHeader(rawName: string): Verdict {
  const verdict = verdictOn(rawName.toLowerCase());
  remember(requestVerdicts, rawName, verdict);
  return verdict;
}

function verdictOn(name: string): Verdict {
  if (name === 'host' || name === 'content-length' || name === 'transfer-encoding' || name === 'connection') {
    return name;
  }
  // Some servers read `X_Forwarded_For` as `X-Forwarded-For`.
  const dashed = name.replaceAll('_', '-');
  return DROPPED.has(dashed) || dashed.startsWith('x-forwarded-') ? 'drop' : 'keep';
}

function judgeResponseHeader(rawName: string): boolean {
  const kept = !RESPONSE_HOP_BY_HOP.has(rawName.toLowerCase());
  remember(keptFromResponses, rawName, kept);
  return kept;
}

function remember<T>(remembered: Map<string, T>, name: string, judged: T): void {
  if (name.length > LONGEST_REMEMBERED) return;
  if (remembered.size >= REMEMBERED_NAMES) remembered.clear();
  remembered.set(name, judged);
}

function nominatedHeaders(
  value: string,
  before: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined {
  if (value === 'keep-alive' || value === 'close') return before;
  const names = value.split(',').map((name) => name.trim().toLowerCase());
  return new Set([...(before ?? []), ...names.filter((name) => !END_TO_END.has(name))]);
}

function withoutNominated(headers: readonly string[], nominated: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    if (!nominated.has(name.toLowerCase())) kept.push(name, headers[at + 1] as string);
  }
  return kept;
}

/** As Node takes trailers. */
export function inPairs(namesAndValues: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at < namesAndValues.length; at += 2) {
    pairs.push([namesAndValues[at] as string, namesAndValues[at + 1] as string]);
  }
  return pairs;
}

function asText(raw: Buffer | string): string {
  return typeof raw === 'string' ? raw : raw.toString('latin1');
}
