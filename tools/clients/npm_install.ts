import { runCommand } from '../synapse/run_command.ts';
import { ClientInstallError, lastWords } from './install_error.ts';

/**
 * Installs what the package.json of a folder asks for.
 *
 * @throws ClientInstallError
 */
export async function npmInstall(directory: string, options: readonly string[]): Promise<void> {
  const npm = ['install', '--prefix', directory, ...options, '--no-audit', '--no-fund'];
  const installed = await runCommand('npm', npm);
  if (installed.code !== 0) {
    throw new ClientInstallError(`npm could not install the clients: ${lastWords(installed.stderr)}`);
  }
}
