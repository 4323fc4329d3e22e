import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { measuredOn, misfits, type ProbedHomeserver } from '../personality/probe.ts';
import { probedStub } from '../personality/probed_stub.ts';
import { PROBES } from '../personality/probes.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import { PERSONALITIES, type StubHomeserver, startStub } from '../support/stub/stub.ts';

const NAMES = Object.keys(PERSONALITIES) as PersonalityName[];

describe.each(NAMES)('the stub as %s answers what was measured', (name) => {
  let stub: StubHomeserver;
  let homeserver: ProbedHomeserver;

  beforeAll(async () => {
    stub = await startStub({ personality: name });
    homeserver = probedStub(stub);
  });

  afterAll(() => stub.stop());

  test.each(PROBES.map((probe) => [probe.name, probe] as const))('%s', async (_name, probe) => {
    expect(misfits(measuredOn(name, probe.measured), await probe.run(homeserver))).toEqual([]);
  });
});
