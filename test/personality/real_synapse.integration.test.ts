import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type SynapseServer, startSynapse } from '../../tools/synapse/server.ts';
import { realSynapseEnvironment } from '../support/real_synapse.ts';
import { type StubHomeserver, startStub } from '../support/stub/stub.ts';
import { comparable, measuredOn, misfits, type ProbedHomeserver } from './probe.ts';
import { probedStub } from './probed_stub.ts';
import { PROBED_CONFIG, probedSynapse } from './probed_synapse.ts';
import { PROBES } from './probes.ts';

const environment = await realSynapseEnvironment();
const describeWithSynapse = environment === undefined ? describe.skip : describe;
describeWithSynapse('the synapse personality of the stub is true to a real Synapse', () => {
  let directory: string;
  let synapse: SynapseServer;
  let stub: StubHomeserver;
  let real: ProbedHomeserver;
  let pretended: ProbedHomeserver;

  beforeAll(async () => {
    if (environment === undefined) return;
    directory = await mkdtemp(join(tmpdir(), 'synapse-'));
    synapse = await startSynapse({
      environment,
      directory,
      openRegistration: true,
      extraConfig: PROBED_CONFIG,
    });
    real = await probedSynapse(synapse);
    stub = await startStub({ personality: 'synapse' });
    pretended = probedStub(stub);
  });

  afterAll(async () => {
    await stub?.stop();
    await synapse?.stop();
    if (directory) await rm(directory, { recursive: true, force: true });
  });

  test.each(PROBES.map((probe) => [probe.name, probe] as const))('%s', async (_name, probe) => {
    const answers = await probe.run(real);
    expect(misfits(measuredOn('synapse', probe.measured), answers)).toEqual([]);
    expect((await probe.run(pretended)).map(comparable)).toEqual(answers.map(comparable));
  });
});
