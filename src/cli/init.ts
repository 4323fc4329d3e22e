import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { BadValue, parseOrigin, parsePostgresUrl, parsePublicOrigin } from '../config/values.ts';
import { createKeyFile } from '../vault/key_ring.ts';
import { CommandFailed, UsageError } from './failures.ts';
import type { Surroundings } from './surroundings.ts';

interface InitOptions {
  readonly homeserver: string;
  readonly publicUrl: string;
  readonly dir: string;
  readonly storage: string;
}

const DEFAULT_PUBLIC_URL = 'http://127.0.0.1:8010';

/** `init`: a configuration of five lines and a key file, and what to do next. */
export function initCommand(surroundings: Surroundings): Command {
  return new Command('init')
    .description('write a configuration and a key file; never overwrites')
    .option('--homeserver <url>', 'where the homeserver answers', 'http://127.0.0.1:8008')
    .option('--public-url <url>', 'the address that clients use', DEFAULT_PUBLIC_URL)
    .option('--dir <dir>', 'where to write', '.')
    .option(
      '--storage <where>',
      'sqlite, sqlite:PATH (seen from --dir) or postgres://user@host:5432/database',
      'sqlite',
    )
    .action((options: InitOptions) => init(options, surroundings));
}

function init(options: InitOptions, surroundings: Surroundings): void {
  const homeserver = checked('--homeserver', options.homeserver, parseOrigin);
  const publicUrl = checked('--public-url', options.publicUrl, parsePublicOrigin);
  const storage = storageText(options.storage);
  const config = join(options.dir, 'config.yaml');
  const keys = join(options.dir, 'data', 'keys.json');
  for (const file of [config, keys]) {
    if (existsSync(file)) throw new CommandFailed(`${file} is there already and is not overwritten`);
  }

  mkdirSync(options.dir, { recursive: true });
  createKeyFile(keys, surroundings.random, surroundings.clock);
  writeFileSync(config, configText(homeserver, publicUrl, storage), { flag: 'wx' });
  surroundings.out(...nextSteps({ config, keys, publicUrl }));
}

function checked(option: string, value: string, parse: (value: string) => string): string {
  try {
    return parse(value);
  } catch (error) {
    if (error instanceof BadValue) throw new UsageError(`${option} ${error.message}`);
    throw error;
  }
}

/** The line of the configuration that says where the database is. */
function storageText(where: string): string {
  if (where === 'sqlite') return '{ type: sqlite, path: data/2fa.db }';
  if (where.startsWith('sqlite:')) {
    const path = where.slice('sqlite:'.length);
    if (path === '') throw new UsageError('--storage sqlite: must name a file');
    return `{ type: sqlite, path: ${JSON.stringify(path)} }`;
  }
  return `{ type: postgres, url: ${JSON.stringify(checked('--storage', where, parsePostgresUrl))} }`;
}

function configText(homeserver: string, publicUrl: string, storage: string): string {
  return `# All settings: config.sample.yaml and docs/configure.md
listen: 127.0.0.1:8010
public_base_url: ${publicUrl}
homeserver: { url: "${homeserver}" }
storage: ${storage}
keys: { file: data/keys.json }

# The web server in front, if it stands on this machine: its X-Forwarded-For names the clients.
trusted_proxies: [127.0.0.1, "::1"]
`;
}

function nextSteps({
  config,
  keys,
  publicUrl,
}: {
  config: string;
  keys: string;
  publicUrl: string;
}): string[] {
  const setPublicUrl =
    publicUrl === DEFAULT_PUBLIC_URL
      ? [`  - set public_base_url in ${config} to the address that clients use`]
      : [];
  return [
    `Wrote ${config} and ${keys}.`,
    '',
    'Next:',
    ...setPublicUrl,
    `  - keep a copy of ${keys} in a safe place, apart from the database: without it no code can be checked`,
    `  - look whether all is well:  matrix-2fa-proxy check-config --config ${config}`,
    `  - start:                     matrix-2fa-proxy serve --config ${config}`,
    "  - lead your web server's /_matrix through the proxy: docs/install.md",
  ];
}
