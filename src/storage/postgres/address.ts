import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import type { PoolConfig } from 'pg';
import { whyNot } from '../../system/file_rights.ts';
import { CannotOpen } from '../errors.ts';

/** Where a PostgreSQL database is, and how to get in. */
export interface PostgresAddress {
  /** `postgres://user:password@host:port/database`; `?host=/run/postgresql` names the folder of a socket. */
  readonly url: string;
  /** A file with the password, read for each connection: it can be changed while we run. */
  readonly passwordFile?: string | undefined;
  /** `verify-full`: only with a trusted certificate for that host; `require`: encrypted, with any certificate. */
  readonly tls: 'verify-full' | 'require' | 'disable';
  /** The certificates that sign the server's; without it those of Node. */
  readonly caFile?: string | undefined;
  /** How many connections at most. */
  readonly pool: number;
}

export function poolConfig({ url, passwordFile, tls, caFile, pool }: PostgresAddress): PoolConfig {
  const { username, password, hostname, port, pathname, searchParams } = new URL(url);
  const file = passwordFile;
  return {
    host: searchParams.get('host') ?? hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 5432 : Number(port),
    user: decodeURIComponent(username),
    password: file === undefined ? decodeURIComponent(password) : () => readFileSync(file, 'utf8').trimEnd(),
    database: decodeURIComponent(pathname.slice(1)),
    ssl: tls === 'disable' ? false : { rejectUnauthorized: tls === 'verify-full', ...certificates(caFile) },
    max: pool,
  };
}

function certificates(caFile: string | undefined) {
  return caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') };
}

/** @throws CannotOpen if a file that is named beside the address cannot be read */
export function requireFiles({ passwordFile, caFile }: PostgresAddress): void {
  for (const file of [passwordFile, caFile]) {
    if (file === undefined) continue;
    try {
      accessSync(file, constants.R_OK);
    } catch (error) {
      throw new CannotOpen(file, whyNot(error, statSync(file, { throwIfNoEntry: false })), error);
    }
  }
}

/** Where it is, for people: without the password. */
export function postgresName({ url }: Pick<PostgresAddress, 'url'>): string {
  const { username, host, pathname, searchParams } = new URL(url);
  return `postgres://${username}@${searchParams.get('host') ?? host}${pathname}`;
}
