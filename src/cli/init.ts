import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { BadValue, parseOrigin, parsePublicOrigin } from '../config/values.ts';
import { createKeyFile } from '../vault/key_ring.ts';
import { CommandFailed, UsageError } from './failures.ts';
import type { Surroundings } from './surroundings.ts';

interface InitOptions {
  readonly homeserver: string;
  readonly publicUrl: string;
  readonly dir: string;
}

const DEFAULT_PUBLIC_URL = 'http://127.0.0.1:8010';

/** `init`: a configuration of five lines and a key file, and what to do next. */
export function initCommand(surroundings: Surroundings): Command {
  return new Command('init')
    .description('write a configuration and a key file; never overwrites')
    .option('--homeserver <url>', 'where the homeserver answers', 'http://127.0.0.1:8008')
    .option('--public-url <url>', 'the address that clients use', DEFAULT_PUBLIC_URL)
    .option('--dir <dir>', 'where to write', '.')
    .action((options: InitOptions) => init(options, surroundings));
}

function init(options: InitOptions, surroundings: Surroundings): void {
  const homeserver = origin('--homeserver', options.homeserver, parseOrigin);
  const publicUrl = origin('--public-url', options.publicUrl, parsePublicOrigin);
  const config = join(options.dir, 'config.yaml');
  const keys = join(options.dir, 'data', 'keys.json');
  for (const file of [config, keys]) {
    if (existsSync(file)) throw new CommandFailed(`${file} is there already and is not overwritten`);
  }

  mkdirSync(options.dir, { recursive: true });
  createKeyFile(keys, surroundings.random, surroundings.clock);
  writeFileSync(config, configText(homeserver, publicUrl), { flag: 'wx' });
  surroundings.out(...nextSteps({ config, keys, publicUrl }));
}

function origin(option: string, value: string, parse: (value: string) => string): string {
  try {
    return parse(value);
  } catch (error) {
    if (error instanceof BadValue) throw new UsageError(`${option} ${error.message}`);
    throw error;
  }
}

function configText(homeserver: string, publicUrl: string): string {
  return `# All settings: config.sample.yaml and docs/configure.md
listen: 127.0.0.1:8010
public_base_url: ${publicUrl}
homeserver: { url: "${homeserver}" }
storage: { type: sqlite, path: data/2fa.db }
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
    `  - look whether all is well:  npx matrix-2fa-proxy check-config --config ${config}`,
    `  - start:                     npx matrix-2fa-proxy serve --config ${config}`,
    "  - lead your web server's /_matrix through the proxy: docs/install.md",
  ];
}
