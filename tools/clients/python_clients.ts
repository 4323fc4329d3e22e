import { join, resolve } from 'node:path';
import { SynapseInstallError } from '../synapse/install_error.ts';
import { findPython } from '../synapse/python.ts';
import { runCommand } from '../synapse/run_command.ts';
import { ClientInstallError, lastWords } from './install_error.ts';
import { ensureFolder } from './kept_folder.ts';

const REQUIREMENTS = [
  'matrix-nio==0.26.0',
  'matrix-commander==8.0.6',
  'mautrix==0.21.1',
  'simplematrixbotlib==2.13.1',
];

/** Where the programs of the installed clients are. */
export interface PythonClients {
  readonly python: string;
  readonly matrixCommander: string;
}

/**
 * Makes sure that the Matrix clients written in Python are installed in a virtual environment at `directory`.
 *
 * @throws ClientInstallError
 */
export async function ensurePythonClients(
  directory: string,
  onProgress: (line: string) => void,
): Promise<PythonClients> {
  const programs = await ensurePythonPackages(directory, REQUIREMENTS, onProgress);
  return { python: join(programs, 'python'), matrixCommander: join(programs, 'matrix-commander') };
}

/**
 * Makes sure that packages of PyPI are installed in a virtual environment at `directory`.
 *
 * @returns the folder with their programs
 * @throws ClientInstallError
 */
export async function ensurePythonPackages(
  directory: string,
  requirements: readonly string[],
  onProgress: (line: string) => void,
): Promise<string> {
  const home = resolve(directory);
  await ensureFolder({ directory: home, contents: requirements.join('\n'), onProgress }, async () => {
    onProgress(`making a virtual environment in ${home}`);
    await makeVirtualEnvironment(home);
    onProgress(`installing ${requirements.join(', ')} from PyPI (up to half a minute)`);
    await pipInstall(join(home, 'bin', 'python'), requirements);
    onProgress('installed');
  });
  return join(home, 'bin');
}

async function makeVirtualEnvironment(directory: string): Promise<void> {
  const made = await runCommand(await pythonOfTheSystem(), ['-m', 'venv', directory]);
  if (made.code !== 0) {
    throw new ClientInstallError(`Python made no virtual environment: ${lastWords(made.stderr)}`);
  }
}

async function pythonOfTheSystem(): Promise<string> {
  try {
    return await findPython();
  } catch (error) {
    if (error instanceof SynapseInstallError) throw new ClientInstallError(error.message, { cause: error });
    throw error;
  }
}

async function pipInstall(python: string, requirements: readonly string[]): Promise<void> {
  const pip = ['-m', 'pip', 'install', '--prefer-binary', '--disable-pip-version-check'];
  const installed = await runCommand(python, [...pip, ...requirements]);
  if (installed.code !== 0) {
    throw new ClientInstallError(
      `pip could not install ${requirements.join(', ')}: ${lastWords(installed.stderr)}`,
    );
  }
}
