import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { HOUR, MINUTE, SECOND } from '../system/clock.ts';
import type { Grace, ListenAddress } from './config.ts';

/** A setting whose value cannot be used; the text goes after the name of the setting. */
export class BadValue extends Error {}

const UNITS: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR, d: 24 * HOUR };

/** The shortest and the longest duration that is taken, written as durations are. */
export interface DurationRange {
  readonly min?: string | number;
  readonly max?: string | number;
}

/**
 * A duration in milliseconds.
 *
 * @param value `30s`, `5m`, `2h`, `7d`, or seconds as a number
 * @throws BadValue outside of the range or in another form
 */
export function parseDuration(value: string | number, range: DurationRange): number {
  const milliseconds = millisecondsIn(value);
  const min = millisecondsIn(range.min ?? 0);
  const max = range.max === undefined ? Number.POSITIVE_INFINITY : millisecondsIn(range.max);
  if (milliseconds < min || milliseconds > max) {
    throw new BadValue(`must be between ${min / SECOND} and ${max / SECOND} seconds`);
  }
  return milliseconds;
}

function millisecondsIn(value: string | number): number {
  const written = /^(?<count>[0-9]+)(?<unit>[smhd]?)$/.exec(String(value))?.groups;
  if (written === undefined) throw new BadValue('must be a duration such as 30s, 5m, 2h, 7d or seconds');
  return Number(written.count) * (UNITS[written.unit || 's'] ?? SECOND);
}

const DATE_LENGTH = 'yyyy-mm-dd'.length;
const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;

/**
 * A duration, or a date: the moment at which it begins, UTC.
 *
 * @throws BadValue
 */
export function parseGrace(value: string | number): Grace {
  if (typeof value === 'number' || !value.includes('-')) {
    return { durationMs: parseDuration(value, { max: '3650d' }) };
  }
  const until = DATE.test(value) ? Date.parse(`${value}T00:00:00Z`) : Number.NaN;
  // The 30th of February is read as a day of March.
  if (Number.isNaN(until) || new Date(until).toISOString().slice(0, DATE_LENGTH) !== value) {
    throw new BadValue('must be a duration such as 30d, or a date such as 2027-03-31');
  }
  return { until };
}

/**
 * A `host:port` to listen on; IPv6 stands in brackets.
 *
 * @throws BadValue
 */
export function parseListen(value: string): ListenAddress {
  const written = /^(?:\[(?<six>[^\]]+)\]|(?<name>[^:[\]\s]+)):(?<port>[0-9]{1,5})$/.exec(value)?.groups;
  const host = written?.six ?? written?.name;
  const port = Number(written?.port);
  if (host === undefined || port > 65535) {
    throw new BadValue('must be host:port, such as 127.0.0.1:8010 or [::1]:8010');
  }
  if (written?.six !== undefined && isIP(host) !== 6) throw new BadValue(`[${host}] is not an IPv6 address`);
  return { host, port };
}

/** Whether `host` can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

/**
 * The origin of an `http:` or `https:` URL that holds nothing but an origin.
 *
 * @throws BadValue
 */
export function parseOrigin(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new BadValue('must be a URL that begins with https:// or http://');
  }
  if (url.username !== '' || url.password !== '') throw new BadValue('must not hold a user name or password');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new BadValue(`must end after the host, as in ${url.origin}`);
  }
  return url.origin;
}

/**
 * The origin of a URL that clients send passwords to: in the clear only where no one can listen.
 *
 * @throws BadValue
 */
export function parsePublicOrigin(value: string): string {
  const origin = parseOrigin(value);
  const { protocol, hostname } = new URL(origin);
  if (protocol === 'http:' && !isLoopback(hostname)) {
    throw new BadValue('must begin with https:// (http:// is for loopback addresses only)');
  }
  return origin;
}

/**
 * Schemes that are never a Matrix client, with a login token in the address: they run code, read files, begin a
 * message or a call, or lead to a server whose name people do not see.
 */
const FOREIGN_SCHEMES = new Set([
  ...['javascript:', 'data:', 'vbscript:', 'file:', 'blob:', 'about:', 'filesystem:', 'view-source:', 'jar:'],
  ...[
    'res:',
    'content:',
    'mailto:',
    'tel:',
    'sms:',
    'ftp:',
    'ftps:',
    'sftp:',
    'smb:',
    'nfs:',
    'dav:',
    'davs:',
  ],
  ...['ldap:', 'ldaps:', 'ws:', 'wss:', 'ssh:', 'telnet:', 'gopher:', 'search-ms:', 'search:'],
  // Android takes such an address apart into one that is nowhere to be seen.
  'intent:',
]);

/** Whether no client can have addresses of this scheme (with its colon); Windows keeps `ms-…:` for its own parts. */
export function isForeignScheme(scheme: string): boolean {
  return FOREIGN_SCHEMES.has(scheme) || scheme.startsWith('ms-');
}

/**
 * A client that needs no confirmation: an origin for `http:` and `https:`, else the scheme with its colon.
 *
 * @throws BadValue
 */
export function parseClient(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined) throw new BadValue('must be an origin (https://host) or a scheme (io.example.app:)');
  if (isForeignScheme(url.protocol)) throw new BadValue(`${url.protocol} is never a client`);
  return ['http:', 'https:'].includes(url.protocol) ? parseOrigin(value) : url.protocol;
}

/**
 * A colour as `#rrggbb`, in lower case.
 *
 * @throws BadValue
 */
export function parseColour(value: string): string {
  if (!/^#[0-9a-f]{6}$/i.test(value)) throw new BadValue('must be a colour such as #2463c2');
  return value.toLowerCase();
}

/**
 * An address that a page may lead to for help.
 *
 * @throws BadValue
 */
export function parseHelpUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !['https:', 'mailto:'].includes(url.protocol)) {
    throw new BadValue('must be a URL that begins with https:// or mailto:');
  }
  return url.href;
}

/**
 * The address of a page that people are led to.
 *
 * @throws BadValue
 */
export function parsePageUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol !== 'https:') throw new BadValue('must be a URL that begins with https://');
  return url.href;
}

/**
 * An address or a CIDR range, as it was written.
 *
 * @throws BadValue
 */
export function parseNetwork(value: string): string {
  const [address = '', prefix, ...rest] = value.split('/');
  const version = isIP(address);
  const bits = version === 6 ? 128 : 32;
  const prefixFits = prefix === undefined || (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= bits);
  if (version === 0 || !prefixFits || rest.length > 0) {
    throw new BadValue('must be an address or a range such as 10.0.0.0/8');
  }
  // Addresses are compared without a zone, and those of IPv4 as such.
  if (address.includes('%')) throw new BadValue('must not hold a zone: leave % and what follows out');
  if (/^(?:0{0,4}:){1,7}ffff:/i.test(address))
    throw new BadValue('must be written as IPv4, as in 10.0.0.0/8');
  return value;
}

/** @throws BadValue if it cannot be read */
export function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new BadValue(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
