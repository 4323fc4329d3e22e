import { BadValue, isLoopback } from './values.ts';

/**
 * The URL of a PostgreSQL database. The folder of its socket may stand in `?host=`, nothing else behind the name.
 *
 * @throws BadValue
 */
export function parsePostgresUrl(value: string | undefined): string {
  if (value === undefined) throw new BadValue('must be given for storage.type postgres');
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !['postgres:', 'postgresql:'].includes(url.protocol)) {
    throw new BadValue('must be a URL such as postgres://user@host:5432/database');
  }
  const [unknown] = [...url.searchParams.keys()].filter((name) => name !== 'host');
  if (unknown !== undefined)
    throw new BadValue(`must not hold ${unknown}: only host, for the folder of a socket`);
  if (!/^\/[^/]+$/.test(url.pathname) || url.username === '' || url.hash !== '') {
    throw new BadValue('must name a user and a database: postgres://user@host:5432/database');
  }
  return value;
}

/** As it is typed on a command line, which all users of the machine can read. @throws BadValue */
export function typedPostgresUrl(value: string): string {
  const url = parsePostgresUrl(value);
  if (new URL(url).password === '') return url;
  throw new BadValue('must not hold the password, which others could read here: set storage.password_file');
}

export function withoutPassword(postgresUrl: string): string {
  const url = new URL(postgresUrl);
  if (url.password === '') return postgresUrl;
  url.password = '';
  return url.href;
}

/** Whether what goes to this database stays on this machine: by a socket, or by loopback. */
export function isOnThisMachine(postgresUrl: string): boolean {
  const { hostname, searchParams } = new URL(postgresUrl);
  return (
    isLoopback(searchParams.get('host') ?? hostname) || searchParams.get('host')?.startsWith('/') === true
  );
}
