import { readFileSync } from 'node:fs';
import { Option } from 'commander';
import type { Config } from '../config/config.ts';
import { HomeserverClient } from '../homeserver/homeserver_client.ts';
import type { JsonObject } from '../matrix/wire.ts';
import { silentLog } from '../system/log.ts';
import { CommandFailed } from './failures.ts';
import type { Surroundings } from './surroundings.ts';

const USERS = '/_synapse/admin/v2/users';
const A_PAGE = 500;
/** How many pages a homeserver may make of its users. */
const MOST_PAGES = 100_000;
const OURSELVES = { ip: '127.0.0.1', proto: 'http', host: undefined } as const;

export function adminTokenOption(): Option {
  return new Option(
    '--homeserver-admin-token-file <file>',
    'the access token of an administrator of Synapse: adds the users of its admin API that were not seen here',
  );
}

/**
 * The ids of the homeserver's users, sorted; none without a token.
 * @throws CommandFailed unless it is Synapse and takes the token
 */
export async function homeserverUsers(
  tokenFile: string | undefined,
  { homeserver: { url } }: Config,
  { random }: Surroundings,
): Promise<string[]> {
  if (tokenFile === undefined) return [];
  const token = readToken(tokenFile);
  const homeserver = new HomeserverClient({ url, random, log: silentLog });
  try {
    const names = new Set<string>();
    let from: string | undefined = '0';
    for (let page = 0; from !== undefined && page < MOST_PAGES; page += 1) {
      const path = `${USERS}?from=${encodeURIComponent(from)}&limit=${A_PAGE}&guests=false`;
      const { status, json } = await homeserver.call({ method: 'GET', path, token, client: OURSELVES });
      if (status !== 200 || json === undefined || !Array.isArray(json.users)) throw noList(url, status);
      for (const user of json.users) {
        const { name } = user as JsonObject;
        if (typeof name === 'string') names.add(name);
      }
      from = nextPage(json, from);
    }
    return [...names].toSorted();
  } finally {
    await homeserver.close();
  }
}

/** Undefined where this was the last page. */
function nextPage({ next_token: next }: JsonObject, from: string): string | undefined {
  const token = typeof next === 'string' || typeof next === 'number' ? String(next) : undefined;
  return token === from ? undefined : token;
}

function noList(url: string, status: number): CommandFailed {
  const why =
    status === 401 || status === 403
      ? 'the token is not that of an administrator'
      : 'only Synapse has such a list, at its admin API';
  return new CommandFailed(`${url} did not list its users (${status}): ${why}`);
}

function readToken(file: string): string {
  try {
    const token = readFileSync(file, 'utf8').trim();
    if (token !== '') return token;
  } catch (error) {
    throw new CommandFailed(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  throw new CommandFailed(`${file} is empty`);
}
