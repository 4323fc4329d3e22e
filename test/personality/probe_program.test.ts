import { afterEach, describe, expect, test } from '@jest/globals';
import { type StubHomeserver, startStub } from '../support/stub/stub.ts';
import { probedServer } from './probed_server.ts';
import { PROBES } from './probes.ts';
import { type Deviation, runProbes } from './run_probes.ts';

let stub: StubHomeserver;
afterEach(() => stub.stop());

/** Those that want a user with an e-mail address, which the client-server API gives to no one. */
const probes = PROBES.filter(({ name }) => !name.includes('the address of B'));

describe('the probe program', () => {
  test.each(['conduit', 'continuwuity'] as const)(
    'finds a homeserver like %s as it was measured, with users that it registers',
    async (family) => {
      stub = await startStub({ personality: family });
      const found: Deviation[] = [];
      const homeserver = await probedServer({ url: stub.url, registrationToken: undefined });
      const count = await runProbes(homeserver, family, probes, (deviation) => found.push(deviation));
      expect(found).toEqual([]);
      expect(count).toBe(0);
    },
  );

  test('says what is not as it was measured', async () => {
    stub = await startStub({ personality: 'dendrite' });
    const found: Deviation[] = [];
    const homeserver = await probedServer({ url: stub.url, registrationToken: undefined });
    const some = probes.filter(({ name }) => name === 'login target /_matrix/client/v3/login#f');
    await runProbes(homeserver, 'conduit', some, (deviation) => found.push(deviation));
    expect(found).toEqual([
      { probe: 'login target /_matrix/client/v3/login#f', measured: '200', seen: '404 M_UNRECOGNIZED' },
    ]);
  });

  test('registers with a token where the operator wants one', async () => {
    stub = await startStub({
      personality: 'tuwunel',
      registrationFlows: [['m.login.registration_token', 'm.login.dummy']],
    });
    await expect(probedServer({ url: stub.url, registrationToken: undefined })).rejects.toThrow('registered');
    const homeserver = await probedServer({ url: stub.url, registrationToken: 'right-token' });
    expect(homeserver.serverName).toBe('localhost');
  });
});
