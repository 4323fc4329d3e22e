import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { freePort, hasCode } from '../free_port.ts';
import { hasEnded, isListener } from '../own_listener.ts';
import {
  homeserverConfig,
  logConfig,
  type SynapseChoices,
  type SynapseSecrets,
  synapseFiles,
} from './homeserver_config.ts';
import type { SynapseEnvironment } from './install.ts';
import {
  registerWithSharedSecret,
  type SignedUpUser,
  signUpWithSharedSecret,
} from './shared_secret_registration.ts';

const START_TIMEOUT_MS = 120_000;
const START_POLL_MS = 50;
const PROGRESS_EVERY_MS = 5_000;
/** How long Synapse may take to end on SIGTERM. */
const STOP_TIMEOUT_MS = 10_000;
const LOG_TAIL_LINES = 15;

export interface SynapseOptions {
  readonly environment: SynapseEnvironment;
  /** Holds the configuration, database, media and log; what is there from an earlier run is kept. */
  readonly directory: string;
  /** Default `localhost`. */
  readonly serverName?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  readonly publicBaseUrl?: string;
  /** Default false. */
  readonly openRegistration?: boolean;
  /** Default `generous`. */
  readonly limits?: SynapseChoices['limits'];
  /** Default `WARNING`. */
  readonly logLevel?: SynapseChoices['logLevel'];
  readonly extraConfig?: Readonly<Record<string, unknown>>;
  /** Told in one line what is going on. */
  readonly log?: (line: string) => void;
  /** Gives a start under way up. */
  readonly signal?: AbortSignal;
}

/** A running Synapse. */
export interface SynapseServer {
  /** Base URL without a slash at its end. */
  readonly url: string;
  readonly serverName: string;
  readonly logFile: string;
  readonly registrationSharedSecret: string;
  /** Process id; that of the latest start. */
  pid(): number;
  /** Makes a user without a device; its full id. */
  registerUser(name: string, password: string, admin?: boolean): Promise<string>;
  /** Makes a user who is signed in on a new device. */
  signUp(name: string, password: string, admin?: boolean): Promise<SignedUpUser>;
  /** Ends Synapse in good order, or by force after ten seconds. */
  stop(): Promise<void>;
  /** Ends Synapse at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same port with the same data; stops it first if it runs. */
  restart(): Promise<void>;
}

/** Synapse did not come up; the message holds the end of its log. */
export class SynapseStartError extends Error {
  constructor(reason: string, logTail: string) {
    super(`Synapse did not start: ${reason}\n${logTail}`);
    this.name = 'SynapseStartError';
  }
}

/**
 * Starts a Synapse on loopback and waits until it answers.
 *
 * @throws SynapseStartError
 */
