import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const FOLDER = 'deploy/systemd';
const SERVICE = 'matrix-2fa-proxy.service';
const INSTANCE = 'matrix-2fa-proxy@.service';

/** In tenths: `systemd-analyze security` goes from 0 (nothing is allowed) to 100. */
const MOST_EXPOSED = 30;

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!hasSystemd) {
  const missing = 'systemd-analyze is missing: apt-get install systemd';
  if (process.env.CI === 'true') throw new Error(missing);
  console.warn(`skipped, as ${missing}`);
}
const suite = hasSystemd ? describe : describe.skip;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'systemd-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function shipped(file: string): string {
  return readFileSync(join(FOLDER, file), 'utf8');
}

/** The unit as `name`, for the Node of this machine. */
function unit(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text.replace('ExecStart=/usr/bin/node', `ExecStart=${process.execPath}`));
  return file;
}

/** What `systemd-analyze` said, and its exit code. */
function analyze(...words: string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

function exposure(file: string): number | null {
  return analyze('security', '--offline=true', `--threshold=${MOST_EXPOSED}`, '--no-pager', file).status;
}

/** The lines of a unit that are not remarks. */
function settings(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

suite('the services of deploy/systemd', () => {
  test.each([
    [SERVICE, SERVICE],
    [INSTANCE, 'matrix-2fa-proxy@8011.service'],
  ])('systemd finds nothing wrong in %s, and it may do little', (file, name) => {
    const path = unit(name, shipped(file));
    expect(analyze('verify', path)).toEqual({ status: 0, said: '' });
    expect(exposure(path)).toBe(0);
  });

  test('a mistyped setting and a service that may do anything are found', () => {
    const mistyped = unit(SERVICE, shipped(SERVICE).replace('NoNewPrivileges=', 'NoNewPrivilege='));
    expect(analyze('verify', mistyped).said).toContain('NoNewPrivilege');
    const bare = unit(SERVICE, '[Service]\nExecStart=/usr/bin/node\n');
    expect(exposure(bare)).not.toBe(0);
  });

  test('the user and the folders that the services name are made', () => {
    const dry = spawnSync('systemd-sysusers', ['--dry-run', resolve(FOLDER, 'sysusers.conf')], {
      encoding: 'utf8',
    });
    expect(dry).toMatchObject({ status: 0, stderr: expect.not.stringContaining('sysusers.conf:') });
    const [user] = /(?<=^User=).+/m.exec(shipped(SERVICE)) ?? [];
    expect(shipped('sysusers.conf')).toMatch(new RegExp(`^u ${user} - `, 'm'));
    for (const place of [
      '/etc/matrix-2fa-proxy',
      '/etc/matrix-2fa-proxy/data',
      '/var/lib/matrix-2fa-proxy',
    ]) {
      expect(shipped('tmpfiles.conf')).toMatch(new RegExp(`^d ${place} 07[05]0 \\S+ ${user}$`, 'm'));
    }
  });
});

test('the instance differs from the service by its port only', () => {
  const one = settings(shipped(SERVICE));
  const instance = settings(shipped(INSTANCE));
  expect(instance.filter((line) => !one.includes(line))).toEqual([
    'Description=Two-factor authentication for Matrix (port %i)',
    'Environment=MATRIX_2FA_LISTEN=127.0.0.1:%i',
  ]);
  expect(one.filter((line) => !instance.includes(line))).toEqual([
    'Description=Two-factor authentication for Matrix',
  ]);
});

test('a wrong configuration is not tried again, everything else is', () => {
  expect(settings(shipped(SERVICE))).toEqual(
    expect.arrayContaining([
      'ExecReload=/bin/kill -HUP $MAINPID',
      'StartLimitIntervalSec=0',
      'Restart=on-failure',
      'RestartPreventExitStatus=2',
      'StateDirectory=matrix-2fa-proxy',
    ]),
  );
});

test('the credential is the key file that docs/install.md has made, for root to read', () => {
  const [credential] = settings(shipped(SERVICE)).filter((line) => line.startsWith('LoadCredential='));
  const path = credential?.replace('LoadCredential=keys.json:', '');
  expect(readFileSync('docs/install.md', 'utf8')).toContain(`sudo chown matrix-2fa: ${path}\n`);
  expect(readFileSync('docs/operate.md', 'utf8')).toContain(`LoadCredential=keys.json:${path}`);
});

test('docs/install.md names every file of deploy/systemd', () => {
  const page = readFileSync('docs/install.md', 'utf8');
  for (const file of readdirSync(FOLDER)) expect(page).toContain(`deploy/systemd/${file}`);
});
