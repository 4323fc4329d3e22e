/**
 * better-auth with its two-factor plugin, doing the same: many users, each signed in with a password and waiting
 * for a code. `tsx better_auth_totp_server.ts FOLDER USERS MODULES`, where MODULES is a folder in which
 * better-auth was installed. Its database commits as ours does (WAL, synchronous=FULL).
 */
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { codeNow } from '../../test/support/enrolment.ts';
import { decodeBase32 } from './base32.ts';
import type { ListedRequest } from './request_list.ts';

/** As much of better-auth as is used here; it is not one of our dependencies. */
interface Auth {
  handler(request: Request): Promise<Response>;
}

interface Modules {
  readonly betterAuth: (options: Record<string, unknown>) => Auth;
  readonly twoFactor: (options: Record<string, unknown>) => unknown;
  readonly getMigrations: (options: unknown) => Promise<{ runMigrations: () => Promise<void> }>;
  readonly toNodeHandler: (auth: Auth) => RequestListener;
}

const ORIGIN = 'http://localhost:3000';

async function main(folder: string, users: number, modules: string): Promise<void> {
  const { betterAuth, twoFactor, getMigrations, toNodeHandler } = await load(modules);
  const database = openDatabase(join(folder, 'better-auth.db'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  const options = {
    database,
    baseURL: ORIGIN,
    secret: 'a secret for a bench that holds no real data at all',
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    // Passwords are not what is measured here.
    emailAndPassword: {
      enabled: true,
      password: {
        hash: async (password: string) => password,
        verify: async ({ hash, password }: { hash: string; password: string }) => hash === password,
      },
    },
    plugins: [twoFactor({ issuer: 'bench', skipVerificationOnEnable: true })],
  };
  await (await getMigrations(options)).runMigrations();
  const auth = betterAuth(options);
  const waiting: Waiting[] = [];
  for (let index = 0; index < users; index++) waiting.push(await signInUpToCode(auth, index));
  writeFileSync(join(folder, 'requests.json'), JSON.stringify(waiting.map(requestOf)));
  const server = createServer(toNodeHandler(auth));
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
  });
}

async function load(modules: string): Promise<Modules> {
  const from = (file: string) =>
    import(pathToFileURL(join(modules, 'node_modules/better-auth/dist', file)).href);
  const [main, plugin, migration, node] = await Promise.all([
    from('index.mjs'),
    from('plugins/two-factor/index.mjs'),
    from('db/get-migration.mjs'),
    from('integrations/node.mjs'),
  ]);
  return {
    betterAuth: main.betterAuth,
    twoFactor: plugin.twoFactor,
    getMigrations: migration.getMigrations,
    toNodeHandler: node.toNodeHandler,
  };
}

interface Waiting {
  readonly cookie: string;
  readonly secret: string;
}

async function signInUpToCode(auth: Auth, index: number): Promise<Waiting> {
  const email = `user${index}@example.org`;
  const password = 'a long password';
  const signUp = await ask(auth, '/api/auth/sign-up/email', { email, password, name: 'user' });
  const enabled = await ask(auth, '/api/auth/two-factor/enable', { password }, cookiesOf(signUp));
  const { totpURI } = (await enabled.json()) as { totpURI: string };
  const signIn = await ask(auth, '/api/auth/sign-in/email', { email, password });
  return { cookie: cookiesOf(signIn), secret: new URL(totpURI).searchParams.get('secret') ?? '' };
}

/** Made when all wait: a code is soon too old. */
function requestOf({ cookie, secret }: Waiting): ListedRequest {
  return {
    method: 'POST',
    path: '/api/auth/two-factor/verify-totp',
    headers: { Cookie: cookie, 'Content-Type': 'application/json', Origin: ORIGIN },
    body: JSON.stringify({ code: codeNow(decodeBase32(secret)) }),
    status: 200,
    contains: '"token"',
  };
}

function ask(auth: Auth, path: string, body: unknown, cookie = ''): Promise<Response> {
  return auth.handler(
    new Request(ORIGIN + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Origin: ORIGIN, Cookie: cookie },
      body: JSON.stringify(body),
    }),
  );
}

function cookiesOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.slice(0, cookie.indexOf(';')))
    .join('; ');
}

void main(process.argv[2] ?? '', Number(process.argv[3]), process.argv[4] ?? '');
