import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ensureFolder } from './kept_folder.ts';
import { npmInstall } from './npm_install.ts';

const ENCRYPTION = '@matrix-org/matrix-sdk-crypto-nodejs';

/**
 * The bot SDK's end-to-end encryption is a native library that its install script fetches from outside the
 * registry. Bots without encryption only need it to be there, so an empty package stands in for it; the SDK
 * itself is as published. 0.7 is the last line for Node 20.
 */
const MANIFEST = {
  private: true,
  dependencies: { 'matrix-bot-sdk': '0.7.1' },
  overrides: { [ENCRYPTION]: 'file:./no_encryption' },
};

const NO_ENCRYPTION = { name: ENCRYPTION, version: '0.0.0', main: 'index.js' };

/**
 * Makes sure that the Matrix clients of the npm registry that are not our dependencies are installed.
 *
 * @returns the folder whose `node_modules` holds them
 * @throws ClientInstallError
 */
export async function ensureNodeClients(
  directory: string,
  onProgress: (line: string) => void,
): Promise<string> {
  const home = resolve(directory);
  await ensureFolder({ directory: home, contents: JSON.stringify(MANIFEST), onProgress }, async () => {
    onProgress('installing matrix-bot-sdk from the npm registry (about 30 MB)');
    await writeManifests(home);
    await npmInstall(home, ['--ignore-scripts']);
    onProgress('the clients for Node are installed');
  });
  return home;
}

async function writeManifests(directory: string): Promise<void> {
  const standIn = join(directory, 'no_encryption');
  await mkdir(standIn);
  await writeFile(join(directory, 'package.json'), JSON.stringify(MANIFEST));
  await writeFile(join(standIn, 'package.json'), JSON.stringify(NO_ENCRYPTION));
  await writeFile(join(standIn, 'index.js'), 'module.exports = {};\n');
}
