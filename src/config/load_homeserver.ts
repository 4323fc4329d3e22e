import { type Stats, statSync } from 'node:fs';
import { isJsonObject, type Json } from '../matrix/wire.ts';
import { codeOf } from '../system/file_rights.ts';
import { parseRegistration } from './application_services.ts';
import type { Config, ListenAddress, OwnRegistration } from './config.ts';
import type { Settings } from './settings.ts';
import type { ConfigSource, SettingPath } from './source.ts';
import { BadValue, isLoopback, parseOrigin } from './values.ts';

/** A group may have been given to `serve` and the homeserver for it. */
const OTHERS = 0o007;
/** Who listens there is at loopback, too. */
const LOOPBACK_TOO: readonly string[] = ['0.0.0.0', '::', 'localhost'];
/** What a header can carry. */
const TOKEN = /^[\x21-\x7e]+$/;

interface HomeserverReader {
  readonly source: ConfigSource;
  /** Runs `read`; a value that it refuses becomes a `ConfigError` that names the setting. */
  at<T>(path: SettingPath, read: () => T): T;
  absolute(path: string): string;
  /** Where we listen. */
  readonly listen: ListenAddress;
}

/** The homeserver, and our registration there. @throws ConfigError */
export function homeserverFrom(
  { url, appservice: { file } }: Settings['homeserver'],
  { source, at, absolute, listen }: HomeserverReader,
): Config['homeserver'] {
  const { homeserver } = source.settings;
  const isNamed = isJsonObject(homeserver) && isJsonObject(homeserver.appservice);
  return {
    url: at(['homeserver', 'url'], () => originElsewhere(url, listen)),
    appservice: at(['homeserver', 'appservice', 'file'], () => {
      if (file !== undefined) return readOwnRegistration(absolute(file));
      if (isNamed) throw new BadValue('must be given');
      return undefined;
    }),
  };
}

/** One request to ourselves would go round until no connection is left. */
function originElsewhere(written: string, listen: ListenAddress): string {
  const origin = parseOrigin(written);
  const { protocol, hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[|\]$/g, '');
  const isHere = host === listen.host || (isLoopback(host) && LOOPBACK_TOO.includes(listen.host));
  if (protocol === 'http:' && isHere && Number(port || 80) === listen.port) {
    throw new BadValue('is where this proxy listens (listen), not the homeserver');
  }
  return origin;
}

/**
 * Reads the registration of this proxy (application service API, "Registration").
 *
 * @param file absolute path
 * @throws BadValue if it cannot be read, others can, or it is not what `init` writes; the text holds no token
 */
function readOwnRegistration(file: string): OwnRegistration {
  const { mode } = lookAt(file);
  if ((mode & OTHERS) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(4, '0');
    throw new BadValue(`${file} is open to other users (mode ${octal}): chmod 600 ${file}`);
  }
  const registration = parseRegistration(file) as Json;
  if (!isJsonObject(registration)) throw new BadValue(`${file} is not a registration file`);
  const { as_token: asToken, namespaces } = registration;
  if (typeof asToken !== 'string' || !TOKEN.test(asToken)) throw new BadValue(`${file} has no as_token`);
  if (isExclusive(namespaces)) {
    throw new BadValue(`${file} has exclusive: true, which keeps users out: set it to false`);
  }
  return { file, asToken };
}

function lookAt(file: string): Stats {
  try {
    return statSync(file);
  } catch (error) {
    throw new BadValue(`${file} cannot be read (${codeOf(error)})`);
  }
}

function isExclusive(namespaces: Json | undefined): boolean {
  const users = isJsonObject(namespaces) ? namespaces.users : undefined;
  return Array.isArray(users) && users.some((each) => isJsonObject(each) && each.exclusive === true);
}
