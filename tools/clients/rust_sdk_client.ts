import { join, resolve } from 'node:path';
import { runCommand } from '../synapse/run_command.ts';
import { ClientInstallError, lastWords } from './install_error.ts';

const SOURCE = join(import.meta.dirname, 'rust_sdk');

/**
 * Makes sure that the client on the Rust Matrix SDK is built: some five minutes the first time, a second later on.
 * Cargo has a lock of its own, so several processes may call this at once.
 *
 * @param directory where what cargo makes is kept
 * @returns the program
 * @throws ClientInstallError
 */
export async function ensureRustSdkClient(
  directory: string,
  onProgress: (line: string) => void,
): Promise<string> {
  const target = resolve(directory);
  onProgress('building the Rust SDK, which takes some minutes the first time');
  const built = await runCommand('cargo', [
    ...['build', '--locked', '--quiet', '--manifest-path', join(SOURCE, 'Cargo.toml')],
    ...['--target-dir', target],
  ]);
  if (built.code !== 0) {
    throw new ClientInstallError(`cargo could not build the client: ${lastWords(built.stderr)}`);
  }
  return join(target, 'debug', 'rust-sdk-client');
}
