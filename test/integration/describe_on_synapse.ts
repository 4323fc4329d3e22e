import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import { RealApp, type RealAppOptions } from '../support/real_app.ts';
import { realSynapseEnvironment } from '../support/real_synapse.ts';

const START_MS = 180_000;
/** A client from a registry takes long to load on a machine that is busy with other things. */
const TEST_MS = 120_000;

/**
 * A suite on a real Synapse of its own; skipped, with the reason printed, where there can be none.
 *
 * @param options asked for when the suite begins
 */
export async function describeOnSynapse(
  title: string,
  tests: (app: () => RealApp) => void,
  options: () => Promise<RealAppOptions> = async () => ({}),
): Promise<void> {
  const environment = await realSynapseEnvironment();
  const suite = environment === undefined ? describe.skip : describe;
  suite(title, () => {
    jest.setTimeout(TEST_MS);
    let running: RealApp | undefined;
    beforeAll(async () => {
      if (environment !== undefined) running = await RealApp.start(environment, await options());
    }, START_MS);
    afterAll(() => running?.stop());
    tests(() => {
      if (running === undefined) throw new Error('Synapse did not start');
      return running;
    });
  });
}
