import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load.ts';
import { commandLine } from '../cli/command_line.ts';
import { describeOnSynapse } from './describe_on_synapse.ts';

await describeOnSynapse(
  'init, before a real Synapse',
  (app) => {
    test('finds it, and reads its own homeserver.yaml', async () => {
      const line = commandLine();
      const { url } = app().synapse;
      const file = join(app().directory, 'synapse/homeserver.yaml');
      const made = await line.type(
        ...['init', '--dir', line.folder, '--homeserver', url, '--homeserver-config', file],
      );
      expect(made).toMatchObject({ code: 0, err: '' });
      expect(made.out).toMatch(/^Found Synapse 1\.[0-9.]+ /);
      const { publicBaseUrl } = loadConfig(line.configFile, {});
      expect(publicBaseUrl).toBe(loadConfig(app().configFile, {}).publicBaseUrl);
      line.remove();
    });
  },
  async () => ({ reachable: true }),
);
