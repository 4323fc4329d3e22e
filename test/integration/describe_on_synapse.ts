import { afterAll, beforeAll, describe } from '@jest/globals';
import { RealApp, type RealAppOptions } from '../support/real_app.ts';
import { realSynapseEnvironment } from '../support/real_synapse.ts';

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
    let running: RealApp | undefined;
    beforeAll(async () => {
      if (environment !== undefined) running = await RealApp.start(environment, await options());
    });
    afterAll(() => running?.stop());
    tests(() => {
      if (running === undefined) throw new Error('Synapse did not start');
      return running;
    });
  });
}
