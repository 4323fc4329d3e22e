import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { readSynapseFile } from '../../src/doctor/synapse_file.ts';
import { type CommandLine, commandLine } from '../cli/command_line.ts';

let line: CommandLine;
let file: string;

beforeEach(() => {
  line = commandLine();
  file = join(line.folder, 'homeserver.yaml');
});

afterEach(() => line.remove());

function write(settings: object): void {
  writeFileSync(file, stringify({ server_name: 'example.org', ...settings }));
}

const listener = (port: number, extra: object = {}) => ({
  port,
  type: 'http',
  resources: [{ names: ['client', 'federation'] }],
  ...extra,
});

test('the address, the limit on logins, and listeners that lack x_forwarded', () => {
  write({
    public_baseurl: 'https://matrix.example.org/',
    listeners: [
      listener(8008),
      listener(8009, { x_forwarded: true }),
      { ...listener(0), path: '/run/synapse.sock' },
      { ...listener(0), path: '/run/other.sock', x_forwarded: false },
      { port: 9000, type: 'metrics' },
    ],
  });
  expect(readSynapseFile(file)).toEqual({
    path: file,
    serverName: 'example.org',
    clientListeners: 4,
    uploadBytes: 50 * 1024 * 1024,
    publicUrl: 'https://matrix.example.org/',
    hasRoomForLogins: false,
    withoutForwarded: ['8008', '/run/other.sock'],
  });
});

test.each([
  [{}, false],
  [{ account: { per_second: 0.003, burst_count: 5 } }, false],
  [{ account: { burst_count: 20 } }, true],
  [{ account: { per_second: 0.05 } }, true],
  [{ address: { burst_count: 100 } }, false],
])('rc_login %j', (rcLogin, hasRoomForLogins) => {
  write({ rc_login: rcLogin });
  expect(readSynapseFile(file)).toMatchObject({ hasRoomForLogins });
});

test.each([
  ['100M', 100 * 1024 * 1024],
  ['2G', 2 * 1024 * 1024 * 1024],
  ['512k', 512 * 1024],
  [1000, 1000],
  ['much', 50 * 1024 * 1024],
])('max_upload_size %s', (written, uploadBytes) => {
  write({ max_upload_size: written });
  expect(readSynapseFile(file)).toMatchObject({ uploadBytes });
});

test.each([
  ['secret: [', /homeserver\.yaml is not valid YAML$/],
  ['- a\n- b', /is not a homeserver\.yaml of Synapse/],
  ['secret: 1234', /is not a homeserver\.yaml of Synapse: it has no server_name$/],
])('%j is refused, and not shown', (text, complaint) => {
  writeFileSync(file, text);
  expect(() => readSynapseFile(file)).toThrow(complaint);
});

test('init takes the address from it, and says what to put in', async () => {
  write({ public_baseurl: 'https://matrix.example.org/', listeners: [listener(8008)] });
  const words = ['init', '--dir', line.folder, '--homeserver', 'http://127.0.0.1:9'];
  const { code, err } = await line.type(...words, '--homeserver-config', file);
  expect(code).toBe(0);
  expect(err).toContain('put in  rc_login: { account: { per_second: 0.05, burst_count: 20 } }');
  expect(err).toContain('the listener on port 8008 lacks  x_forwarded: true');
  expect(loadConfig(line.configFile, {}).publicBaseUrl).toBe('https://matrix.example.org');
});

test('an address that clients cannot use is not taken', async () => {
  write({ public_baseurl: 'http://synapse.internal:8008/' });
  const words = ['init', '--dir', line.folder, '--homeserver', 'http://127.0.0.1:9'];
  const { code, out } = await line.type(...words, '--homeserver-config', file);
  expect(code).toBe(0);
  expect(out).toContain('set public_base_url');
});
