import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type SynapseServer, startSynapse } from '../../tools/synapse/server.ts';
import { realSynapseEnvironment } from '../support/real_synapse.ts';
import { type StubHomeserver, startStub } from '../support/stub/stub.ts';
import { comparable, misfits, type ProbedHomeserver } from './probe.ts';
import { probedStub } from './probed_stub.ts';
import { PROBED_CONFIG, probedSynapse } from './probed_synapse.ts';
import { VARIANTS } from './variants.ts';

const environment = await realSynapseEnvironment();
const describeWithSynapse = environment === undefined ? describe.skip : describe;
describeWithSynapse.each(VARIANTS.map((variant) => [variant.name, variant] as const))(
  'Synapse and the stub with %s',
  (_name, variant) => {
    let directory: string;
    let synapse: SynapseServer;
    let stub: StubHomeserver;
    let real: ProbedHomeserver;

    beforeAll(async () => {
      if (environment === undefined) return;
      directory = await mkdtemp(join(tmpdir(), 'synapse-'));
      const extraConfig = { ...PROBED_CONFIG, ...variant.synapse.extraConfig };
      synapse = await startSynapse({ environment, directory, ...variant.synapse, extraConfig });
      real = await probedSynapse(synapse);
      stub = await startStub(variant.stub);
    });

    afterAll(async () => {
      await stub?.stop();
      await synapse?.stop();
      if (directory) await rm(directory, { recursive: true, force: true });
    });

    test.each(variant.probes.map((probe) => [probe.name, probe] as const))('%s', async (_name, probe) => {
      const answers = await probe.run(real);
      expect(misfits(probe.measured, answers)).toEqual([]);
      expect((await probe.run(probedStub(stub))).map(comparable)).toEqual(answers.map(comparable));
    });
  },
);
