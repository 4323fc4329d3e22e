import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type SynapseServer, startSynapse } from '../../tools/synapse/server.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { codeNow } from '../support/enrolment.ts';
import { call, type HttpAnswer, type HttpCall } from '../support/http.ts';
import { signedIn, turnOn } from '../support/real_app.ts';
import { realSynapseEnvironment } from '../support/real_synapse.ts';
import { until } from '../support/until.ts';
import { commandsUnder, FreshMachine, type Said } from './fresh_machine.ts';
import { hasWebServer } from './web_server.ts';

const PAGE = 'docs/install.md';
/** What an installation may take. */
const MOST_MB = 70;
const INSTALLED = 'opt/matrix-2fa-proxy/node_modules';
const LIBRARY = Number.parseInt(process.versions.node, 10) >= 22 ? 'better-sqlite3-13' : 'better-sqlite3';
const PASSWORD = 'correct horse battery staple';
const HOST = { host: 'matrix.example.org' };

const environment = await realSynapseEnvironment();
const suite = environment !== undefined && hasWebServer('nginx') ? describe : describe.skip;

/** A copy of this checkout as if it were committed, for `npm run release`. */
function copyCheckout(folder: string): void {
  const listed = execFileSync('git', ['ls-files', '-coz', '--exclude-standard'], { encoding: 'utf8' });
  for (const file of listed.split('\0').filter((name) => name !== '' && existsSync(name))) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    copyFileSync(file, join(folder, file));
  }
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
}

