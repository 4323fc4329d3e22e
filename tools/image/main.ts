/**
 * `npm run image-check`: builds deploy/docker/Dockerfile as root, without a container engine and without its base image,
 * and tries what came of it. It takes buildah, mmdebstrap, and the package that `npm run release` made; a few minutes.
 */
import { execFileSync, type StdioOptions } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const BASE = 'localhost/base';
const IMAGE = 'localhost/matrix-2fa-proxy';
const PROGRAM = '/app/node_modules/matrix-2fa-proxy/dist/cli/main.js';
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
/** Long enough to open its database. */
const SERVED_S = 10;
/** Of Debian. */
const SUITE = 'bookworm';

interface Image {
  readonly Docker: { readonly config: { readonly User: string; readonly Healthcheck?: object } };
}

const scratch = mkdtempSync(join(tmpdir(), 'image-'));
try {
  if (!existsSync('release')) throw new Error('there is no package: npm run release');
  makeBase();
  const build = [
    '--isolation',
    'chroot',
    '--pull-never',
    '--format',
    'docker',
    '--build-arg',
    `BASE=${BASE}`,
  ];
  buildah('bud', ...build, '--file', 'deploy/docker/Dockerfile', '--tag', IMAGE, 'release');
  look();
  process.stdout.write(`The image is built and starts: ${tryOut()}\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** What stands for the official image: Debian, Node 24 and npm. */
function makeBase(): void {
  const root = join(scratch, 'root');
  run('mmdebstrap', '--variant=minbase', '--include=ca-certificates,libatomic1', SUITE, root);
  const node = join(scratch, 'node');
  run('npm', 'install', '--prefix', node, '--no-save', '--no-audit', '--no-fund', 'node@24');
  const into = join(root, 'usr/local');
  mkdirSync(join(into, 'lib/node_modules'), { recursive: true });
  run('cp', join(node, 'node_modules/node/bin/node'), join(into, 'bin/node'));
  run('cp', '-r', npmOfThisMachine(), join(into, 'lib/node_modules/npm'));
  run('ln', '-s', '../lib/node_modules/npm/bin/npm-cli.js', join(into, 'bin/npm'));
  const container = buildah('from', 'scratch');
  // A machine behind a proxy that opens TLS knows its certificate.
  const certificates = process.env.NODE_EXTRA_CA_CERTS;
  if (certificates !== undefined) {
    run('cp', certificates, join(root, CERTIFICATES));
    buildah('config', '--env', `NODE_EXTRA_CA_CERTS=${CERTIFICATES}`, container);
  }
  buildah('add', '--quiet', container, root, '/');
  buildah('commit', '--quiet', container, BASE);
}

function npmOfThisMachine(): string {
  return dirname(dirname(realpathSync(run('which', 'npm'))));
}

function look(): void {
  const { Docker }: Image = JSON.parse(buildah('inspect', '--type', 'image', IMAGE));
  if (Docker.config.User !== '65532:65532') throw new Error(`it runs as ${Docker.config.User}`);
  if (Docker.config.Healthcheck === undefined) throw new Error('it has no health check');
}

/** Its version, after it has written keys, and has served until SIGTERM, as the user that it runs as. */
function tryOut(): string {
  const container = buildah('from', '--pull-never', IMAGE);
  const run = ['run', '--isolation', 'chroot', '--env', 'MATRIX_2FA_LISTEN=127.0.0.1:0', container, '--'];
  const program = (...words: string[]) => buildah(...run, 'node', PROGRAM, ...words);
  program('init', '--yes', '--dir', '/keys', '--homeserver', 'http://127.0.0.1:9');
  const serve = ['node', PROGRAM, 'serve', '--config', '/keys/config.yaml'];
  buildah(...run, 'timeout', '--preserve-status', '--signal=TERM', `${SERVED_S}`, ...serve);
  const version = program('--version');
  buildah('rm', container);
  return version;
}

function buildah(...words: string[]): string {
  const places = [
    '--storage-driver',
    'vfs',
    '--root',
    join(scratch, 'store'),
    '--runroot',
    join(scratch, 'run'),
  ];
  return run('buildah', ...places, ...words);
}

function run(program: string, ...words: string[]): string {
  process.stdout.write(`${program} ${words.join(' ')}\n`);
  const stdio: StdioOptions = ['ignore', 'pipe', 'inherit'];
  return execFileSync(program, words, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, stdio }).trim();
}
