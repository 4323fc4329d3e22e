import { resolve } from 'node:path';
import { ensureSynapse, type SynapseEnvironment } from '../../tools/synapse/install.ts';
import { SynapseInstallError } from '../../tools/synapse/install_error.ts';

/** Kept between runs; git ignores it. */
const CACHE = resolve('.cache/synapse');

/**
 * The environment for tests on a real Synapse, installed on first use. Where it cannot be had, the reason is
 * printed and the tests are to be skipped; under CI that is a failure instead.
 */
export async function realSynapseEnvironment(): Promise<SynapseEnvironment | undefined> {
  try {
    return await ensureSynapse({
      directory: CACHE,
      onProgress: (line) => process.stdout.write(`real Synapse: ${line}\n`),
    });
  } catch (error) {
    if (!(error instanceof SynapseInstallError) || process.env.CI === 'true') throw error;
    process.stdout.write(`tests on a real Synapse are skipped: ${error.message}\n`);
    return undefined;
  }
}
