import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LockTimeout, withDirectoryLock } from '../directory_lock.ts';
import { SynapseInstallError } from './install_error.ts';
import { findPython } from './python.ts';
import { runCommand } from './run_command.ts';

/**
 * The Synapse that our notes on homeservers were measured on, with any later bug-fix release.
 * The extras let tests switch on single sign-on and token logins.
 */
const REQUIREMENT = 'matrix-synapse[oidc,jwt]==1.163.*';

/** Written last, so that a half-made environment is never taken for a good one. */
const MARKER = 'environment.json';

/** What pip says where it gets no connection. */
const NO_NETWORK =
  /NewConnectionError|NameResolutionError|ConnectTimeout|ProxyError|Failed to establish a new connection|Network is unreachable/;

const LOCK_TIMEOUT_MS = 20 * 60_000;

/** A virtual environment in which Synapse is installed. */
export interface SynapseEnvironment {
  readonly directory: string;
  /** The Python of the environment. */
  readonly python: string;
  readonly version: string;
}

export interface InstallOptions {
  /** Where the environment lives; made if it is not there, kept and reused afterwards. */
  readonly directory: string;
  /** Told in one line what is going on. */
  readonly onProgress?: (line: string) => void;
  /** Ends an installation under way. */
  readonly signal?: AbortSignal;
}

/**
 * Makes sure that Synapse is installed in a virtual environment of its own. Safe to call from several
 * processes at once.
 *
 * @throws SynapseInstallError
 */
export async function ensureSynapse(options: InstallOptions): Promise<SynapseEnvironment> {
  const directory = resolve(options.directory);
  const onProgress = options.onProgress ?? (() => undefined);
  const ready = await openEnvironment(directory);
  if (ready) return ready;

  const python = await findPython();
  const lock = {
    timeoutMs: LOCK_TIMEOUT_MS,
    onWait: () => onProgress('another process is installing Synapse, waiting for it'),
  };
  try {
    return await withDirectoryLock(`${directory}.lock`, lock, async () => {
      const madeMeanwhile = await openEnvironment(directory);
      return (
        madeMeanwhile ?? (await makeEnvironment(directory, python, { onProgress, signal: options.signal }))
      );
    });
  } catch (error) {
    if (error instanceof LockTimeout) throw new SynapseInstallError('busy', error.message, { cause: error });
    throw error;
  }
}

/** The environment at `directory` if it is whole, holds what we ask for, and its Python still runs. */
async function openEnvironment(directory: string): Promise<SynapseEnvironment | undefined> {
  const marker = await readFile(join(directory, MARKER), 'utf8').catch(() => undefined);
  if (marker !== REQUIREMENT) return undefined;
  const python = pythonOf(directory);
  const version = await installedVersion(python);
  return version === undefined ? undefined : { directory, python, version };
}

async function makeEnvironment(
  directory: string,
  python: string,
  { onProgress, signal }: { onProgress: (line: string) => void; signal: AbortSignal | undefined },
): Promise<SynapseEnvironment> {
  onProgress(`making a virtual environment in ${directory}`);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const made = await runCommand(python, ['-m', 'venv', directory], { signal });
  if (made.code !== 0) {
    throw new SynapseInstallError(
      'no_venv',
      `Python could not make a virtual environment: ${tail(made.stderr || made.stdout)}`,
    );
  }

  onProgress('installing Synapse from PyPI (about 60 MB, a minute or two)');
  const environmentPython = pythonOf(directory);
  const installed = await runCommand(
    environmentPython,
    ['-m', 'pip', 'install', '--prefer-binary', '--disable-pip-version-check', REQUIREMENT],
    {
      signal,
      onLine: (line) => {
        if (isWorthTelling(line)) onProgress(line.trim().slice(0, 100));
      },
    },
  );
  if (installed.code !== 0) {
    throw new SynapseInstallError('pip_failed', pipComplaint(installed.stderr));
  }
  const version = await installedVersion(environmentPython);
  if (version === undefined) {
    throw new SynapseInstallError('pip_failed', 'Synapse was installed but cannot be loaded by its Python.');
  }
  await writeFile(join(directory, MARKER), REQUIREMENT);
  onProgress(`Synapse ${version} is installed`);
  return { directory, python: environmentPython, version };
}

function pipComplaint(stderr: string): string {
  if (NO_NETWORK.test(stderr)) {
    return 'pip cannot reach PyPI, so Synapse cannot be installed: check the network (PIP_INDEX_URL and https_proxy are honoured).';
  }
  return `pip could not install Synapse: ${tail(stderr)}`;
}

/** The large downloads and the last step: enough to see that it moves. */
function isWorthTelling(pipLine: string): boolean {
  return /^\s*(Downloading .* MB\)|Installing|Building)/.test(pipLine);
}

function pythonOf(directory: string): string {
  return join(directory, 'bin', 'python');
}

async function installedVersion(python: string): Promise<string | undefined> {
  const asked = await runCommand(python, [
    '-c',
    'import importlib.metadata as m, synapse; print(m.version("matrix-synapse"))',
  ]);
  return asked.code === 0 ? asked.stdout.trim() : undefined;
}

/** The last lines of what a program said, in one line. */
function tail(text: string): string {
  return text.trim().split('\n').slice(-3).join(' | ');
}
