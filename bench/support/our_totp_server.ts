/**
 * The whole application with many enrolled users, each with an open session, as a process that can be pinned to
 * a core: `tsx our_totp_server.ts FOLDER USERS [HOMESERVER [POSTGRES_URL]]`. Writes the requests that send each user's code
 * to FOLDER/requests.json and prints its port. Judging a code asks no homeserver: it is for what is passed on.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TOTP_STAGE } from '../../src/factors/totp/totp_words.ts';
import { PASSWORD_STAGE } from '../../src/matrix/wire.ts';
import { hashToken } from '../../src/second_factor/fresh_logins.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { systemClock } from '../../src/system/clock.ts';
import { systemRandom } from '../../src/system/random.ts';
import { UiaEngine } from '../../src/uia/engine.ts';
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

const NOWHERE = 'http://127.0.0.1:1';
const PATH = '/_matrix/client/v3/delete_devices';

async function main([folder = '', users, homeserver = NOWHERE, postgres]: readonly string[]): Promise<void> {
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
  const enrolled = await inTurns(Number(users), atOnce, (index) =>
    enrolWithSession(proxy.storage, vault, index),
  );
  const url = await proxy.listen();
  writeFileSync(join(folder, 'requests.json'), JSON.stringify(enrolled.map(requestOf)));
  process.stdout.write(`${new URL(url).port}\n`);
}

function onPostgres(url: string): string {
  return `{ type: postgres, url: "${url}", tls: disable }`;
}

interface EnrolledWithSession {
  readonly seed: Buffer;
  readonly token: string;
  readonly session: string;
}

async function enrolWithSession(storage: Storage, vault: Vault, index: number): Promise<EnrolledWithSession> {
  const userId = `@user${index}:localhost`;
  const token = `token_${index}`;
  const seed = await enrolThroughStore(storage, vault, userId, hashToken(token));
  const engine = new UiaEngine(
    { store: storage.sessions, vault, clock: systemClock, random: systemRandom },
    { lifetimeMs: 600_000, maxSessions: Number.MAX_SAFE_INTEGER, failureLimit: 5 },
  );
  const session = await engine.open(
    { target: `POST ${PATH}`, userId, tokenHash: hashToken(token) },
    { flows: [[TOTP_STAGE, PASSWORD_STAGE]], body: { devices: ['ABC'] } },
  );
  return { seed, token, session: session.id };
}

/** Made when all are enrolled: a code is soon too old. */
function requestOf({ seed, token, session }: EnrolledWithSession): ListedRequest {
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