function installProduction(machine: FreshMachine): Promise<Said> {
  const folder = machine.file('production');
  mkdirSync(join(folder, 'src'), { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) copyFileSync(file, join(folder, file));
  // Scripts are off (they would compile SQLite), but for the project's own.
  return machine.run(`cd ${folder} && npm ci --omit=dev && npm run --silent prepare`);
}

function megabytes(folder: string): number {
  return Number.parseInt(execFileSync('du', ['-sm', folder], { encoding: 'utf8' }), 10);
}

suite('the commands of docs/install.md, from the package to a sign-in with a code', () => {
  let machine: FreshMachine;
  let synapse: SynapseServer;
  let checkout: string;
  /** `npm ci` in a folder of its own, which waits for the registry while the package is made. */
  let production: Promise<Said>;

  beforeAll(async () => {
    if (environment === undefined) throw new Error('there is no Synapse');
    machine = await FreshMachine.make();
    const [directory, port] = [machine.file('synapse'), machine.ports.homeserver];
    production = installProduction(machine);
    const started = startSynapse({ environment, directory, port });
    checkout = machine.file('checkout');
    copyCheckout(checkout);
    commit(checkout);
    synapse = await started;
  });
  afterAll(async () => {
    await synapse.stop();
    await machine.stop();
  });

  /** As printed, and well ended. */
  async function walk(heading: string, block = 0): Promise<string> {
    const said = await machine.run(commandsUnder(PAGE, heading)[block]);
    expect(said).toMatchObject({ code: 0 });
    return said.out;
  }

  const isReady = async () => (await ask({ target: '/_2fa/ready' }).catch(() => undefined))?.status === 200;
  const untilReady = () => until(isReady, () => readFileSync(machine.file('run/serve.log'), 'utf8'));

  function ask(what: HttpCall): Promise<HttpAnswer> {
    return call(machine.url, { ...what, headers: HOST });
  }

  test('npm run release makes the package', async () => {
    expect(await machine.run(`cd ${checkout} && npm run --silent release`)).toMatchObject({ code: 0 });
    cpSync(join(checkout, 'release'), machine.file('release'), { recursive: true });
  });

  test('npm ci --omit=dev in a checkout ends well without TypeScript', async () => {
    expect(await production).toMatchObject({ code: 0 });
    const folder = machine.file('production');
    expect(existsSync(join(folder, 'node_modules/typescript'))).toBe(false);
    expect(existsSync(join(folder, 'dist'))).toBe(false);
    expect(megabytes(folder)).toBeLessThanOrEqual(MOST_MB);
  });

  test('the package is installed', async () => {
    await walk('The package');
    expect(existsSync(machine.file(`${INSTALLED}/typescript`))).toBe(false);
  });

  test('the user, the folders and the service, with systemd and without', async () => {
    await walk('User, folders and service', 0);
    await walk('User, folders and service', 1);
  });

  test('a database library that is missing is exit 2 and one line', async () => {
    await walk('Configuration and keys');
    const library = machine.file(`${INSTALLED}/${LIBRARY}`);
    renameSync(library, `${library}.away`);
    const said = await machine.run(commandsUnder(PAGE, 'Start')[1]);
    expect(said).toMatchObject({ code: 2, out: '' });
    expect(said.err.trim().split('\n')).toEqual([expect.stringContaining('"npm rebuild better-sqlite3"')]);
    renameSync(`${library}.away`, library);
    cpSync(join('node_modules', LIBRARY), library, {
      recursive: true,
      filter: (path) => !/\/obj(?:\.target)?(?:\/|$)/.test(path),
    });
    expect(megabytes(machine.file('opt'))).toBeLessThanOrEqual(MOST_MB);
  });

  test('the service, the certificate and the web server', async () => {
    await walk('Start', 0);
    await walk('3. The web server', 0);
    await walk('3. The web server', 1);
    await untilReady();
  });

  test('what it looks like from outside', async () => {
    const said = await walk('4. Look at it from outside', 0);
    expect(said).toMatch(/^"org\.matrix\.2fa":true\n\{.*\}404\n$/);
    const codes = (await walk('4. Look at it from outside', 1)).trim().split('\n');
    expect(codes.length).toBeGreaterThan(9);
    expect(new Set(codes)).toEqual(new Set(['404']));
  });

  test('a sign-in takes a code from then on', async () => {
    const userId = await synapse.registerUser('alice', PASSWORD);
    const signIn = await ask({ target: LOGIN, json: passwordLogin('alice', PASSWORD) });
    const alice = { name: 'alice', userId, password: PASSWORD, ...signedIn(signIn) };
    const { seed } = await turnOn(alice, Date.now(), (target, json, token) => ask({ target, json, token }));

    const [printed = ''] = commandsUnder(PAGE, '5. The first sign-in with a code');
    const code = codeNow(seed, 1);
    const said = await machine.run(printed.replaceAll('PASSWORD', PASSWORD).replaceAll('123456', code));
    expect(said).toMatchObject({ code: 0 });
    const [challenged, granted] = said.out.split(/(?<=\})(?=\{)/).map((text) => JSON.parse(text));
    expect(challenged).toMatchObject({ session: expect.any(String), flows: expect.any(Array) });
    expect(granted).toMatchObject({ user_id: userId, access_token: expect.any(String) });
  });

  test('it starts without systemd as well', async () => {
    await machine.end('serve');
    machine.start(commandsUnder(PAGE, 'Start')[1]);
    await untilReady();
  });
});

/** With the version of package.json in CHANGELOG.md and in test/releases/, as on the day of a release. */
function commit(folder: string): void {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = join(folder, 'CHANGELOG.md');
  const changelog = readFileSync(file, 'utf8');
  if (!changelog.includes(`## [${version}]`)) {
    writeFileSync(file, changelog.replace('## [Unreleased]\n', `## [Unreleased]\n\n## [${version}]\n`));
  }
  const kept = join(folder, 'test/releases', version);
  mkdirSync(kept, { recursive: true });
  writeFileSync(join(kept, 'release.json'), '{}');
  const git = (...words: string[]) => execFileSync('git', words, { cwd: folder, stdio: 'ignore' });
  git('init', '--quiet');
  appendFileSync(join(folder, '.git/info/exclude'), 'node_modules\n');
  git('add', '.');
  git('-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '--quiet', '--message', 'all');
}
