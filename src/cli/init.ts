import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { BadValue } from '../config/values.ts';
import { readSynapseFile, type SynapseFile } from '../doctor/synapse_file.ts';
import { codeOf } from '../system/file_rights.ts';
import { KeyFileError } from '../vault/key_file_error.ts';
import { createKeyFile } from '../vault/key_ring.ts';
import { writeNew } from '../vault/private_file.ts';
import { CommandFailed } from './failures.ts';
import { type FoundHomeserver, findHomeserver } from './found_homeserver.ts';
import {
  type NewRegistration,
  registrationWanted,
  settingOf,
  nextSteps as stepsOf,
  writeRegistration,
} from './init_appservice.ts';
import {
  Chooser,
  fromOption,
  HELP_CONTACT,
  HOMESERVER,
  PUBLIC_URL,
  STORAGE,
  TRUSTED_PROXIES,
} from './init_choices.ts';
import type { Surroundings } from './surroundings.ts';

interface InitOptions {
  readonly homeserver?: string;
  readonly publicUrl?: string;
  readonly dir: string;
  readonly storage?: string;
  readonly trustedProxy?: readonly string[];
  readonly helpContact?: string;
  readonly homeserverConfig?: string;
  readonly appservice?: true;
  readonly serverName?: string;
  readonly yes?: true;
}

/** What goes into the configuration. */
interface Chosen {
  readonly homeserver: string;
  readonly publicUrl: string;
  /** A line of YAML. */
  readonly storage: string;
  readonly trustedProxies: readonly string[];
  readonly helpContact: string | undefined;
  readonly registration: NewRegistration | undefined;
}

/** It holds no secret. What others may, the umask says. */
const FOR_ALL_TO_READ = 0o666;
const DEFAULT_HOMESERVER = 'http://127.0.0.1:8008';
const DEFAULT_PUBLIC_URL = 'http://127.0.0.1:8010';
const DEFAULT_PROXIES = '127.0.0.1 ::1';

/** `init`: a short configuration and a key file, and what to do next. */
export function initCommand(surroundings: Surroundings): Command {
  return new Command('init')
    .description('write a configuration and a key file; asks on a terminal; never overwrites')
    .option('--homeserver <url>', `where the homeserver answers (default: ${DEFAULT_HOMESERVER})`)
    .option('--public-url <url>', 'the address that clients use (default: what the homeserver says)')
    .option('--dir <dir>', 'where to write', '.')
    .option(
      '--storage <where>',
      'sqlite, sqlite:PATH (seen from --dir) or postgres://user@host:5432/database (default: sqlite)',
    )
    .option(
      '--trusted-proxy <cidr>',
      'a web server in front, whose X-Forwarded-For is believed; once for each (default: loopback)',
      (one: string, others: readonly string[] = []) => [...others, one],
    )
    .option('--help-contact <url>', 'for people who have lost everything: https://… or mailto:…')
    .option('--homeserver-config <file>', "Synapse's homeserver.yaml, to be read and not changed")
    .option(
      '--appservice',
      'also write appservice.yaml: logins of users who have passed, without their password',
    )
    .option('--server-name <name>', 'for --appservice: what stands behind the colon of user ids')
    .option('--yes', 'ask nothing')
    .action((options: InitOptions) => init(options, surroundings));
}

async function init(options: InitOptions, surroundings: Surroundings): Promise<void> {
  const files = {
    config: join(options.dir, 'config.yaml'),
    keys: join(options.dir, 'data', 'keys.json'),
    ...(options.appservice === true ? { appservice: join(options.dir, 'appservice.yaml') } : {}),
  };
  requireNew(files);
  requireUsable(options);
  const synapse =
    options.homeserverConfig === undefined ? undefined : readSynapseFile(options.homeserverConfig);
  const registration = registrationWanted(files.appservice ?? '', options, synapse?.serverName);
  const dialogue = options.yes === true ? undefined : surroundings.dialogue();
  try {
    const chooser = new Chooser(dialogue, surroundings);
    const homeserver = await chooser.choose(HOMESERVER, options.homeserver, DEFAULT_HOMESERVER);
    const found = await findHomeserver(homeserver);
    if (found !== undefined) surroundings.out(`Found ${found.name} at ${homeserver}.`);
    surroundings.err(...remarksOn(homeserver, found), ...remarksOnFile(options.homeserverConfig, synapse));
    const chosen = {
      homeserver,
      publicUrl: await chooser.choose(PUBLIC_URL, options.publicUrl, knownPublicUrl(synapse, found)),
      storage: await chooser.choose(STORAGE, options.storage, 'sqlite'),
      trustedProxies: await chooser.choose(TRUSTED_PROXIES, options.trustedProxy?.join(' '), DEFAULT_PROXIES),
      helpContact: await chooser.choose(HELP_CONTACT, options.helpContact, 'none'),
      registration,
    };
    requireNew(files);
    write(files, chosen, surroundings);
    surroundings.out(...nextSteps(files, chosen, found));
  } finally {
    dialogue?.end();
  }
}

/** @throws CommandFailed */
function requireNew(files: Files): void {
  for (const file of Object.values(files)) {
    if (existsSync(file)) throw new CommandFailed(`${file} is there already and is not overwritten`);
  }
}

