/**
 * A release: the package as npm packs it, its SBOM and the digests of both, in the folder `release/`. It is made from a
 * copy of the commit, so that nothing that only this checkout has gets into it, and the same commit gives the same bytes.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The checkout is not one that a release can be made from. */
export class ReleaseRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ReleaseRefused';
  }
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
}

/** The parts of the SBOM that differ from run to run. */
interface Bom {
  serialNumber?: string;
  readonly metadata: { readonly timestamp: string };
}

/**
 * Makes the release of the checkout in `folder` and answers the names of its files.
 *
 * @throws ReleaseRefused for a dirty checkout, where CHANGELOG.md, package.json and `--version` differ, and where the
 *   release is not kept in test/releases/
 */
export function release(folder: string): string[] {
  requireClean(folder);
  const manifest: Manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  requireNewest(folder, manifest.version);
  requireKept(folder, manifest.version);
  const scratch = mkdtempSync(join(tmpdir(), 'release-'));
  try {
    const copy = join(scratch, manifest.name); // npm takes the name in the SBOM from the folder
    copyCommit(folder, copy);
    build(folder, copy);
    requireSaid(copy, manifest);
    return write(join(folder, 'release'), copy, manifest, commitTime(folder));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function requireClean(folder: string): void {
  const changes = run('git', ['status', '--porcelain'], folder).trimEnd();
  if (changes !== '') throw new ReleaseRefused(`there are changes that are not committed:\n${changes}`);
}

function requireNewest(folder: string, version: string): void {
  const [, newest = 'missing'] =
    /^## \[(\d[^\]]*)\]/m.exec(readFileSync(join(folder, 'CHANGELOG.md'), 'utf8')) ?? [];
  if (newest === version) return;
  throw new ReleaseRefused(
    `package.json has version ${version}, but the newest one in CHANGELOG.md is ${newest}`,
  );
}

/** The tests of the next release upgrade from this one. */
function requireKept(folder: string, version: string): void {
  const kept = `test/releases/${version}`;
  if (existsSync(join(folder, kept))) return;
  throw new ReleaseRefused(`there is no ${kept}: make it (CONTRIBUTING.md, "A release")`);
}

function requireSaid(copy: string, { version, bin }: Manifest): void {
  const [program = ''] = Object.values(bin);
  const said = run(process.execPath, [program, '--version'], copy).trim();
  if (said !== version) {
    throw new ReleaseRefused(`package.json has version ${version}, but --version says ${said}`);
  }
}

/** ISO 8601 in UTC. */
function commitTime(folder: string): string {
  return new Date(run('git', ['log', '-1', '--format=%cI'], folder).trim()).toISOString();
}

/** The files as git has them: not those that are ignored, and with no user's or machine's rights. */
function copyCommit(folder: string, copy: string): void {
  mkdirSync(copy);
  const tar = join(copy, 'commit.tar');
  run('git', ['archive', '--output', tar, 'HEAD'], folder);
  run('tar', ['xf', tar, '--no-same-owner'], copy);
  rmSync(tar);
  copyFileSync(join(copy, 'package-lock.json'), join(copy, 'npm-shrinkwrap.json'));
}

/** Builds the copy with what is installed in the checkout. */
function build(folder: string, copy: string): void {
  const installed = resolve(folder, 'node_modules');
  const linked = join(copy, 'node_modules');
  if (existsSync(installed)) symlinkSync(installed, linked);
  run('npm', ['run', '--silent', 'build'], copy);
  equalRights(copy);
}

/** npm packs the rights of files, which depend on who made them. */
function equalRights(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) continue;
    if (entry.isDirectory()) equalRights(path);
    else chmodSync(path, (statSync(path).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}

function write(into: string, copy: string, { name, version }: Manifest, time: string): string[] {
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into);
  const [tarball, sbom] = [`${name}-${version}.tgz`, `${name}-${version}.cdx.json`];
  run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', into], copy);
  writeFileSync(join(into, sbom), bomOf(copy, time));
  const digests = [tarball, sbom].map((file) => `${digest(join(into, file))}  ${file}\n`);
  writeFileSync(join(into, 'SHA256SUMS'), digests.join(''));
  return [tarball, sbom, 'SHA256SUMS'];
}

/** Without the random number and the time of day that npm writes. */
function bomOf(copy: string, timestamp: string): string {
  const words = ['sbom', '--omit', 'dev', '--package-lock-only', '--sbom-format', 'cyclonedx'];
  const { serialNumber: _, ...bom }: Bom = JSON.parse(run('npm', words, copy));
  return `${JSON.stringify({ ...bom, metadata: { ...bom.metadata, timestamp } }, null, 2)}\n`;
}

function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function run(program: string, words: readonly string[], cwd: string): string {
  return execFileSync(program, words, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}
