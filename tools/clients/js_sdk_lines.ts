import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ensureFolder } from './kept_folder.ts';
import { npmInstall } from './npm_install.ts';

/**
 * Two lines of matrix-js-sdk whose OAuth differs: 41.9 is the last that reads ID tokens, 43 has a class of its own for it.
 * Both need Node 22 or later; this is that of the npm registry, whatever the system has.
 */
const MANIFEST = {
  private: true,
  dependencies: {
    node: '24',
    'matrix-js-sdk-41': 'npm:matrix-js-sdk@41.9.0',
    'matrix-js-sdk-43': 'npm:matrix-js-sdk@43.0.0',
  },
};

export interface JsSdkLines {
  /** Its `node_modules` has `matrix-js-sdk-41` and `matrix-js-sdk-43`. */
  readonly folder: string;
  /** The Node that runs them. */
  readonly node: string;
}

/**
 * Makes sure that both lines and their Node are installed.
 *
 * @throws ClientInstallError
 */
export async function ensureJsSdkLines(
  directory: string,
  onProgress: (line: string) => void,
): Promise<JsSdkLines> {
  const folder = resolve(directory);
  await ensureFolder({ directory: folder, contents: JSON.stringify(MANIFEST), onProgress }, async () => {
    onProgress('installing two lines of matrix-js-sdk and a Node 24 from the npm registry (about 230 MB)');
    await writeFile(join(folder, 'package.json'), JSON.stringify(MANIFEST));
    // The Node comes with its script.
    await npmInstall(folder, []);
  });
  return { folder, node: join(folder, 'node_modules', 'node', 'bin', 'node') };
}