/** Before anything is asked. @throws UsageError */
function requireUsable({ homeserver, publicUrl, storage, trustedProxy, helpContact }: InitOptions): void {
  if (homeserver !== undefined) fromOption(HOMESERVER, homeserver);
  if (publicUrl !== undefined) fromOption(PUBLIC_URL, publicUrl);
  if (storage !== undefined) fromOption(STORAGE, storage);
  if (trustedProxy !== undefined) fromOption(TRUSTED_PROXIES, trustedProxy.join(' '));
  if (helpContact !== undefined) fromOption(HELP_CONTACT, helpContact);
}

/** The first address that can be used of those that the homeserver names. */
function knownPublicUrl(synapse: SynapseFile | undefined, found: FoundHomeserver | undefined): string {
  const named = [synapse?.publicUrl, found?.publicUrl].filter((url) => url !== undefined);
  return named.find(isUsable) ?? DEFAULT_PUBLIC_URL;
}

function isUsable(url: string): boolean {
  try {
    PUBLIC_URL.parse(url);
    return true;
  } catch (error) {
    if (error instanceof BadValue) return false;
    throw error;
  }
}

function remarksOn(url: string, found: FoundHomeserver | undefined): string[] {
  if (found === undefined)
    return [`note: no homeserver answers at ${url}; what depends on it was not looked at`];
  const { name, takesPasswords, endsOAuth } = found;
  return [
    ...(takesPasswords ? [] : [`note: ${name} takes no passwords: no user could sign in through this proxy`]),
    ...(endsOAuth === undefined
      ? []
      : [
          `note: ${name} has an OAuth of its own, which asks for no code; the line that ends it: ${endsOAuth}`,
        ]),
  ];
}

function remarksOnFile(file: string | undefined, synapse: SynapseFile | undefined): string[] {
  if (synapse === undefined) return [];
  return [
    ...(synapse.hasRoomForLogins
      ? []
      : [
          `note: ${file}: rc_login leaves an account five logins at once, then one in five and a half minutes; ` +
            'put in  rc_login: { account: { per_second: 0.05, burst_count: 20 } }',
        ]),
    ...synapse.withoutForwarded.map(
      (port) =>
        `note: ${file}: the listener on port ${port} lacks  x_forwarded: true  ; all sign-ins would share one limit`,
    ),
  ];
}

interface Files {
  readonly appservice?: string;
  readonly config: string;
  readonly keys: string;
}

/** All files or none. */
function write({ config, keys }: Files, chosen: Chosen, { random, clock }: Surroundings): void {
  const { registration } = chosen;
  const made: string[] = [];
  try {
    mkdirSync(dirname(config), { recursive: true });
    if (registration !== undefined) writeRegistration(registration, random);
    if (registration !== undefined) made.push(registration.file);
    createKeyFile(keys, random, clock);
    made.push(keys);
    writeNew(config, configText(chosen), FOR_ALL_TO_READ);
  } catch (error) {
    for (const file of made) rmSync(file);
    if (error instanceof KeyFileError) throw new CommandFailed(error.message);
    const isSystemError = typeof error === 'object' && error !== null && 'syscall' in error;
    throw isSystemError ? new CommandFailed(`${config} cannot be written: ${codeOf(error)}`) : error;
  }
}

function configText(chosen: Chosen): string {
  const { homeserver, publicUrl, storage, trustedProxies, helpContact, registration } = chosen;
  const appservice = registration === undefined ? '' : `, ${settingOf(registration)}`;
  const brand = helpContact === undefined ? '' : `\nbrand: { help_url: ${JSON.stringify(helpContact)} }\n`;
  return `# All settings: config.sample.yaml and docs/configure.md
listen: 127.0.0.1:8010
public_base_url: ${publicUrl}
homeserver: { url: "${homeserver}"${appservice} }
storage: ${storage}
keys: { file: data/keys.json }

# The web servers in front: their X-Forwarded-For names the clients.
trusted_proxies: [${trustedProxies.map((network) => JSON.stringify(network)).join(', ')}]
${brand}`;
}

function nextSteps(
  { config, keys }: Files,
  { publicUrl, registration }: Chosen,
  found: FoundHomeserver | undefined,
): string[] {
  const written = [config, keys, ...(registration === undefined ? [] : [registration.file])];
  const setPublicUrl =
    publicUrl === DEFAULT_PUBLIC_URL
      ? [`  - set public_base_url in ${config} to the address that clients use`]
      : [];
  return [
    `Wrote ${written.slice(0, -1).join(', ')} and ${written.at(-1)}.`,
    '',
    'Next:',
    ...setPublicUrl,
    `  - keep a copy of ${keys} in a safe place, apart from the database: without it no code can be checked`,
    ...(registration === undefined ? [] : stepsOf(registration, found?.name)),
    `  - look whether all is well:  matrix-2fa-proxy check-config --config ${config}`,
    `  - start:                     matrix-2fa-proxy serve --config ${config}`,
    "  - lead your web server's /_matrix through the proxy: docs/install.md",
    `  - look at it from outside:   matrix-2fa-proxy doctor --config ${config}`,
  ];
}
