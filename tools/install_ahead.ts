import { ensureJsSdkLines } from './clients/js_sdk_lines.ts';
import { ensureNodeClients } from './clients/node_clients.ts';
import { ensurePythonClients } from './clients/python_clients.ts';
import { ensureSynapse } from './synapse/install.ts';

/**
 * Installs what suites install when they first need it, so that none of them holds a worker of jest meanwhile. What fails
 * here is tried again there, and is their failure.
 */
const INSTALLATIONS: readonly (readonly [
  string,
  (onProgress: (line: string) => void) => Promise<unknown>,
])[] = [
  ['.cache/synapse', (onProgress) => ensureSynapse({ directory: '.cache/synapse', onProgress })],
  ['.cache/python-clients', (onProgress) => ensurePythonClients('.cache/python-clients', onProgress)],
  ['.cache/node-clients', (onProgress) => ensureNodeClients('.cache/node-clients', onProgress)],
  ['.cache/js-sdk-lines', (onProgress) => ensureJsSdkLines('.cache/js-sdk-lines', onProgress)],
];

for (const [folder, install] of INSTALLATIONS) {
  const say = (line: string) => process.stdout.write(`${folder}: ${line}\n`);
  await install(say).catch((error: unknown) => say(String(error)));
}
