/**
 * The whole application with many enrolled users, each with an open session, as a process that can be pinned to
 * a core: `tsx our_totp_server.ts FOLDER USERS HOMESERVER [POSTGRES_URL]`. Writes the requests that send each user's code
 * to FOLDER/requests.json and prints its port. The sessions are opened by requests, as a client does it: the homeserver is
 * asked then whether its own OAuth made the token, and no more when the code comes.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import { TOTP_STAGE } from '../../src/factors/totp/totp_words.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { systemClock } from '../../src/system/clock.ts';
import { systemRandom } from '../../src/system/random.ts';
import { hashToken } from '../../src/system/token_hash.ts';
import { createKeyFile, loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { codeNow } from '../../test/support/enrolment.ts';
import { importBuilt } from './built.ts';
import { enrolThroughStore } from './enrolled_users.ts';
import { inTurns } from './in_turns.ts';
import type { ListedRequest } from './request_list.ts';

const { loadConfig } = await importBuilt<typeof import('../../src/config/load.ts')>('config/load.js');
const { createProxy } = await importBuilt<typeof import('../../src/server/proxy.ts')>('server/proxy.js');

const PATH = '/_matrix/client/v3/delete_devices';
const OPENED_AT_ONCE = 16;

async function main([folder = '', users, homeserver, postgres]: readonly string[]): Promise<void> {
  const keys = join(folder, 'keys.json');
  const configFile = join(folder, 'config.yaml');
  createKeyFile(keys, systemRandom, systemClock);
  writeFileSync(
    configFile,
    [
      'listen: 127.0.0.1:0',
      `homeserver: { url: ${homeserver} }`,
      `storage: ${postgres === undefined ? '{ type: sqlite, path: 2fa.db }' : onPostgres(postgres)}`,
      'keys: { file: keys.json }',
      'limits: { per_address: { per_second: 1000000, burst_count: 1000000 } }',
    ].join('\n'),
  );
  const proxy = await createProxy(loadConfig(configFile, {}), {});
  const vault = new SealingVault(loadKeyRing(keys), systemRandom);
  // Many share a commit of SQLite; of PostgreSQL's connections there are ten.
  const atOnce = postgres === undefined ? 500 : 8;
  const enrolled = await inTurns(Number(users), atOnce, (index) => enrol(proxy.storage, vault, index));
  const url = await proxy.listen();
  const open = await inTurns(enrolled.length, OPENED_AT_ONCE, (index) => withSession(url, enrolled[index]));
  writeFileSync(join(folder, 'requests.json'), JSON.stringify(open.map(requestOf)));
  process.stdout.write(`${new URL(url).port}\n`);
}

function onPostgres(url: string): string {
  return `{ type: postgres, url: "${url}", tls: disable }`;
}

interface Enrolled {
  readonly seed: Buffer;
  readonly token: string;
}

interface WithSession extends Enrolled {
  readonly session: string;
}

async function enrol(storage: Storage, vault: Vault, index: number): Promise<Enrolled> {
  const token = `token_${index}`;
  return {
    token,
    seed: await enrolThroughStore(storage, vault, `@user${index}:localhost`, hashToken(token)),
  };
}

async function withSession(url: string, enrolled: Enrolled | undefined): Promise<WithSession> {
  if (enrolled === undefined) throw new Error('fewer were enrolled');
  const { statusCode, body } = await request(url + PATH, {
    method: 'POST',
    headers: { Authorization: `Bearer ${enrolled.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ devices: ['ABC'] }),
  });
  const text = await body.text();
  const { session } = JSON.parse(text) as { readonly session?: string };
  if (session === undefined) throw new Error(`no session was opened: ${statusCode} ${text}`);
  return { ...enrolled, session };
}

/** Made when all are enrolled: a code is soon too old. */
function requestOf({ seed, token, session }: WithSession): ListedRequest {
  return {
    method: 'POST',
    path: PATH,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ auth: { type: TOTP_STAGE, session, token: codeNow(seed) } }),
    status: 401,
    contains: `"completed":["${TOTP_STAGE}"]`,
  };
}

void main(process.argv.slice(2));
