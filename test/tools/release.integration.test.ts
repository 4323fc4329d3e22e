import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ReleaseRefused, release } from '../../tools/release/release.ts';

const PROGRAM = "console.log(require('../package.json').version);\n";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'release-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function git(...words: string[]): string {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
  return execFileSync('git', [...identity, ...words], { cwd: folder, encoding: 'utf8' });
}

function write(file: string, text: string): void {
  writeFileSync(join(folder, file), text);
}

/** A project as small as can be, whose build copies its one source. */
function smallProject(): void {
  const build = "fs.mkdirSync('dist', { recursive: true }); fs.copyFileSync('lib/main.js', 'dist/main.cjs')";
  const manifest = {
    name: 'small',
    version: '1.2.3',
    license: 'MIT',
    bin: { small: 'dist/main.cjs' },
    files: ['dist', 'npm-shrinkwrap.json', 'CHANGELOG.md'],
    scripts: { build: `node -e "${build}"` },
  };
  const lock = {
    name: 'small',
    version: '1.2.3',
    lockfileVersion: 3,
    requires: true,
    packages: { '': manifest },
  };
  mkdirSync(join(folder, 'lib'));
  write('package.json', JSON.stringify(manifest));
  write('package-lock.json', JSON.stringify(lock));
  write('lib/main.js', PROGRAM);
  write('CHANGELOG.md', '## [Unreleased]\n\n## [1.2.3] - 2026-01-01\n');
  write('.gitignore', 'dist/\nrelease/\n');
  mkdirSync(join(folder, 'test/releases', '1.2.3'), { recursive: true });
  write(join('test/releases', '1.2.3', 'release.json'), '{}');
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'all', '--date', '2026-01-02T03:04:05Z');
}

function written(): Record<string, string> {
  const into = join(folder, 'release');
  return Object.fromEntries(
    readdirSync(into).map((file) => [
      file,
      createHash('sha256')
        .update(readFileSync(join(into, file)))
        .digest('hex'),
    ]),
  );
}

function packed(): string[] {
  const tarball = join(folder, 'release/small-1.2.3.tgz');
  const listed = execFileSync('tar', ['tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
  return listed.map((path) => path.replace(/^package\//, '')).sort();
}

describe('a release', () => {
  beforeEach(smallProject);

  test('is the package, its SBOM and the digests of both', () => {
    expect(release(folder)).toEqual(['small-1.2.3.tgz', 'small-1.2.3.cdx.json', 'SHA256SUMS']);
    const first = written();
    const { SHA256SUMS: _, ...digests } = first;
    const lines = readFileSync(join(folder, 'release/SHA256SUMS'), 'utf8').trimEnd().split('\n');
    expect(lines.sort()).toEqual(
      Object.entries(digests)
        .map(([file, digest]) => `${digest}  ${file}`)
        .sort(),
    );
    expect(packed()).toEqual(['CHANGELOG.md', 'dist/main.cjs', 'npm-shrinkwrap.json', 'package.json']);
    const bom = JSON.parse(readFileSync(join(folder, 'release/small-1.2.3.cdx.json'), 'utf8'));
    const time = new Date(git('log', '-1', '--format=%cI').trim()).toISOString();
    expect(bom).not.toHaveProperty('serialNumber');
    expect(bom.metadata).toMatchObject({ timestamp: time, component: { name: 'small', version: '1.2.3' } });

    // By another user at another time.
    utimesSync(join(folder, 'CHANGELOG.md'), 1, 1);
    chmodSync(join(folder, 'CHANGELOG.md'), 0o600);
    mkdirSync(join(folder, 'dist'));
    write('dist/left_over.cjs', '');
    expect(release(folder)).toHaveLength(3);
    expect(written()).toEqual(first);
  });

  test('is refused while there are changes that are not committed', () => {
    write('lib/main.js', `${PROGRAM}// changed\n`);
    expect(() => release(folder)).toThrow(
      new ReleaseRefused('there are changes that are not committed:\n M lib/main.js'),
    );
  });

  test.each([
    ['## [Unreleased]\n', 'missing'],
    ['## [Unreleased]\n\n## [1.2.2] - 2026-01-01\n', '1.2.2'],
  ])('is refused where CHANGELOG.md has another version: %j', (changelog, newest) => {
    write('CHANGELOG.md', changelog);
    git('commit', '--quiet', '--all', '--message', 'changelog');
    expect(() => release(folder)).toThrow(
      new ReleaseRefused(`package.json has version 1.2.3, but the newest one in CHANGELOG.md is ${newest}`),
    );
  });

  test('is refused where test/releases/ does not keep it', () => {
    git('rm', '--quiet', '-r', 'test');
    git('commit', '--quiet', '--message', 'not kept');
    expect(() => release(folder)).toThrow(/no test\/releases\/1\.2\.3/);
  });

  test('is refused where the program says another version', () => {
    write('lib/main.js', "console.log('1.2.4');\n");
    git('commit', '--quiet', '--all', '--message', 'main');
    expect(() => release(folder)).toThrow(
      new ReleaseRefused('package.json has version 1.2.3, but --version says 1.2.4'),
    );
  });
});

test('prepare ends well where neither TypeScript nor sources are', () => {
  copyFileSync('package.json', join(folder, 'package.json'));
  const { status, stderr } = spawnSync('npm', ['run', 'prepare', '--silent'], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(readdirSync(folder)).toEqual(['package.json']);
});

test('prepare ends well in a checkout without TypeScript, and builds nothing', () => {
  copyFileSync('package.json', join(folder, 'package.json'));
  mkdirSync(join(folder, 'src'));
  mkdirSync(join(folder, 'node_modules'));
  const { status } = spawnSync('npm', ['run', 'prepare', '--silent'], { cwd: folder, encoding: 'utf8' });
  expect(status).toBe(0);
  expect(readdirSync(folder)).not.toContain('dist');
});

test('prepare fails where the build fails', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
  write('package.json', JSON.stringify({ ...manifest, scripts: { ...manifest.scripts, build: 'exit 7' } }));
  mkdirSync(join(folder, 'src'));
  mkdirSync(join(folder, 'node_modules/typescript'), { recursive: true });
  const { status } = spawnSync('npm', ['run', 'prepare', '--silent'], { cwd: folder, encoding: 'utf8' });
  expect(status).toBe(7);
});

test('the package holds what an operator needs, and neither sources nor tests', () => {
  const listed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--silent'], {
    encoding: 'utf8',
  });
  const files: string[] = JSON.parse(listed)[0].files.map(({ path }: { path: string }) => path);
  expect(files).toEqual(
    expect.arrayContaining([
      'config.sample.yaml',
      'deploy/systemd/matrix-2fa-proxy.service',
      'docs/install.md',
      'schemas/config.json',
      'spec/README.md',
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
    ]),
  );
  expect(
    files.filter((file) => /^(?:src|test|tools|bench|demo|node_modules)\/|\.test\.ts$/.test(file)),
  ).toEqual([]);
});

test('npm does not take it to a registry by accident', () => {
  expect(JSON.parse(readFileSync('package.json', 'utf8')).private).toBe(true);
});
