import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SynapseStartError, startSynapse } from '../../tools/synapse/server.ts';
import { call } from '../support/http.ts';
import { realSynapseEnvironment } from '../support/real_synapse.ts';
import { startStub } from '../support/stub/stub.ts';

const environment = await realSynapseEnvironment();
const describeWithSynapse = environment === undefined ? describe.skip : describe;

describeWithSynapse('a Synapse of our own', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'synapse-'));
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  function start(extraConfig: Record<string, unknown> = {}, port = 0) {
    if (environment === undefined) throw new Error('no Synapse');
    return startSynapse({ environment, directory, extraConfig, port });
  }

  test('users and tokens outlive a restart and a crash', async () => {
    const synapse = await start();
    const { userId, accessToken } = await synapse.signUp('bob', 'right');
    const whoami = { target: '/_matrix/client/v3/account/whoami', token: accessToken };
    expect((await call(synapse.url, whoami)).json.user_id).toBe(userId);

    const firstPid = synapse.pid();
    await synapse.restart();
    expect(synapse.pid()).not.toBe(firstPid);
    expect((await call(synapse.url, whoami)).json.user_id).toBe(userId);

    await synapse.kill();
    await expect(call(synapse.url, whoami)).rejects.toThrow('ECONNREFUSED');
    await synapse.restart();
    expect((await call(synapse.url, whoami)).json.user_id).toBe(userId);
    await synapse.stop();
  });

  test('another homeserver on its port is not taken for it', async () => {
    const stranger = await startStub();
    try {
      const started = start({}, Number(new URL(stranger.url).port));
      await expect(started).rejects.toBeInstanceOf(SynapseStartError);
      await expect(started).rejects.toThrow('Failed to listen on TCP port');
    } finally {
      await stranger.stop();
    }
  });

  test('a Synapse that does not start says why', async () => {
    const started = start({ listeners: 'nothing' });
    await expect(started).rejects.toBeInstanceOf(SynapseStartError);
    await expect(started).rejects.toThrow('listeners');
  });
});