export async function startSynapse(given: SynapseOptions): Promise<SynapseServer> {
  const options = { ...given, directory: resolve(given.directory) };
  const log = options.log ?? (() => undefined);
  const port = options.port || (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const serverName = options.serverName ?? 'localhost';
  const files = synapseFiles(options.directory);
  await mkdir(files.mediaStore, { recursive: true });
  const secrets = await keptSecrets(options.directory);
  await keepSigningKey(files.signingKey);
  await writeConfiguration(options, { port, serverName }, secrets);

  const start = () => startProcess(options.environment.python, files, port, { log, signal: options.signal });
  let child = await start();
  return {
    url,
    serverName,
    logFile: files.log,
    registrationSharedSecret: secrets.registrationSharedSecret,
    pid: () => child.pid ?? 0,
    registerUser: (name, password, admin = false) =>
      registerWithSharedSecret(url, secrets.registrationSharedSecret, { name, password, admin }),
    signUp: (name, password, admin = false) =>
      signUpWithSharedSecret(url, secrets.registrationSharedSecret, { name, password, admin }),
    stop: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
    restart: async () => {
      await end(child, 'SIGTERM');
      child = await start();
    },
  };
}

async function writeConfiguration(
  options: SynapseOptions,
  place: { readonly port: number; readonly serverName: string },
  secrets: SynapseSecrets,
): Promise<void> {
  const files = synapseFiles(options.directory);
  const choices: SynapseChoices = {
    ...place,
    ...(options.publicBaseUrl === undefined ? {} : { publicBaseUrl: options.publicBaseUrl }),
    ...(options.extraConfig === undefined ? {} : { extraConfig: options.extraConfig }),
    openRegistration: options.openRegistration ?? false,
    limits: options.limits ?? 'generous',
    logLevel: options.logLevel ?? 'WARNING',
  };
  await writeFile(files.config, stringify(homeserverConfig(options.directory, choices, secrets)), {
    mode: 0o600,
  });
  await writeFile(files.logConfig, stringify(logConfig(options.directory, choices.logLevel)));
}

/** Secrets must outlive a restart, or the tokens that Synapse signed with them would die. */
async function keptSecrets(directory: string): Promise<SynapseSecrets> {
  const { secrets } = synapseFiles(directory);
  const kept = await readFile(secrets, 'utf8').catch(() => undefined);
  if (kept !== undefined) return JSON.parse(kept) as SynapseSecrets;
  const made: SynapseSecrets = {
    registrationSharedSecret: randomBytes(24).toString('hex'),
    macaroonSecretKey: randomBytes(24).toString('hex'),
    formSecret: randomBytes(24).toString('hex'),
  };
  await writeFile(secrets, JSON.stringify(made), { mode: 0o600 });
  return made;
}

/** Synapse's key file is one line: algorithm, version, unpadded base64 seed. Making it here saves a start of Python. */
async function keepSigningKey(path: string): Promise<void> {
  const seed = randomBytes(32).toString('base64').replaceAll('=', '');
  await writeFile(path, `ed25519 a_1 ${seed}\n`, { flag: 'wx', mode: 0o600 }).catch((error: unknown) => {
    if (!hasCode(error, 'EEXIST')) throw error;
  });
}

async function startProcess(
  python: string,
  files: ReturnType<typeof synapseFiles>,
  port: number,
  { log, signal }: { log: (line: string) => void; signal: AbortSignal | undefined },
): Promise<ChildProcess> {
  // What goes wrong before Synapse has read its log configuration is said on standard error only.
  const output = await open(files.log, 'a');
  const child = spawn(python, ['-m', 'synapse.app.homeserver', '-c', files.config], {
    stdio: ['ignore', output.fd, output.fd],
    env: { ...process.env, PYTHONUNBUFFERED: '1' },
  });
  let failure: string | undefined;
  child.once('error', (error) => {
    failure = error.message;
  });
  child.once('exit', (code, endSignal) => {
    failure ??= `it ended with ${endSignal ?? `code ${code}`}`;
  });
  await output.close();

  const began = Date.now();
  let lastProgress = began;
  const url = `http://127.0.0.1:${port}`;
  log('starting Synapse');
  // Another program on that port may answer as well: this one is to listen before it is asked.
  while (!((await isListener(child, port)) && (await answers(url)))) {
    const waited = Date.now() - began;
    if (waited > START_TIMEOUT_MS) failure ??= `no answer within ${START_TIMEOUT_MS / 1000} s`;
    if (signal?.aborted) failure ??= 'it was told to end';
    if (failure !== undefined) {
      await end(child, 'SIGKILL');
      throw new SynapseStartError(failure, await tail(files.log));
    }
    if (Date.now() - lastProgress > PROGRESS_EVERY_MS) {
      lastProgress = Date.now();
      log(`waiting for Synapse (${Math.round(waited / 1000)} s)`);
    }
    await delay(START_POLL_MS);
  }
  log(`Synapse answers on ${url}`);
  return child;
}

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/_matrix/client/versions`, { signal: AbortSignal.timeout(5000) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  const byForce = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(byForce);
}

async function tail(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-LOG_TAIL_LINES).join('\n');
}
