import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Everything that the demo keeps; git ignores it. */
const DEMO_FOLDER = fileURLToPath(new URL('../.demo', import.meta.url));

/** Synapse's virtual environment. */
export const ENVIRONMENT = join(DEMO_FOLDER, 'synapse');

/** The folder of one scene: `data` for the demo itself, others for its check and for homeservers of others. */
export function sceneFolder(name: string): string {
  return join(DEMO_FOLDER, name);
}

/** What is in the folder of a scene. */
export function placesIn(folder: string) {
  return {
    synapse: join(folder, 'synapse'),
    config: join(folder, 'config.yaml'),
    keys: join(folder, 'keys.json'),
    /** Who plays, with what a user would have on their phone and on paper. */
    cast: join(folder, 'cast.json'),
    /** bob's next unused code. */
    code: join(folder, 'code'),
    /** An access token of bob's. */
    token: join(folder, 'token'),
  };
}
