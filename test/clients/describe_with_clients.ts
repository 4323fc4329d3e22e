import { writeFileSync } from 'node:fs';
import { beforeAll, test } from '@jest/globals';
import { ClientInstallError } from '../../tools/clients/install_error.ts';
import { freePort } from '../../tools/free_port.ts';
import { describeOnSynapse } from '../integration/describe_on_synapse.ts';
import type { RealApp } from '../support/real_app.ts';

/**
 * A suite of clients from a registry, before a real Synapse of its own; skipped, with the reason printed, where
 * they cannot be installed. Under CI that is a failure.
 *
 * @param install makes the clients ready, or throws ClientInstallError
 */
export async function describeWithClients<Clients>(
  title: string,
  install: (onProgress: (line: string) => void) => Promise<Clients>,
  tests: (app: () => RealApp, clients: Clients) => void,
): Promise<void> {
  const clients = await installed(title, install);
  if (clients === undefined) {
    test.skip(title, () => undefined);
    return;
  }
  await describeOnSynapse(title, (app) => {
    beforeAll(() => publishWhereItListens(app()));
    tests(app, clients);
  });
}

async function installed<Clients>(
  title: string,
  install: (onProgress: (line: string) => void) => Promise<Clients>,
): Promise<Clients | undefined> {
  try {
    return await install((line) => process.stdout.write(`${title}: ${line}\n`));
  } catch (error) {
    if (!(error instanceof ClientInstallError) || process.env.CI === 'true') throw error;
    process.stdout.write(`tests of ${title} are skipped: ${error.message}\n`);
    return undefined;
  }
}

/** Clients follow the public address that they are told at login, so it has to lead somewhere. */
async function publishWhereItListens(app: RealApp): Promise<void> {
  const port = await freePort();
  await app.stopProxy();
  const text = app
    .configText(port)
    .replace(/public_base_url: .*/, `public_base_url: http://127.0.0.1:${port}`);
  writeFileSync(app.configFile, text);
  await app.startProxy();
}
